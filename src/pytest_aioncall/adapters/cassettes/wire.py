"""The network seam with recordings before it."""

from __future__ import annotations

import asyncio
import json as jsonlib
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from ...errors import CassetteMiss, StoreError, UsageError
from ...protocols import Inspect, Method, Reply, Wire
from .entries import Redacts, entry_of, is_withheld, is_worth_keeping, key_of, question_of, reply_in
from .index import Index
from .parts import Part, merge, parts_of

Mode = Literal["record", "replay", "fallback", "extend"]
"""record    ask, and keep what is answered; what was recorded before is not looked at
replay    answer from recordings only
fallback  answer from recordings, ask for what is missing, keep nothing
extend    answer from recordings, ask for what is missing, and keep that
"""


@dataclass(slots=True)
class Seen:
    """What was asked while somebody only looked: keys with a recording, and calls without, by provider."""

    used: set[str] = field(default_factory=set)
    missing: Counter[str] = field(default_factory=Counter)


class CassetteWire:
    """Answer from recordings, or keep what the wire behind answers, by `mode`.

    What a server refused (status 400 and above), and a model's reply without an answer in it, is not kept.
    `needs_key` names the environment variable that a live call to a provider lacks, '' where it lacks none;
    it is asked in the modes `fallback` and `extend`, which need no key as long as everything is recorded.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        mode: Mode,
        file: Path,
        redact: Redacts | Callable[[], Redacts],
        today: date | None = None,
        needs_key: Callable[[str], str] = lambda _provider: "",
    ) -> None:
        self.mode: Mode = mode
        self.file = file
        self.used: set[str] = set()
        self._wire, self._today, self._needs_key = wire, today, needs_key
        self._given_redact = redact
        self._index: Index | None = None
        self._part: Part | None = None
        self._seen: Seen | None = None
        self._unwritten: list[OSError] = []
        self._under_way: dict[str, tuple[asyncio.Lock, list[None]]] = {}

    @property
    def recalls(self) -> bool:
        """Whether recordings are looked at before anybody is asked."""
        return self.mode != "record" or self._seen is not None

    @property
    def asks(self) -> bool:
        """Whether somebody is asked for what is not recorded."""
        return self.mode != "replay" and self._seen is None

    @property
    def keeps(self) -> bool:
        """Whether answers are recorded."""
        return self.mode in ("record", "extend")

    @property
    def recorded(self) -> int:
        """How many answers this process has recorded since the last `close`."""
        return len(self._part) if self._part is not None else 0

    @property
    def index(self) -> Index:
        """The recordings there are; UsageError names a damaged line. Read once."""
        if self._index is None:
            self._index = Index([self.file], torn=parts_of(self.file))
        return self._index

    def check(self) -> None:
        """Look through the recordings; raises UsageError with file and line of a damaged one.

        Also where answers are to be kept and cannot be: what is paid for should not be lost.
        """
        if self.keeps:
            place = next(one for one in self.file.parents if one.exists())
            if not (place.is_dir() and os.access(place, os.W_OK)):
                raise UsageError(f"{place}: cannot be written to, so no answer could be recorded")
        found = self.index
        if not self.recalls:
            found.close()
            self._index = None

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
        """Answer, or raise CassetteMiss where there is no recording and nobody is to be asked."""
        if self.recalls:
            try:
                return self.recall(asked, epoch=epoch, provider=provider)
            except CassetteMiss as miss:
                if not self.asks:
                    raise
                lacking = self._needs_key(provider)
                if lacking:
                    raise CassetteMiss(f"{miss}; to ask for it, set {lacking}") from None

        async def ask() -> Reply:
            return await self._wire.send(
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

        if not self.keeps:
            return await ask()
        async with self._alone(key_of(asked, epoch)) as key:
            self.used.add(key)
            if (before := self._just_recorded(key)) is not None:
                return before
            reply = await ask()
            if is_worth_keeping(reply):
                if inspect is not None:
                    inspect(reply)  # not every wire does, and what is no answer is no recording
                self.keep(asked, epoch=epoch, reply=reply)
            return reply

    async def close(self) -> None:
        """Merge what was recorded into the file, and close the wire behind.

        Raises StoreError where answers could not be recorded, OSError where they cannot be merged; what is
        in a part then stays there.
        """
        part, self._part = self._part, None
        if self._index is not None:
            self._index.close()
            self._index = None
        try:
            if part is not None:
                part.close()
                merge(self.file)
            if self._unwritten:
                number, why = len(self._unwritten), self._unwritten[0].strerror
                self._unwritten.clear()
                answers = "1 answer" if number == 1 else f"{number} answers"
                raise StoreError(f"{self.file}: {answers} could not be recorded: {why}")
        finally:
            await self._wire.close()

    def recall(self, asked: Mapping[str, Any], *, epoch: int, provider: str = "") -> Reply:
        """Return the recording of this request and epoch; CassetteMiss where there is none."""
        key = key_of(asked, epoch)
        found = self._just_recorded(key)
        if found is None and key in self.index:
            try:
                found = reply_in(self.index.entry(key))
            except UsageError as error:
                raise CassetteMiss(str(error)) from None
            except (ValueError, KeyError, TypeError):
                raise CassetteMiss(
                    f"the recording {key} in {self.file} holds no reply; delete its line, then record again"
                ) from None
        if self._seen is not None:
            if found is None:
                self._seen.missing[provider] += 1
            else:
                self._seen.used.add(key)
        if found is None:
            raise CassetteMiss(
                f"no recording for {question_of(asked, limit=60)!r} epoch {epoch} in {self.file.name}; "
                "record what is missing with: pytest --aioncall --aioncall-replay --aioncall-record"
            )
        self.used.add(key)
        return found

    def keep(self, asked: Mapping[str, Any], *, epoch: int, reply: Reply) -> None:
        """Write a recording; it is the operating system's when this returns.

        Where it cannot be written the answer stands all the same, and `close` tells.
        """
        day = (self._today or datetime.now(UTC).date()).isoformat()
        entry = entry_of(asked, epoch=epoch, reply=reply, redact=self._redact, day=day)
        if is_withheld(entry):
            # A replay would take what stands in the answer's place for the answer. So it is a miss, and seen.
            return
        self.used.add(entry["key"])
        try:
            if self._part is None:
                self._part = Part(self.file)
            self._part.write(entry)
        except OSError as error:
            self._unwritten.append(error)

    @contextmanager
    def looking(self) -> Iterator[Seen]:
        """Only look: inside, recordings answer, everything else is a miss, and both are noted."""
        seen, used = Seen(), self.used
        self._seen, self.used = seen, set()
        try:
            yield seen
        finally:
            self._seen, self.used = None, used

    @asynccontextmanager
    async def _alone(self, key: str) -> AsyncIterator[str]:
        """Let one at a time ask one question: what is asked twice in a run is asked once, and kept once.

        Else the second answer would take the place of the first, and a replay could not say what was said.
        """
        lock, waiting = self._under_way.setdefault(key, (asyncio.Lock(), []))
        waiting.append(None)
        try:
            async with lock:
                yield key
        finally:
            waiting.pop()
            if not waiting:
                self._under_way.pop(key, None)

    def _just_recorded(self, key: str) -> Reply | None:
        line = self._part.line(key) if self._part is not None else None
        return None if line is None else reply_in(jsonlib.loads(line))

    @cached_property
    def _redact(self) -> Redacts:
        given = self._given_redact
        return given() if callable(given) else given
