"""A process that ends early on its garbage still writes what its files hold, cycles or not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from pytest_aioncall.plugin import garbage

class Holder:
    pass

def in_a_cycle(path):
    one = Holder()
    one.me = one
    one.file = open(path, "w")
    one.file.write("written")
    return one

held = in_a_cycle(sys.argv[1])     # reachable until the modules go
in_a_cycle(sys.argv[2])            # garbage already
raw = Holder(); raw.me = raw; raw.file = open(sys.argv[3], "wb"); raw.file.write(b"written")
garbage.spare_the_exit()
garbage.spare_the_exit()
"""


def test_files_left_open_in_cycles_are_written_at_the_end(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("held", "garbage", "raw")]
    done = subprocess.run([sys.executable, "-c", CODE, *map(str, paths)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert [path.read_text() for path in paths] == ["written"] * 3
