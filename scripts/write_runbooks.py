"""Write docs/runbooks/ from what the package knows of each alert; `--check` says what is not as it would be.

python scripts/write_runbooks.py [--check]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_aioncall.adapters.render.runbooks import FOLDER, pages

_COMMAND = "python scripts/write_runbooks.py"
ROOT = Path(__file__).resolve().parents[1]


def main(arguments: list[str] | None = None, *, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a page differs")
    check = parser.parse_args(arguments).check
    wanted = pages()
    there = {path.relative_to(root).as_posix() for path in (root / FOLDER).glob("*.md")}
    wrong = [
        name for name, text in wanted.items() if name not in there or (root / name).read_text("utf-8") != text
    ]
    gone = sorted(there - set(wanted))
    if check:
        for name in wrong:
            print(f"{name}: not as adapters/render/runbook_texts.py has it; run: {_COMMAND}")
        for name in gone:
            print(f"{name}: no alert has it; run: {_COMMAND}")
        return 1 if wrong or gone else 0
    for name in wrong:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(wanted[name], encoding="utf-8", newline="\n")
        print(f"wrote {name}")
    for name in gone:
        (root / name).unlink()
        print(f"deleted {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
