"""Recorded answers of the network: one JSONL file for an evalset, a line for each (request, epoch).

An entry is found by a digest of what was asked and the epoch: a second epoch never gets the first one's
recording, and a changed prompt, model or parameter finds none. Neither keys nor headers are part of it.
While recording, answers go to a hidden part file of this process as they arrive; `close()` merges it into
the sorted file. A part that a killed process left behind is read, and merged by the next recording.
"""

from __future__ import annotations

import base64
import hashlib
import json as jsonlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Literal, Protocol

from ..errors import CassetteMiss, UsageError
from ..model.frozen import canonical_json
from ..protocols import Inspect, Method, Reply, Wire
from .text import one_line

Mode = Literal["record", "replay"]
_KEPT_HEADERS = ("content-type",)


class Redacts(Protocol):
    """What takes secrets out of what is stored."""

    def text(self, text: str) -> str: ...

    def json(self, value: Any) -> Any: ...


def open_cassettes(
    wire: Wire,
    *,
    mode: Mode,
    folder: Path,
    evalset: str,
    redact: Redacts | Callable[[], Redacts],
    today: date | None = None,
) -> CassetteWire:
    """Return `wire` behind the cassette `<folder>/<evalset>.jsonl`; nothing is read or written yet.

    `redact` takes secrets out of what is written (a function is asked for it when the first recording is).
    `today` is the UTC day written into recordings (default: the system's).
    """
    return CassetteWire(wire, mode=mode, file=cassette_file(folder, evalset), redact=redact, today=today)


def cassette_file(folder: Path, evalset: str) -> Path:
    """Return where the cassette of an evalset is."""
    return folder / (re.sub(r"[^\w.@-]+", "-", evalset).lstrip(".") + ".jsonl")


