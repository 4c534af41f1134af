"""What an issue tracker holds, and what is delivered to people: tickets, notes, notifications."""

from __future__ import annotations

from typing import Literal

from .frozen import Frozen
from .oncall import Tier


class Ticket(Frozen):
    """An issue as the tracker has it. Times are RFC 3339; `author` and assignees are login names."""

    number: int
    title: str
    body: str = ""
    state: Literal["open", "closed"]
    state_reason: str | None = None
    author: str = ""
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    created_at: str = ""
    updated_at: str = ""
    closed_at: str | None = None
    url: str = ""


class Note(Frozen):
    """A comment. `trusted`: its author may write to the repository (owner, member, collaborator)."""

    id: int
    body: str = ""
    author: str = ""
    trusted: bool = False
    created_at: str = ""
    url: str = ""


class Notification(Frozen):
    """One thing to deliver to one notifier.

    key      what makes two of them one incident (`dedup_key`): evalset and episode
    id       what makes two deliveries the same one: key, action, channel and step; in the notification log
    line     the first line, as long as an SMS
    text     plain text of at most some thousand characters; hostile parts are already escaped for plain text
    action   of the incident; `change` is none of it, but something that changed and may be why
    due      RFC 3339: acknowledge by
    day      of the run that it is about; `evalsets` are all of them where it is a storm
    """

    id: str
    key: str
    channel: str
    action: Literal["trigger", "update", "acknowledge", "resolve", "change"]
    tier: Tier
    evalset: str
    title: str
    line: str
    text: str = ""
    url: str | None = None
    runbook: str | None = None
    to: tuple[str, ...] = ()
    due: str | None = None
    at: str
    day: str = ""
    evalsets: tuple[str, ...] = ()
    details: dict[str, str] = {}


class Delivery(Frozen):
    """One line of the notification log: what was sent, and what the receiver calls it.

    day        of the run that it was about (YYYY-MM-DD); `at` is when it was sent, RFC 3339 in UTC
    evalsets   all that it was about, where it was a storm
    """

    id: str
    key: str
    channel: str
    action: Literal["trigger", "update", "acknowledge", "resolve", "change"]
    tier: Tier
    evalset: str
    evalsets: tuple[str, ...] = ()
    title: str = ""
    at: str
    day: str = ""
    reference: str = ""


class PullRequest(Frozen):
    """A pull request as the tracker has it. Repositories are `owner/name`; "" for a head's that is gone."""

    number: int
    title: str = ""
    state: Literal["open", "closed"]
    merged: bool = False
    draft: bool = False
    author: str = ""
    head_sha: str
    head_ref: str
    head_repository: str = ""
    base_ref: str
    base_sha: str
    base_repository: str = ""
    url: str = ""

    @property
    def is_fork(self) -> bool:
        """Tell whether the head is in another repository: its run had no secrets and no right to write."""
        return self.head_repository != self.base_repository
