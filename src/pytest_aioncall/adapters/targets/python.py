"""The target `python`: a callable of the project, by import string."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...model.evalset import Case
from ...model.sample import Output
from ...protocols import PieceContext, Target
from .calling import UserCode
from .outputs import to_output
from .recorded import recorded


def python(path: str, *, cassette: bool = False, context: PieceContext) -> Target:
    """Make a target of `package.module:name`.

    With `cassette: true` its whole answers are recorded and replayed; under replay the code is not run then.
    """
    target = PythonTarget(path, context=context)
    return recorded(target, context=context) if cassette else target


class PythonTarget:
    """Call the user's function with a case's input."""

    def __init__(self, path: str, *, context: PieceContext) -> None:
        self._code = UserCode(path, what="target", context=context)
        self._who = path

    async def open(self) -> None:
        await self._code.open()

    async def close(self) -> None:
        await self._code.close()

    async def answer(self, case: Case, *, epoch: int) -> Output:  # noqa: ARG002 - every epoch asks the same
        result, latency_s = await self._code.call(case.input)
        return to_output(result, latency_s=latency_s, who=self._who)

    def fingerprint(self) -> Mapping[str, Any]:
        return {"python": self._code.fingerprint()}
