"""What is too slow for the ordinary run of the tests is run by a make target all the same."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

TESTS = Path(__file__).parents[1]
MAKEFILE = (TESTS.parent / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")


def test_every_file_with_a_slow_test_is_run_by_a_target() -> None:
    recipes = re.findall(r"^\t\$\(PYTEST\) (.+)$", MAKEFILE, re.MULTILINE)
    run = {PurePosixPath(word) for line in recipes if "not slow" not in line for word in line.split()}
    slow = [
        PurePosixPath(path.relative_to(TESTS.parent).as_posix())
        for path in TESTS.rglob("test_*.py")
        if re.search(
            r"^ *(?:@|pytestmark = )pytest\.mark\.slow$", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    ]
    assert slow
    assert [str(path) for path in slow if run.isdisjoint({path, *path.parents})] == []
