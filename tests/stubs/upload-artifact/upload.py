"""Do as actions/upload-artifact documents: patterns, hidden files if asked, the common folder cut off."""

import os
import shutil
import sys
from pathlib import Path

here = Path(os.environ["GITHUB_WORKSPACE"])
target = Path(os.environ["TEST_ARTIFACTS"]) / os.environ["GITHUB_RUN_ID"] / os.environ["NAME"]
patterns = [line.strip() for line in os.environ["WANTED"].splitlines() if line.strip()]


def is_wanted(path: Path) -> bool:
    if os.environ["HIDDEN"] == "true":
        return True
    return not any(part.startswith(".") for part in path.relative_to(here).parts)


files: list[Path] = []
for pattern in patterns:
    for path in sorted(here.glob(pattern)):
        files += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
files = [path for path in dict.fromkeys(files) if is_wanted(path)]
if not files:
    print(f"no files found: {patterns}")
    sys.exit(os.environ["IF_NONE"] == "error")
if target.exists():
    if os.environ["OVERWRITE"] != "true":
        sys.exit(f"409: an artifact {target.name} is there already")
    shutil.rmtree(target)
# Several patterns: everything keeps its place below the folder that all have in common; one folder: below it.
one = here / patterns[0]
common = one if len(patterns) == 1 and one.is_dir() else Path(os.path.commonpath([p.parent for p in files]))
for path in files:
    copy = target / path.relative_to(common)
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, copy)
print(f"uploaded {len(files)} files as {target.name}")
