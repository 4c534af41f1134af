"""What waits to be sent and what arrived, as records of the history: `outbox/<id>` and `deliveries/<id>`.

A notification is in the outbox before it is sent and in the log after. What is in the outbox and not in the
log waits. A process that dies between sending and logging sends again at the next run, with the same key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from pydantic import ValidationError

from ...adapters.history.locks import locked
from ...decide.notices import Deliveries
from ...errors import StoreError
from ...model.frozen import Frozen
from ...model.ticket import Delivery, Notification

OUTBOX: Final = "outbox"
LOG: Final = "deliveries"
LONGEST_WAIT: Final = timedelta(days=7)
"""What could not be delivered for so long is news to nobody."""
CLAIM: Final = timedelta(minutes=10)
"""Then whoever claimed it is taken for dead, and another run sends it."""
_WAIT_S: Final = 120.0


class Records(Protocol):
    """The part of a history that this needs."""

    def records(self, kind: str) -> dict[str, Any]: ...

    def write_record(self, kind: str, name: str, data: Any) -> None: ...

    def sync(self) -> None: ...


class Waiting(Frozen):
    """A notification that is to be sent.

    dropped  why it is not to be sent any more
    claims   which runs of a workflow are about to send it, and since when
    """

    notification: Notification
    since: str
    tries: int = 0
    error: str = ""
    dropped: str = ""
    claims: dict[str, str] = {}


@dataclass(slots=True)
class Outbox:
    """The outbox and the log of one history, as they were read, and as they are written."""

    history: Records
    log: dict[str, Delivery]
    waiting: dict[str, Waiting]

    @classmethod
    def of(cls, history: Records) -> Outbox:
        """Read both; a record that is none of ours is passed over."""
        log = _read(history.records(LOG), Delivery)
        waiting = _read(history.records(OUTBOX), Waiting)
        left = {w.notification.id: w for w in waiting if not w.dropped}
        known = {one.id: one for one in log}
        return cls(history, known, {id: w for id, w in left.items() if id not in known})

    @property
    def deliveries(self) -> Deliveries:
        return Deliveries(self.log, tuple(one.notification for one in self.waiting.values()))

    def put(self, notification: Notification, *, now: datetime) -> None:
        """Write down that it is to be sent."""
        before = self.waiting.get(notification.id)
        since = before.since if before is not None else now.isoformat()
        tries = before.tries if before is not None else 0
        self._write(Waiting(notification=notification, since=since, tries=tries))

    def claim(self, id: str, *, by: str, now: datetime) -> None:
        """Write down that a run is about to send it."""
        before = self.waiting[id]
        self._write(before.model_copy(update={"claims": {**before.claims, by: now.isoformat()}}))

    def leave(self, id: str, *, by: str) -> None:
        """Take a claim back: another run has it."""
        before = self.waiting[id]
        left = {run: at for run, at in before.claims.items() if run != by}
        self._write(before.model_copy(update={"claims": left}))

    def read_again(self) -> None:
        """Read what others wrote meanwhile."""
        fresh = Outbox.of(self.history)
        self.log = fresh.log
        both = {**self.waiting, **fresh.waiting}
        self.waiting = {id: one for id, one in both.items() if id not in self.log}

    def is_claimed(self, id: str, *, by: str, now: datetime) -> bool:
        """Tell whether another run is sending it at this moment.

        Whoever shares its claim first sees no other one, and sends; all who come later see that one.
        """
        claims = self.waiting[id].claims if id in self.waiting else {}
        return any(other != by and _age(at, now) < CLAIM for other, at in claims.items())

    def failed(self, notification: Notification, error: str) -> None:
        """Write down that it was tried in vain."""
        before = self.waiting[notification.id]
        self._write(before.model_copy(update={"tries": before.tries + 1, "error": error}))

    def drop(self, id: str, why: str) -> None:
        """Let go of it: it would tell nobody anything any more."""
        self._write(self.waiting[id].model_copy(update={"dropped": why}))
        del self.waiting[id]

    def arrived(self, notification: Notification, reference: str, *, now: datetime) -> None:
        """Write down that the receiver took it."""
        shared = {name: getattr(notification, name) for name in _SHARED}
        delivery = Delivery.model_validate(
            {**shared, "at": now.astimezone(UTC).isoformat(), "reference": reference[:200]}
        )
        self.history.write_record(LOG, delivery.id, delivery.model_dump(mode="json"))
        self.log[delivery.id] = delivery
        self.waiting.pop(delivery.id, None)

    def stale(self, now: datetime) -> list[str]:
        """Return the ids of what has waited too long."""
        return [id for id, one in self.waiting.items() if _age(one.since, now) > LONGEST_WAIT]

    def _write(self, waiting: Waiting) -> None:
        id = waiting.notification.id
        self.history.write_record(OUTBOX, id, waiting.model_dump(mode="json"))
        self.waiting[id] = waiting


@contextmanager
def one_at_a_time(history: Records) -> Iterator[None]:
    """Let one process of this machine deliver at a time: the next one finds the log of the first.

    One that hangs is not waited for without end: a page twice is better than none.
    """
    folder = getattr(history, "path", None)
    with ExitStack() as held:
        if isinstance(folder, Path):
            with suppress(StoreError, OSError):
                held.enter_context(locked(folder / ".delivering.lock", wait_s=_WAIT_S))
        yield


_Record = TypeVar("_Record", bound=Frozen)
_SHARED: Final = ("id", "key", "channel", "action", "tier", "evalset", "evalsets", "title", "day")


def _age(since: str, now: datetime) -> timedelta:
    try:
        return now - datetime.fromisoformat(since)
    except (ValueError, TypeError):
        return LONGEST_WAIT + timedelta(seconds=1)


def _read(records: Mapping[str, Any], model: type[_Record]) -> list[_Record]:
    found = []
    for data in records.values():
        try:
            found.append(model.model_validate(data))
        except ValidationError:
            continue
    return found
