"""YAML to plain data in one pass over the parser's events: no node graph, no recursion, hard limits.

The events come from libyaml (`CSafeLoader`), which keeps its own stack on the heap; depth, nodes and aliases
are counted here while they arrive, so a bomb is refused before it grows. Keys are text whatever they are.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from sys import intern
from typing import Any, Final

from ...errors import LoadError, Problem
from ..text import one_line
from .positions import MAX_DEPTH, MAX_KEYS, lines_in, step
from .scalars import MAYBE_NOT_TEXT, NULLS, plain_value

MAX_NODES = 5_000_000
MAX_MERGES = 1_000
"""Mappings that are merged (`<<`) into one."""
MAX_TOLD = 50
"""Keys set twice, and numbers that cannot be held, after which a document is read no further."""
# Aliases may repeat this many nodes, and beyond it as many as the file itself has: growth stays linear.
MAX_REPEATED = 100_000

# Possessive: what backtracks over a line would keep a state for each of sixty million empty ones.
_DIRECTIVE = re.compile(rb"\A(?:\xef\xbb\xbf)?+(?:[ \t]*+(?:#[^\n]*+)?+\r?+\n)*+%")
_GC_PAUSE_BYTES = 256 * 1024


class _Every:
    """All keys: the container of a mapping whose values are text throughout."""

    def __contains__(self, _key: object) -> bool:
        return True


ALL: Final[Container[str]] = _Every()
_NONE: Final[Container[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Shape:
    """Where plain scalars are text as written (`tier: 1` is "1"), and which lists keep their items' lines.

    text       keys of this mapping whose scalars are text (`ALL`: every one)
    text_items scalars of this list are text
    keys       shapes of the mappings and lists below a key
    values     shape of those below every other key
    items      shape of each item of this list
    keep_lines remember on which line each item of this list starts
    """

    text: Container[str] = _NONE
    text_items: bool = False
    keys: Mapping[str, Shape] = field(default_factory=dict)
    values: Shape | None = None
    items: Shape | None = None
    keep_lines: bool = False


_PLAIN: Final = Shape()
TEXT_LIST: Final = Shape(text_items=True)
TEXT_MAPPING: Final = Shape(text=ALL)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document as plain data.

    item_lines  line of each item of the list that `keep_lines` names (one such list a document)
    problems    (YAML path, message, line) of what is wrong but does not stop the reading
    """

    data: Any
    item_lines: list[int]
    problems: list[tuple[str, str, int]]


def parse_yaml(raw: bytes, *, file: str, shape: Shape = _PLAIN) -> Document:
    """Return the one document in `raw`. Raises LoadError where it is no YAML that this package reads."""
    import yaml

    _refuse_not_utf8(raw, file)
    if _DIRECTIVE.match(raw):
        line = raw[: raw.index(b"%")].count(b"\n") + 1
        raise _refusal(file, line, "YAML directives (%YAML, %TAG) are not supported; remove the line")
    parser = yaml.CSafeLoader(raw)
    builder = _Builder(parser.get_event, shape, raw)
    try:
        with paused_gc(len(raw)):
            return builder.build()
    except yaml.MarkedYAMLError as error:
        raise _refusal(file, *_plain_words(error, last=raw.count(b"\n", 0, len(raw.rstrip())))) from None
    except yaml.reader.ReaderError as error:
        line = raw[: error.position].count(b"\n") + 1 if isinstance(error.position, int) else 1
        raise _refusal(
            file, line, "holds a control character; write it as an escape in double quotes"
        ) from None
    except yaml.YAMLError as error:
        raise _refusal(file, 1, f"is not valid YAML: {one_line(str(error))}") from None
    except _Refused as refused:
        found = [Problem(file, line, where, message) for where, message, line in builder.told()]
        raise LoadError([*found, Problem(file, refused.line, "", str(refused))]) from None
    finally:
        parser.dispose()


class _Refused(Exception):
    """Stop reading at this line."""

    def __init__(self, event: Any, message: str) -> None:
        super().__init__(message)
        self.line: int = event.start_mark.line + 1


@dataclass(slots=True)
class _Frame:
    """A container that stays open while one inside it is read."""

    container: Any
    in_map: bool
    key: Any
    text: Container[Any]
    shape: Shape
    anchor: str | None
    counted: int
    merges: list[Any] | None


_MERGE: Final[Any] = object()
_UNFINISHED: Final[Any] = object()


