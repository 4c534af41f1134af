"""Do as actions/download-artifact documents: a name has to be there, a pattern may find nothing."""

import fnmatch
import os
import shutil
import sys
from pathlib import Path

run = os.environ["RUN"] or os.environ["GITHUB_RUN_ID"]
if run != os.environ["GITHUB_RUN_ID"] and not os.environ["TOKEN"]:
    sys.exit("artifacts of another run need github-token")
kept = Path(os.environ["TEST_ARTIFACTS"]) / run
where = Path(os.environ["GITHUB_WORKSPACE"]) / os.environ["WHERE"]
name, pattern = os.environ["NAME"], os.environ["PATTERN"]
there = sorted(path.name for path in kept.iterdir()) if kept.is_dir() else []
if name:
    if name not in there:
        sys.exit(f"no artifact {name}")
    wanted, apart = [name], False
else:
    wanted = fnmatch.filter(there, pattern or "*")
    apart = os.environ["MERGE"] != "true"
for one in wanted:
    shutil.copytree(kept / one, where / one if apart else where, dirs_exist_ok=True)
print(f"downloaded {len(wanted)} artifacts")
