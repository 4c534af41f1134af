"""The seams. Each is a Protocol of one or two methods; `testing.py` has a contract suite for each.

A *piece* (target or scorer) is made by a factory whose arguments YAML gives: `contains: {ignore_case: true}`
calls `contains(ignore_case=True)`. A factory that has a keyword-only parameter named `context` is given a
`PieceContext`; YAML cannot set it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from .model.config import Config
from .model.evalset import Case
from .model.sample import Output, Sample, Score

if TYPE_CHECKING:
    from .model.ticket import Note, Notification, Ticket


@runtime_checkable
class Target(Protocol):
    """The system under test.

    Raises TransportError where no answer arrived, CassetteMiss where replay has none, TargetError where the
    answer is no output; anything else that it raises is the user's own exception.
    `fingerprint` says what of the subject it holds (model id, prompt digest, ...), in JSON types.
    """

    async def answer(self, case: Case, *, epoch: int) -> Output: ...

    def fingerprint(self) -> Mapping[str, Any]: ...


@runtime_checkable
class Lifecycle(Protocol):
    """What a target may have besides: entered once on the engine's loop before the first case."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...


@runtime_checkable
class Rehearsing(Protocol):
    """What a target of templates may have besides: a try of them while the evalset is loaded.

    `rehearse` puts a case into what would be sent, sends nothing, and raises UsageError where that cannot
    be done. It is called once for all cases whose inputs have the same keys.
    """

    def rehearse(self, case: Case) -> None: ...


@runtime_checkable
class Scorer(Protocol):
    """Judge one sample. `scorer` in the Score returned is filled in by the engine.

    Raises ScorerError (or anything else) where it cannot score: an error on the sample, never a score.
    """

    async def score(self, case: Case, output: Output, *, epoch: int) -> Score: ...


@dataclass(frozen=True, slots=True)
class ScorerTraits:
    """What the engine, the gate and `check` have to know of a scorer before it runs.

    scale          (lowest, highest) of its values; higher is better
    deterministic  same case and output, same score, no network: may stand in `must`
    needs_expected does not apply to a case without `expected`
    fingerprint    JSON types; what else decides its scores (judge model, digest of the rubric)
    parts          names for people of what the fingerprint folds into one digest ("rubric text": digest)
    models         provider/model-ids it calls, for prices and for the check on floating ids
    """

    scale: tuple[float, float] = (0.0, 1.0)
    deterministic: bool = True
    needs_expected: bool = False
    fingerprint: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)


class DescribedScorer(Scorer, Protocol):
    """A scorer that says its traits. A scorer without `traits` is taken as deterministic, on 0-1."""

    @property
    def traits(self) -> ScorerTraits: ...


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. `latency_s` is of the last attempt; `replayed` the day of its recording."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    latency_s: float
    attempts: int = 1
    replayed: str | None = None


Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
KEYLESS_MODES = frozenset({"replay", "check", "fallback", "extend"})
"""What a wire's `mode` says where a key may be missing: nobody is asked, or only for what is not recorded."""
Inspect = Callable[[Reply], object]


class Wire(Protocol):
    """The one way out to the network, with retries, limits, redaction and cassettes behind it.

    `asked` is what identifies the call in a cassette (no key, no address of a key): JSON types. `epoch` keeps
    repeats distinct. Raises TransportError, or CassetteMiss under replay.

    `inspect` reads each reply before it is kept: where it raises TransportError no answer arrived (a body cut
    off, a gateway's page with status 200), so the call is tried again as after a broken connection, and such
    a reply is never recorded. Whatever else it raises ends the call.
    """

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
    ) -> Reply: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class PieceContext:
    """What a factory may need of its surroundings.

    root         the project root (folder of `aioncall.yaml`); relative paths in YAML start here
    folder       folder of the evalset file; a path that is not under root is tried here too
    evalset      name of the evalset
    config       the merged configuration
    secrets      value of each environment variable that the configuration names (only those)
    wire         the network seam
    concurrency  how many samples run at once (size of the thread pool of sync targets)
    transport    extra exception types, as import strings, that count as transport (`errors.transport`)
    """

    root: Path
    folder: Path
    evalset: str
    config: Config
    secrets: Mapping[str, str] = field(repr=False)
    wire: Wire
    concurrency: int = 16
    transport: tuple[str, ...] = ()


class Store(Protocol):
    """Keeps the samples of one run; a sample that `append` returned for is on disk."""

    def append(self, samples: Sequence[Sample]) -> None: ...

    def close(self) -> None: ...


class Tracker(Protocol):
    """An issue tracker. Every call raises DeliveryError where the tracker does not do it.

    tickets  those under a label: all open ones, and those closed since `closed_since` (RFC 3339); by listing,
             never by a search index, which lags
    notes    comments of one ticket, oldest first
    open_ticket, add_note  are sent once: a reply that was lost is DeliveryError with `unknown` set, and the
             caller looks before it tries again
    change   replaces what is given and leaves the rest
    """

    actor: str

    def tickets(self, *, label: str, closed_since: str | None = None) -> list[Ticket]: ...

    def notes(self, number: int) -> list[Note]: ...

    def open_ticket(
        self, *, title: str, body: str, labels: Sequence[str], assignees: Sequence[str] = ()
    ) -> Ticket: ...

    def add_note(self, number: int, body: str) -> Note: ...

    def change(
        self,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        state: Literal["open", "closed"] | None = None,
        state_reason: Literal["completed", "not_planned", "reopened"] | None = None,
        assignees: Sequence[str] | None = None,
    ) -> Ticket: ...


class Notifier(Protocol):
    """Delivers to people. `send` returns what the other side calls the delivery, "" where it gives no name.

    It may be called twice with one notification (at least once): `notification.key` lets the receiver tell.
    Raises DeliveryError where the delivery failed or is not known to have happened.
    """

    def send(self, notification: Notification) -> str: ...


class Calls(Protocol):
    """The network seam of commands: one call after the other, each waited for.

    Returns every answer that is one, refusals (4xx) too. Raises DeliveryError where none came: `unknown`
    where the call may have been done. `repeatable`: sent twice it does what it does sent once; unless told,
    all but POST are. `secrets`, and every value of the headers, are never in a message.
    """

    def call(
        self,
        method: Method,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        secrets: Iterable[str] = (),
        repeatable: bool | None = None,
        timeout_s: float = 20.0,
        tries: int = 4,
    ) -> Reply: ...


@dataclass(frozen=True, slots=True)
class NotifierContext:
    """What a factory of a notifier may need of its surroundings: its keyword-only parameter `context`.

    name     of the entry in `notifiers`, for messages
    root     the project root; relative paths start here
    secrets  value of each environment variable that the configuration names and that is set
    calls    the network seam
    project  what this is about, for receivers of many projects: `owner/name`, else the root's name
    now      the clock
    """

    name: str
    root: Path
    secrets: Mapping[str, str] = field(repr=False)
    calls: Calls
    project: str
    now: Callable[[], datetime]
