"""Put the real terminal block of the demo's red prompt edit into README.md, or check that it is the real one.

    python scripts/readme_block.py           write it
    python scripts/readme_block.py --check   exit 1 where README shows something else

Age of the baseline and seconds differ from run to run and are not compared.
"""

from __future__ import annotations

import re
import sys

from demo_regression import CHANGES, ROOT, make_tree, replay, summary_of

README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- block: regression -->\n```text\n)(.*?)(```)", re.DOTALL)


def real_block() -> str:
    """Run the friendlier prompt and return what the plugin says of it."""
    change = next(change for change in CHANGES if change.name == "friendlier")
    tree = make_tree(change)
    printed, wrong = replay(change, tree)
    if wrong:
        raise SystemExit("readme_block: the demo did not come out as expected: " + "; ".join(wrong))
    place = tree.relative_to(ROOT).as_posix()
    return summary_of(printed, tree).replace(f"report: {place}/", "report: ") + "\n"


def comparable(text: str) -> str:
    """Take out what differs from run to run."""
    text = re.sub(r"(less than an hour|\d+ (hours?|days?)|new)( old)?, (?=\d+ cases x)", "", text)
    return re.sub(r"\d+(\.\d+)? s\b", "N s", text)


def main() -> int:
    """Write or check the block."""
    readme = README.read_text(encoding="utf-8")
    found = BLOCK.search(readme)
    if found is None:
        raise SystemExit("readme_block: README.md has no block: regression")
    block = real_block()
    if "--check" in sys.argv[1:]:
        same = comparable(found.group(2)) == comparable(block)
        sys.stdout.write("README shows the real block\n" if same else f"README differs from:\n{block}")
        return 0 if same else 1
    README.write_text(
        readme[: found.start(2)] + block + readme[found.end(2) :], encoding="utf-8", newline="\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
