"""XML that somebody else wrote, as a small tree: no entities, no document types, bounded in every way."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from ..text import one_line
from .observed import Unreadable

MAX_BYTES = 64 * 1024 * 1024
_DEEPEST = 40
_MOST_ELEMENTS = 2_000_000
_LONGEST_TEXT = 200_000


@dataclass(slots=True)
class Element:
    """One element: its name without a namespace, its attributes, its text, what is in it."""

    name: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, name: str) -> list[Element]:
        """Return the elements of a name right in this one."""
        return [child for child in self.children if child.name == name]


def read_xml(raw: bytes) -> Element:
    """Return the root element. Raises Unreadable for bad XML, a document type, and what is too large."""
    if len(raw) > MAX_BYTES:
        raise Unreadable(f"is larger than {MAX_BYTES // 1024 // 1024} MiB")
    builder = _Builder()
    try:
        builder.parser.Parse(raw, True)
    except expat.ExpatError as error:
        problem = expat.ErrorString(error.code)
        if error.code in (3, 5) or "unclosed" in problem:
            raise Unreadable(
                "is cut off: the XML ends in the middle; was the run stopped while it wrote?"
            ) from None
        raise Unreadable(f"is not valid XML: {one_line(problem)} (line {error.lineno})") from None
    except (LookupError, ValueError) as error:
        raise Unreadable(f"is not valid XML: {one_line(str(error))}") from None
    if builder.root is None:
        raise Unreadable("holds no XML element")
    return builder.root


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _refuse(self, *_: object) -> None:
        raise Unreadable("has a document type (<!DOCTYPE>), which no JUnit file needs; it is not read")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > _MOST_ELEMENTS or len(self._open) >= _DEEPEST:
            raise Unreadable("has too many elements, or too many in one another")
        element = Element(name.rpartition(":")[2], attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        element = self._open[-1]
        if len(element.text) < _LONGEST_TEXT:
            element.text += text
