"""Send what is planned and what waits, write down what arrived, and say who could not be reached."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ...adapters.redaction import Redactor
from ...adapters.text import many_lines, one_line
from ...errors import DeliveryError, StoreError
from ...model.ticket import Notification
from ...protocols import Calls
from ...settings import Settings
from .channels import Channels, calls_somebody, notifiers_for, now_of, stand_ins
from .outbox import Outbox, Records, one_at_a_time

LONGEST_LINE, LONGEST_TEXT, LONGEST_DETAIL = 300, 4000, 500
_ORDER: Final = {"trigger": 0, "acknowledge": 1, "resolve": 2, "update": 3, "change": 4}
_DONE: Final = {
    "trigger": "told", "acknowledge": "told of the acknowledgement", "resolve": "told that it is over",
    "update": "told that it goes on", "change": "told of a change",
}  # fmt: skip


@dataclass(slots=True)
class Delivered:
    """What became of a run's notifications. `lines` are for people, one each, safe to print.

    unreached  titles of pages of tier 1 that nobody was told of
    missed     what channels could not be told of other pages of tier 1, a sentence each; it waits
    """

    sent: list[Notification] = field(default_factory=list)
    failed: list[tuple[Notification, DeliveryError]] = field(default_factory=list)
    dropped: list[Notification] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


class NobodyReached(DeliveryError):
    """Tell that a page reached nobody; everything else was done (exit 7). `delivered` says what."""

    def __init__(self, message: str, delivered: Delivered) -> None:
        self.delivered = delivered
        super().__init__(message)


def deliver(
    notifications: Sequence[Notification],
    *,
    settings: Settings,
    history: Records,
    reached: Container[str] = frozenset(),
    over: Container[str] = frozenset(),
    calls: Calls | None = None,
) -> Delivered:
    """Send notifications, and what waits from earlier runs; the log is written and shared at the end.

    `reached` are keys that somebody is told of otherwise, by an issue; `over` keys that are over, so that a
    page that waits for them is dropped. A page of tier 1 that a channel did not take is in `missed`, whoever
    else took it. Raises NobodyReached at the end where one has reached nobody, and StoreError where the log
    could not be shared: both after everything else was done.
    """
    with one_at_a_time(history):
        return deliver_alone(
            notifications, settings=settings, history=history, reached=reached, over=over, calls=calls
        )


def deliver_alone(
    notifications: Sequence[Notification],
    *,
    settings: Settings,
    history: Records,
    reached: Container[str],
    over: Container[str],
    calls: Calls | None,
) -> Delivered:
    """Do what `deliver` says, for who has seen to it already that no other process of this machine does."""
    outbox = Outbox.of(history)
    redactor = Redactor(settings.secrets.values(), settings.config.redact)
    post = _Post(outbox, Channels(settings, calls=calls), settings, redactor, Delivered())
    try:
        todo = post.collect([_clean(one, redactor) for one in notifications], over=over)
        todo = post.claimed(todo)
        for notification in todo:
            post.send(notification)
        nobody = post.take_over(todo, reached=reached)
        post.note_missed(one for one in todo if one.key not in nobody)
    finally:
        post.channels.close()
    lost = _shared(history) if post.told.lines else None
    if post.told.unreached:
        names = "; ".join(one_line(title, 120) for title in post.told.unreached)
        why = "; ".join(dict.fromkeys(str(error) for _, error in post.told.failed))
        more = f" ({lost})" if lost is not None else ""
        raise NobodyReached(
            f"a page reached nobody: {names}: {redactor.text(why)}{more}; it waits in the outbox, and the "
            "next run tries again",
            post.told,
        )
    if lost is not None:
        raise lost
    return post.told


@dataclass(slots=True)
class _Post:
    """One round of sending."""

    outbox: Outbox
    channels: Channels
    settings: Settings
    redactor: Redactor
    told: Delivered

    def collect(self, fresh: Sequence[Notification], *, over: Container[str]) -> list[Notification]:
        """Return what is to be sent, in order; let go of what is too old, over, or said better by another."""
        now = now_of(self.settings)
        for id in self.outbox.stale(now):
            self._drop(id, "waited for too long")
        wanted = {one.id: one for one in fresh if one.id not in self.outbox.log}
        # What was written down beside another message, by a process that was killed since, is no newer one.
        newer = [one for one in fresh if one.id not in self.outbox.waiting]
        for id, waiting in list(self.outbox.waiting.items()):
            old = waiting.notification
            if id in wanted:
                continue
            if old.key in over and old.action != "resolve":
                self._drop(id, "it is over")
            elif any(_supersedes(new, old) for new in newer):
                self._drop(id, "there is newer news")
            else:
                wanted[id] = old
        for one in wanted.values():
            if one.id not in self.outbox.waiting:
                self.outbox.put(one, now=now)
        return sorted(wanted.values(), key=lambda one: (_ORDER[one.action], one.tier, one.at))

    def claimed(self, todo: list[Notification]) -> list[Notification]:
        """Return what no other run of a workflow is sending at this moment; say what is left to one.

        Where that cannot be asked, everything: twice is better than never.
        """
        run, now = self.settings.github.run_id, now_of(self.settings)
        if not (run and todo):
            return todo
        for one in todo:
            self.outbox.claim(one.id, by=run, now=now)
        if _shared(self.outbox.history) is not None:
            return todo
        self.outbox.read_again()
        mine: list[Notification] = []
        for one in todo:
            if self.outbox.is_claimed(one.id, by=run, now=now):
                self.outbox.leave(one.id, by=run)
                line = one_line(one.line, 160)
                self.told.lines.append(f"{one.channel}: another run is sending it: {line}")
            elif one.id not in self.outbox.log:
                mine.append(one)
        return mine

    def send(self, notification: Notification) -> bool:
        """Send one; write down what came of it."""
        try:
            reference = self.channels.send(notification)
        except DeliveryError as error:
            why = one_line(self.redactor.text(str(error)), 300)
            self.outbox.failed(notification, why)
            self.told.failed.append((notification, error))
            self.told.lines.append(f"{notification.channel}: not told: {why}")
            return False
        self.outbox.arrived(notification, reference, now=now_of(self.settings))
        self.told.sent.append(notification)
        line = one_line(notification.line, 160)
        self.told.lines.append(f"{notification.channel}: {_DONE[notification.action]}: {line}")
        return True

    def take_over(self, todo: Iterable[Notification], *, reached: Container[str]) -> set[str]:
        """Let others tell of each page of tier 1 that none of its own channels took.

        Returns the keys of those that have reached nobody even so.
        """
        nobody: set[str] = set()
        pages: dict[str, Notification] = {}
        for one in todo:
            if one.action == "trigger" and one.tier == 1:
                pages.setdefault(one.key, one)
        for key, page in pages.items():
            told = self.outbox.deliveries.of(key, "trigger")
            if any(one.tier == 1 and self._counts(one.channel) for one in told):
                continue
            tried = [one.channel for one, _ in self.told.failed if one.key == key]
            others = stand_ins(self.settings, tried=tried)
            if not any(self._told_instead(page, name, tried) for name in others) and key not in reached:
                self.told.unreached.append(page.title)
                nobody.add(key)
        return nobody

    def note_missed(self, todo: Iterable[Notification]) -> None:
        """Say of each channel which pages of tier 1 it did not take: a route that names it means it."""
        missed: dict[str, list[Notification]] = {}
        for one in todo:
            if one.action == "trigger" and one.tier == 1 and one.id in self.outbox.waiting:
                missed.setdefault(one.channel, []).append(one)
        for channel, pages in missed.items():
            titles = "; ".join(one_line(page.title, 120) for page in pages[:3])
            more = f"; and {len(pages) - 3} more" if len(pages) > 3 else ""
            why = self.outbox.waiting[pages[0].id].error
            self.told.missed.append(
                f"{channel} could not be told of {titles}{more}: {why}; it waits in the outbox, and the next "
                "run tries again"
            )

    def _counts(self, channel: str) -> bool:
        """Tell whether who was told by `channel` knows: a file, only where the route has nothing else."""
        route = notifiers_for(1, self.settings)
        return calls_somebody(channel, self.settings) or not any(
            calls_somebody(name, self.settings) for name in route
        )

    def _told_instead(self, page: Notification, name: str, tried: list[str]) -> bool:
        why = f"{', '.join(tried)} could not be told; {name} takes over.\n"
        id = page.id.removesuffix(page.channel) + name
        instead = page.model_copy(update={"channel": name, "id": id, "text": why + page.text})
        self.outbox.put(instead, now=now_of(self.settings))
        if self.send(instead):
            return True
        # The next run asks the route's own channels again, and these only if those fail again.
        self._drop(id, "was to take over")
        return False

    def _drop(self, id: str, why: str) -> None:
        notification = self.outbox.waiting[id].notification
        self.outbox.drop(id, why)
        if why != "was to take over":
            self.told.dropped.append(notification)
            self.told.lines.append(
                f"{notification.channel}: not sent any more, {why}: {one_line(notification.line, 160)}"
            )


def _supersedes(new: Notification, old: Notification) -> bool:
    """Tell whether a newer message to the same receiver says all that an older one would.

    A page goes on waiting until a page says it better: a daily line rings nowhere.
    """
    if (new.key, new.channel) != (old.key, old.channel):
        return False
    better = {"update": ("trigger", "update", "resolve"), "trigger": ("trigger",)}
    return new.action in better.get(old.action, ())


def _clean(notification: Notification, redactor: Redactor) -> Notification:
    """Return it without secrets and without anything unseen, each text of bounded length."""

    def said(text: str, limit: int) -> str:
        shown = many_lines(redactor.text(text[: limit * 4])[:limit])
        return shown if len(shown) <= limit else shown[: limit - 3] + "..."

    change: dict[str, Any] = {
        "title": one_line(redactor.text(notification.title[:2000]), LONGEST_LINE),
        "line": one_line(redactor.text(notification.line[:2000]), LONGEST_LINE),
        "text": said(notification.text, LONGEST_TEXT),
        "details": {
            one_line(redactor.text(name), 80): said(value, LONGEST_DETAIL)
            for name, value in list(notification.details.items())[:20]
        },
    }
    return notification.model_copy(update=change)


def _shared(history: Records) -> StoreError | None:
    """Share the log; return why that failed."""
    try:
        history.sync()
    except StoreError as error:
        return error
    return None