class _Builder:
    """Turn events into data; the state of the innermost open container lives in locals of `build`."""

    def __init__(self, get_event: Callable[[], Any], shape: Shape, raw: bytes) -> None:
        self.get_event = get_event
        self.shape = shape
        self.raw = raw
        self.stack: list[_Frame] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.nodes = 0
        self.repeated = 0
        self.item_lines: list[int] = []
        self.problems: list[tuple[str, str, int]] = []
        self.twice: list[tuple[str, int]] = []

    def build(self) -> Document:
        """Return the document, or None as its data where the file holds none."""
        from yaml import DocumentStartEvent, StreamEndEvent

        self.get_event()  # the stream starts
        data: Any = None
        event = self.get_event()
        if type(event) is DocumentStartEvent:
            data = self._read_document()
            event = self.get_event()
        if type(event) is not StreamEndEvent:
            raise _Refused(event, "a second YAML document starts here; one file holds one")
        return Document(data, self.item_lines, self.told())

    def told(self) -> list[tuple[str, str, int]]:
        """Return what was found wrong so far and stops nothing."""
        if not self.twice:
            return self.problems
        lines = lines_in(self.raw, [where for where, _ in self.twice])
        twice = [
            (where, f"is set twice; line {lines.line(where)} has it first", line)
            for where, line in self.twice
        ]
        return [*self.problems, *twice]

    def _read_document(self) -> Any:
        from yaml import AliasEvent, DocumentEndEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent

        get_event, stack, anchors = self.get_event, self.stack, self.anchors
        root: list[Any] = []
        shape = Shape(items=self.shape)
        frame = _Frame(root, False, None, _NONE, shape, None, 0, None)
        container: Any = root
        text: Container[Any] = _NONE
        in_map, keep, key, nodes = False, False, None, 0
        while True:
            event = get_event()
            kind = type(event)
            if kind is ScalarEvent:
                value = event.value
                plain, quoted = event.implicit
                if in_map and key is None:
                    key = self._key_of(event, frame) if value in container or value == "<<" else intern(value)
                    continue
                nodes += 1
                if plain:
                    if key in text:
                        if value in NULLS:
                            value = None
                    elif not value or value[0] in MAYBE_NOT_TEXT:
                        value = self._plain(event, frame, key)
                elif not quoted:
                    _check_tag(event, "str")
                if event.anchor is not None:
                    anchors[event.anchor] = (value, 1)
                if keep:
                    self.item_lines.append(event.start_mark.line + 1)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if keep:
                    self.item_lines.append(event.start_mark.line + 1)
                nodes += 1
                self.nodes = nodes
                frame.key = key
                frame = self._open(event, frame, in_map=in_map, is_map=kind is MappingStartEvent)
                container, in_map, text, key = frame.container, frame.in_map, frame.text, None
                keep = frame.shape.keep_lines
                continue
            elif kind is AliasEvent:
                self.nodes = nodes
                frame.key = key
                value = self._repeat(event, frame)
                if keep:
                    self.item_lines.append(event.start_mark.line + 1)
            elif kind is DocumentEndEvent:
                return root[0]
            else:
                self.nodes = nodes
                value = self._close(frame)
                frame = stack.pop()
                container, in_map, text, key = frame.container, frame.in_map, frame.text, frame.key
                keep = frame.shape.keep_lines
            if nodes > MAX_NODES:
                raise _Refused(event, f"holds more than {MAX_NODES:,} values; split the file")
            if not in_map:
                container.append(value)
            elif len(container) >= MAX_KEYS and key is not _MERGE:
                raise _Refused(event, f"a mapping holds more than {MAX_KEYS:,} keys; make it a list")
            elif key is _MERGE:
                # Extended in place: a copy for each `<<` would take quadratic time.
                frame.merges = frame.merges or []
                frame.merges.extend(_mappings_to_merge(event, value))
                if len(frame.merges) > MAX_MERGES:
                    raise _Refused(event, f"more than {MAX_MERGES:,} mappings are merged into one")
                key = None
            else:
                container[key] = value
                key = None

    def _open(self, event: Any, frame: _Frame, *, in_map: bool, is_map: bool) -> _Frame:
        """Return the frame of the container that starts; `frame` goes on the stack."""
        if in_map and frame.key is None:
            raise _Refused(event, "a key has to be text, not a mapping or a list")
        if len(self.stack) >= MAX_DEPTH:
            raise _Refused(event, f"is nested more than {MAX_DEPTH} deep")
        if not event.implicit:
            _check_tag(event, "map" if is_map else "seq")
        self.stack.append(frame)
        inner = frame.shape.keys.get(frame.key, frame.shape.values) if in_map else frame.shape.items
        shape = inner or (_TEXT_BELOW if frame.key in frame.text and frame.text is ALL else _PLAIN)
        if event.anchor is not None:
            self.anchors[event.anchor] = (_UNFINISHED, 0)
        text = shape.text if is_map else (ALL if shape.text_items else _NONE)
        counted = self.nodes + self.repeated
        return _Frame({} if is_map else [], is_map, None, text, shape, event.anchor, counted, None)

    def _close(self, frame: _Frame) -> Any:
        """Return the finished container, merged and remembered under its anchor."""
        for mapping in frame.merges or ():
            for key, value in mapping.items():
                frame.container.setdefault(key, value)
        if frame.anchor is not None:
            self.anchors[frame.anchor] = (frame.container, self.nodes + self.repeated - frame.counted + 1)
        return frame.container

    def _repeat(self, event: Any, frame: _Frame) -> Any:
        """Return a copy of what the alias stands for, within the budget and the depth."""
        if frame.in_map and frame.key is None:
            raise _Refused(event, "a key has to be text, not an alias")
        value, size = self.anchors.get(event.anchor, (_UNFINISHED, -1))
        if size < 0:
            raise _Refused(event, f"alias *{one_line(event.anchor, 40)} names no anchor above it")
        if value is _UNFINISHED:
            raise _Refused(event, f"alias *{one_line(event.anchor, 40)} stands inside its own anchor")
        self.repeated += size
        if self.repeated > MAX_REPEATED + self.nodes:
            raise _Refused(event, "aliases repeat too much (an alias bomb?); write the values out")
        return _copied(event, value, MAX_DEPTH - len(self.stack))

    def _key_of(self, event: Any, frame: _Frame) -> Any:
        """Return the key of a scalar that is a merge key or stands in the mapping already."""
        if event.value == "<<" and event.implicit[0]:
            return _MERGE
        if event.value in frame.container:
            if len(self.twice) == MAX_TOLD:
                raise _Refused(event, f"{MAX_TOLD} keys above are set twice; mend them first")
            self.twice.append((self._path(frame, event.value), event.start_mark.line + 1))
        return event.value

    def _plain(self, event: Any, frame: _Frame, key: Any) -> Any:
        try:
            return plain_value(event.value)
        except ValueError as error:
            if len(self.problems) == MAX_TOLD:
                raise _Refused(event, f"{MAX_TOLD} numbers above cannot be held; mend them first") from None
            where = self._path(frame, "<<" if key is _MERGE else key)
            self.problems.append((where, str(error), event.start_mark.line + 1))
            return None

    def _path(self, frame: _Frame, key: str | None) -> str:
        """Return the YAML path of `key` (or of the next item) in the container of `frame`."""
        where = ""
        for outer in self.stack[1:]:
            inner = "<<" if outer.key is _MERGE else outer.key
            where = step(where, inner if outer.in_map else len(outer.container))
        if not self.stack:
            return where
        return step(where, key if frame.in_map and key is not None else len(frame.container))


