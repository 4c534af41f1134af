"""What every notifier has to keep to, ours and yours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, get_args

from ..adapters.net import Caller
from ..errors import DeliveryError
from ..model.ticket import Notification
from ..protocols import Calls, Notifier, NotifierContext
from .promises import demand
from .scorer_contract import HOSTILE_TEXTS

ACTIONS: Final = get_args(Notification.model_fields["action"].annotation)
_AT: Final = datetime(2026, 11, 22, 6, 17, tzinfo=UTC)


def notifier_context(
    root: Path | None = None,
    *,
    name: str = "under-test",
    secrets: Mapping[str, str] | None = None,
    calls: Calls | None = None,
    project: str = "acme/app",
    now: Callable[[], datetime] = lambda: _AT,
) -> NotifierContext:
    """Return what a factory of a notifier is given, for a test; its calls never wait between tries."""
    return NotifierContext(
        name=name,
        root=(root or Path()).resolve(),
        secrets=secrets or {},
        calls=calls or Caller(sleep=lambda _: None),
        project=project,
        now=now,
    )


def notification(**change: Any) -> Notification:
    """Return a page of tier 1, changed by what is given."""
    told: dict[str, Any] = {
        "id": "triage/run-1|t1|trigger|under-test",
        "key": "triage/run-1",
        "channel": "under-test",
        "action": "trigger",
        "tier": 1,
        "evalset": "triage",
        "title": "triage.daily.route 24h: 92.2 % -> 84.0 % (delta -8.2 pp, n=120)",
        "line": "[page] triage.daily.route 24h: 92.2 % -> 84.0 % - primary @ann, ack by 08:17+01:00",
        "text": "first bad run run-1, last good run run-0\nprompts/triage.md: +4 -9",
        "url": "https://github.com/acme/app/issues/7",
        "runbook": "https://github.com/acme/app/blob/main/docs/runbooks/eval_regression.md",
        "to": ["@ann"],
        "due": "2026-11-22T08:17:00+01:00",
        "at": "2026-11-22T06:17:00+00:00",
        "details": {"first bad": "run-1"},
    }
    return Notification.model_validate({**told, **change})


def check_notifier(
    notifier: Notifier,
    *,
    broken: Notifier | None = None,
    texts: Iterable[str] = HOSTILE_TEXTS,
    secrets: Iterable[str] = (),
) -> None:
    """Hold a notifier to the contract. AssertionError says which promise is broken.

    Every action is sent, each twice, and every hostile text as title, line, text and detail. `broken` is the
    same notifier with a receiver that refuses: it has to say so, in one line, without any of `secrets`.

        check_notifier(MyPager(url), broken=MyPager("http://127.0.0.1:9"), secrets=[url])
    """
    for action in ACTIONS:
        told = notification(action=action, id=f"triage/run-1|{action}")
        for _ in range(2):
            demand(isinstance(notifier.send(told), str), f"{action}: send returned no text")
    for text in texts:
        hostile = notification(
            id=f"x{text[:50]}", title=text, line=text, text=text, evalset=text[:80], details={"output": text}
        )
        notifier.send(hostile)
    bare: dict[str, Any] = {"url": None, "runbook": None, "due": None, "to": (), "text": "", "details": {}}
    notifier.send(notification(**bare))
    if broken is not None:
        _check_broken(broken, secrets=tuple(secrets))


def _check_broken(notifier: Notifier, *, secrets: tuple[str, ...]) -> None:
    try:
        notifier.send(notification())
    except DeliveryError as error:
        said = str(error)
        demand("\n" not in said, f"the refusal is more than a line: {said!r}")
        for secret in secrets:
            demand(secret not in said, "the refusal shows a secret")
        return
    raise AssertionError("a receiver that refuses is taken for one that was told")