class CassetteWire:
    """Answer from recordings (`replay`, never a network) or record what the wire behind answers (`record`).

    What a server refused (status 400 and above) is not recorded.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        mode: Mode,
        file: Path,
        redact: Redacts | Callable[[], Redacts],
        today: date | None = None,
    ) -> None:
        self.mode: Mode = mode
        self.file = file
        self.recorded = 0
        self._wire, self._today = wire, today
        self._given_redact = redact
        self._entries: dict[str, dict[str, Any]] | None = None
        self._part: _Part | None = None

    async def send(
        self,
        method: Method,
        url: str,
        *,
        headers: Mapping[str, str],
        json: Any,
        asked: Mapping[str, Any],
        epoch: int,
        provider: str = "",
        timeout_s: float = 60.0,
        max_attempts: int = 4,
        inspect: Inspect | None = None,
    ) -> Reply:
        """Answer, or raise CassetteMiss where replay has no recording."""
        if self.mode == "replay":
            return self.recall(asked, epoch=epoch)
        reply = await self._wire.send(
            method,
            url,
            headers=headers,
            json=json,
            asked=asked,
            epoch=epoch,
            provider=provider,
            timeout_s=timeout_s,
            max_attempts=max_attempts,
            inspect=inspect,
        )
        if reply.status < 400:
            self.keep(asked, epoch=epoch, reply=reply)
        return reply

    async def close(self) -> None:
        """Merge what was recorded into the file, and close the wire behind."""
        part, self._part = self._part, None
        try:
            if part is not None:
                part.close()
                _merge(self.file)
        finally:
            await self._wire.close()

    def recall(self, asked: Mapping[str, Any], *, epoch: int) -> Reply:
        """Return the recording of this request and epoch; CassetteMiss where there is none."""
        if self._entries is None:
            self._entries = {entry["key"]: entry for entry in _all_entries(self.file)}
        entry = self._entries.get(_key(asked, epoch))
        if entry is None:
            raise CassetteMiss(
                f"no recording for {question_of(asked, limit=60)!r} epoch {epoch} in {self.file.name}; "
                "record with: pytest --aioncall --aioncall-record"
            )
        return _reply_of(entry)

    def keep(self, asked: Mapping[str, Any], *, epoch: int, reply: Reply) -> None:
        """Write a recording; it is on disk when this returns."""
        if self._part is None:
            self._part = _Part(self.file)
        digest = hashlib.sha256(canonical_json(asked).encode("utf-8", "surrogatepass")).hexdigest()
        entry: dict[str, Any] = {
            "format": 1,
            "key": _key(asked, epoch),
            "epoch": epoch,
            "question": self._redact.text(question_of(asked, limit=160)),
            "asked_sha256": digest,
            "status": reply.status,
            "headers": {k: reply.headers[k] for k in _KEPT_HEADERS if k in reply.headers},
            **self._body(reply.body),
            "latency_s": round(reply.latency_s, 4),
            "recorded_at": (self._today or datetime.now(UTC).date()).isoformat(),
        }
        self._part.write(entry)
        self.recorded += 1

    @cached_property
    def _redact(self) -> Redacts:
        given = self._given_redact
        return given() if callable(given) else given

    def _body(self, body: bytes) -> dict[str, Any]:
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(body).decode("ascii")}
        try:
            return {"json": self._redact.json(jsonlib.loads(text))}
        except ValueError:
            return {"text": self._redact.text(text)}


def question_of(asked: Mapping[str, Any], *, limit: int) -> str:
    """Return a short line by which a person finds a request again: the last message, or the input."""
    messages = asked.get("messages")
    said: Any = asked
    if isinstance(messages, list) and messages and isinstance(messages[-1], Mapping):
        said = messages[-1].get("content")
    else:
        for name in ("input", "json", "question"):
            if asked.get(name):
                said = asked[name]
                break
    return one_line(said if isinstance(said, str) else canonical_json(said), limit)


def _key(asked: Mapping[str, Any], epoch: int) -> str:
    text = canonical_json({"asked": asked, "epoch": epoch})
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _reply_of(entry: Mapping[str, Any]) -> Reply:
    if "json" in entry:
        body = jsonlib.dumps(entry["json"], ensure_ascii=False).encode("utf-8", "surrogatepass")
    elif "text" in entry:
        body = str(entry["text"]).encode("utf-8", "surrogatepass")
    else:
        body = base64.b64decode(entry.get("base64", ""))
    return Reply(
        status=int(entry["status"]),
        headers=dict(entry.get("headers") or {}),
        body=body,
        latency_s=float(entry.get("latency_s") or 0.0),
        replayed=str(entry["recorded_at"]),
    )


def _line(entry: Mapping[str, Any]) -> str:
    # ASCII: an answer may hold lone surrogates, or line separators that split lines in an editor.
    return jsonlib.dumps(entry, separators=(", ", ": ")) + "\n"


def _all_entries(file: Path) -> Iterator[dict[str, Any]]:
    """Return the entries of a cassette, then those of parts not yet merged."""
    for path in (file, *_parts_of(file)):
        yield from _entries_of(path)


def _parts_of(file: Path) -> list[Path]:
    return sorted(
        file.parent.glob(f".{file.name}.*.part"), key=lambda path: (path.stat().st_mtime, path.name)
    )


def _entries_of(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = jsonlib.loads(line)
            if entry["format"] != 1:
                raise UsageError(f"{path}:{number}: format {entry['format']!r}; this version reads format 1")
            if not all(isinstance(entry[name], str) for name in ("key", "recorded_at")):
                raise ValueError
            int(entry["status"])
        except (ValueError, KeyError, TypeError):
            if number == len(lines):  # the last line of a process that was killed while it wrote
                return
            hint = (
                "take both sides of the merge"
                if line[:7] in ("<<<<<<<", "=======", ">>>>>>>")
                else "record again"
            )
            raise UsageError(f"{path}:{number}: is no cassette entry; {hint}") from None
        yield entry


class _Part:
    """The recordings of this process until they are merged; locked as long as it lives."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        name = f".{file.name}.{os.getpid()}-{os.urandom(4).hex()}.part"
        self._stream: IO[str] = (file.parent / name).open("a", encoding="utf-8", newline="\n")
        _try_lock(self._stream)

    def write(self, entry: Mapping[str, Any]) -> None:
        self._stream.write(_line(entry))
        self._stream.flush()

    def close(self) -> None:
        self._stream.close()


def _merge(file: Path) -> None:
    """Put the parts of processes that are done into the file, sorted by key; the newest recording wins."""
    with _locked_folder(file.parent):
        entries = {entry["key"]: entry for entry in _entries_of(file)}
        merged: list[Path] = []
        for part in _parts_of(file):
            with part.open("a", encoding="utf-8") as stream:
                if not _try_lock(stream):
                    continue  # a process that is still recording: it merges its own
                for entry in _entries_of(part):
                    entries[entry["key"]] = _settled(entry, before=entries.get(entry["key"]))
            merged.append(part)
        partial = file.with_name(f".{file.name}.partial")
        with partial.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(_line(entries[key]) for key in sorted(entries))
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)
        for part in merged:
            part.unlink(missing_ok=True)


def _settled(entry: dict[str, Any], *, before: dict[str, Any] | None) -> dict[str, Any]:
    """Return the recording that stands: the one before, of today, where only its time and id differ."""
    if before is None or _answer_in(entry) != _answer_in(before):
        return entry
    return {**before, "recorded_at": entry["recorded_at"]}


def _answer_in(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry without what differs between two recordings of one answer."""
    answer = {name: value for name, value in entry.items() if name not in ("latency_s", "recorded_at")}
    if isinstance(answer.get("json"), dict):
        answer["json"] = {k: v for k, v in answer["json"].items() if k not in ("id", "created", "latency_s")}
    return answer


@contextmanager
def _locked_folder(folder: Path) -> Iterator[None]:
    """Let one process merge at a time. Where the system has no such lock, the caller has to."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _try_lock(stream: IO[str]) -> bool:
    """Lock an open file until it is closed; tell whether nobody else has."""
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
