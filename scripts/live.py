"""Ask the real model: the demo's evalset once, recorded, then the live tests.

    python scripts/live.py --model-python .venv-model/bin/python evalsets/oncall-handbook.eval.yaml

Ends with the first exit code that is not 0. The recordings of the demo are files of this repository: look at
their diff, and keep it or take it back with git.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from model_process import NotServed, model_process

PORT = 8081
"""Where aioncall.yaml says that the provider `local` is."""


def main() -> int:
    """Run both parts and say how long each took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model-python", required=True, type=Path, help="a Python that has llama_cpp")
    parser.add_argument("evalset", nargs="*", help="evalsets to record; none: the live tests alone")
    options = parser.parse_args()
    # Made absolute without following the link: a Python knows its environment by its own path.
    python = Path(os.path.abspath(options.model_python))  # noqa: PTH100
    codes: list[int] = []
    try:
        if options.evalset:
            with model_process(python, port=PORT):
                codes.append(_pytest("--aioncall", "--aioncall-record", *options.evalset))
        codes.append(_pytest("-m", "live", "-rs", "tests/live", model_python=python))
    except NotServed as error:
        print(f"live: {error}", file=sys.stderr)
        return 7
    return next((code for code in codes if code), 0)


def _pytest(*arguments: str, model_python: Path | None = None) -> int:
    environment = dict(os.environ)
    if model_python is not None:
        environment["AIONCALL_MODEL_PYTHON"] = str(model_python)
    started = time.monotonic()
    code = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], env=environment, check=False
    ).returncode
    print(
        f"live: pytest {' '.join(arguments)}: exit {code} after {time.monotonic() - started:.0f} s",
        flush=True,
    )
    return code


if __name__ == "__main__":
    raise SystemExit(main())
