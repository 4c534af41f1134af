"""Two texts in one, word by word, for a terminal: `[-gone-]` and `{+come+}`, as wdiff writes them."""

from __future__ import annotations

import difflib
import re

_TOKENS = re.compile(r"\w+|\s+|[^\w\s]")
_MOST_PAIRS = 4_000_000
_REWRITTEN = 0.3


def woven(was: str, now: str) -> str | None:
    """Return both texts in one; None where they share too little, or are too long, for marks to help.

    Without the `{+..+}` the text is `was`, without the `[-..-]` it is `now`.
    """
    old, new = _TOKENS.findall(was), _TOKENS.findall(now)
    if len(old) * len(new) > _MOST_PAIRS:
        return None
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    parts, kept = [], 0
    for tag, i, j, k, m in matcher.get_opcodes():
        before, after = "".join(old[i:j]), "".join(new[k:m])
        if tag == "equal":
            kept += sum(1 for token in old[i:j] if not token.isspace())
            parts.append(before)
        else:
            parts += [f"[-{before}-]"] if before else []
            parts += [f"{{+{after}+}}"] if after else []
    words = min(sum(1 for token in side if not token.isspace()) for side in (old, new))
    if not kept or (words > 3 and kept < _REWRITTEN * words):
        return None
    return "".join(parts)