_TEXT_BELOW: Final = Shape(text=ALL, text_items=True)


def _mappings_to_merge(event: Any, value: Any) -> list[Any]:
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(mapping, dict) for mapping in found):
        raise _Refused(event, "a merge key (<<) takes a mapping or a list of mappings")
    return found


def _copied(event: Any, value: Any, room: int) -> Any:
    """Return a deep copy that is no deeper than `room` containers: repeated values are never shared."""
    if not isinstance(value, dict | list):
        return value
    if room <= 0:
        raise _Refused(event, f"is nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict):
        return {key: _copied(event, inner, room - 1) for key, inner in value.items()}
    return [_copied(event, inner, room - 1) for inner in value]


def _check_tag(event: Any, allowed: str) -> None:
    if event.tag not in (None, "!", f"tag:yaml.org,2002:{allowed}"):
        tag = one_line(event.tag.replace("tag:yaml.org,2002:", "!!"), 60)
        raise _Refused(event, f"the tag {tag} is not supported; remove it")


def _refusal(file: str, line: int, message: str) -> LoadError:
    return LoadError([Problem(file, line, "", message)])


def _refuse_not_utf8(raw: bytes, file: str) -> None:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        message = f"is not UTF-8 (byte 0x{raw[error.start]:02x}); save the file as UTF-8"
        raise _refusal(file, line, message) from None


_HINTS: Final = (
    (
        "cannot start any token",
        "a tab or a reserved character (@, `, %) starts a value; quote it, indent with spaces",
    ),
    (
        "mapping values are not allowed",
        "a ': ' stands inside unquoted text or the indentation is off; quote the text",
    ),
    ("did not find expected key", "the indentation is off, or a quote or bracket does not match"),
    ("did not find expected '-'", "the indentation of this list is off"),
    ("did not find expected ',' or", "a bracket is not closed, or a comma is missing"),
    ("unexpected end of stream", "a quote or bracket is never closed"),
    ("could not find expected ':'", "a ':' is missing after this key"),
    ("did not find expected alphabetic", "an & or * starts a value; quote it"),
    ("did not find expected node content", "a value is missing here"),
    ("escape", "an unknown escape inside double quotes; write \\\\ for a backslash"),
)


def _plain_words(error: Any, *, last: int) -> tuple[int, str]:
    """Return line (from 1) and message of a syntax error; `last` is the last line that is not empty."""
    mark, opened = error.problem_mark or error.context_mark, error.context_mark
    line = min(mark.line, last) if mark else 0
    said = one_line(str(error.problem or error.context or "cannot be parsed"), 120)
    if "found a tab character" in said or ("cannot start any token" in said and "\\t" in said):
        return line + 1, "is not valid YAML: a tab stands where only spaces may; indent with spaces"
    hint = next((hint for sign, hint in _HINTS if sign in said), said)
    context = str(error.context)
    if opened is not None and opened.line < line and ("flow" in context or "quoted" in context):
        hint += f" (what is open starts in line {opened.line + 1})"
    return line + 1, f"is not valid YAML: {hint}"


@contextmanager
def paused_gc(size: int) -> Iterator[None]:
    """Keep the collector out while a large file grows millions of live objects it could only walk in vain."""
    pause = size > _GC_PAUSE_BYTES and gc.isenabled()
    if pause:
        gc.disable()
    try:
        yield
    finally:
        if pause:
            gc.enable()
