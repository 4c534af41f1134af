"""What a file can hold at all."""

from __future__ import annotations


def storable(text: str) -> str:
    """Return `text` as UTF-8 can hold it: halves of characters (lone surrogates) become U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
