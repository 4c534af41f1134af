"""Libraries that one scorer needs: loaded when it is made, named with their install command if absent."""

from __future__ import annotations

import importlib
from typing import Any

from ...errors import UsageError


def need_library(module: str, *, package: str, extra: str = "scorers") -> Any:
    """Import `module`; UsageError with the command that installs it where `package` is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and not module.startswith(error.name.split(".")[0]):
            raise
        raise UsageError(
            f'needs the library {package}, which is not installed: pip install "pytest-aioncall[{extra}]"'
        ) from error
