"""Make an environment that sees every package of this one, and into which others are installed.

`pip install` finds pytest-aioncall there as the tree under test, and what it installs is gone with the job.
"""

import sys
import sysconfig
import venv
from pathlib import Path

folder = Path(sys.argv[1])
venv.create(folder, with_pip=False, symlinks=True)
(packages,) = folder.glob("lib/python*/site-packages")
# addsitedir, since an editable install is a .pth file, too.
line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
(packages / "under_test.pth").write_text(line, encoding="utf-8")
