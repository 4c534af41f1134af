"""Every notifier keeps the same promises, and what arrives is what its receiver takes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hostile_corpus import HOSTILE
from pytest_aioncall.adapters.registry import PieceError, build_notifier
from pytest_aioncall.errors import DeliveryError
from pytest_aioncall.model.oncall import NotifierSpec
from pytest_aioncall.protocols import Notifier
from pytest_aioncall.testing import check_notifier, notification, notifier_context

jsonschema = pytest.importorskip("jsonschema")

KEY = base64.b64encode(bytes(range(32))).decode()
SECRETS = {
    "URL": "",
    "SLACK_WEBHOOK_URL": "",
    "HOOK_KEY": f"whsec_{KEY}",
    "PAGERDUTY_ROUTING_KEY": "0123456789abcdef0123456789abcdef",
}
OPTIONS: dict[str, dict[str, Any]] = {
    "slack": {},
    "webhook": {"url_env": "URL", "key_env": "HOOK_KEY"},
    "pagerduty": {"url_env": "URL"},
    "file": {"path": "pages/out.jsonl"},
}
Make = Callable[..., Notifier]


@pytest.fixture
def make(loopback: Any, told: Any, tmp_path: Path) -> Make:
    """Makes a notifier of a kind, whose receiver is the loopback server (`receiver=` another one)."""
    loopback.script(told(status=202, body={"status": "success", "dedup_key": "theirs"}))

    def made(kind: str, *, receiver: str | None = None, root: Path = tmp_path, **options: Any) -> Notifier:
        address = f"{receiver or loopback.url}/services/T0/B0/secret-of-the-hook"
        secrets = {**SECRETS, "URL": address, "SLACK_WEBHOOK_URL": address}
        given = {**OPTIONS[kind], **options}
        direct = {key: given.pop(key) for key in ("url_env", "key_env", "path") if key in given}
        spec = NotifierSpec(kind=kind, options=given, **direct)
        return build_notifier(spec, notifier_context(root, name=kind, secrets=secrets))

    return made


@pytest.mark.parametrize("kind", OPTIONS)
def test_a_notifier_keeps_the_contract(kind: str, make: Make, tmp_path: Path) -> None:
    (tmp_path / "in_the_way").write_text("a file, where a folder should be")
    broken = make(kind, receiver="http://127.0.0.1:9", root=tmp_path / "in_the_way")
    check_notifier(
        make(kind),
        broken=broken,
        texts=HOSTILE.values(),
        secrets=["secret-of-the-hook", KEY],
    )


@pytest.mark.parametrize("kind", ["slack", "webhook", "pagerduty"])
@pytest.mark.parametrize("status", [302, 400, 403, 404, 410])
def test_a_refusal_is_one_line_that_names_notifier_and_advice(
    kind: str, status: int, make: Make, loopback: Any, told: Any
) -> None:
    """A receiver that repeats what it was sent does not put the secret into a log."""
    keys = f"{SECRETS['PAGERDUTY_ROUTING_KEY']} {SECRETS['HOOK_KEY']}"
    echo = f"no: {keys} /services/T0/B0/secret-of-the-hook\x1b[2J"
    loopback.script(told(status=status, body=echo, headers={"location": "http://localhost:1/x"}))
    with pytest.raises(DeliveryError) as caught:
        make(kind).send(notification())
    said = str(caught.value)
    assert said.startswith(f"notifier {kind}: refused with {status}") and said.isprintable()
    assert caught.value.refused
    own = {"slack": "secret-of-the-hook", "webhook": KEY, "pagerduty": SECRETS["PAGERDUTY_ROUTING_KEY"]}
    assert own[kind] not in said
    assert len(loopback.asked) == 1


@pytest.mark.parametrize(("kind", "times"), [("slack", 1), ("webhook", 4), ("pagerduty", 4)])
def test_only_what_a_receiver_can_tell_apart_is_sent_again_after_a_lost_reply(
    kind: str, times: int, make: Make, loopback: Any, told: Any
) -> None:
    """Slack has no key: a second message would be one more."""
    loopback.script(told(status=502))
    with pytest.raises(DeliveryError) as caught:
        make(kind).send(notification())
    assert caught.value.unknown
    assert len(loopback.asked) == times


@pytest.mark.parametrize("kind", ["slack", "webhook", "pagerduty"])
def test_a_limit_is_waited_for(kind: str, make: Make, loopback: Any, told: Any) -> None:
    loopback.script(told(status=429, headers={"retry-after": "1"}), told(status=202, body="ok"))
    make(kind).send(notification())
    assert len(loopback.asked) == 2


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        ("webhook", {"key_env": "NOT_SET"}, "notifiers.webhook: NOT_SET is not set"),
        ("webhook", {"key_env": None}, "needs key_env"),
        ("webhook", {"key_env": "PAGERDUTY_ROUTING_KEY"}, "whsec_ and 24 to 64 bytes"),
        ("slack", {"url_env": "HOOK_KEY"}, "HOOK_KEY holds no address"),
        ("slack", {"mentions": {"@ann": "ann"}}, "no member id"),
        ("slack", {"mention": {}}, "did you mean 'mentions'"),
        ("pagerduty", {"region": "moon"}, "us or eu"),
        ("file", {"path": None}, "needs path"),
    ],
)
def test_a_wrong_entry_is_said_and_shows_no_secret(
    kind: str, options: dict[str, Any], says: str, make: Make
) -> None:
    with pytest.raises(PieceError) as caught:
        make(kind, **options)
    said = str(caught.value)
    assert says in said
    assert KEY not in said and SECRETS["PAGERDUTY_ROUTING_KEY"] not in said


def test_an_unknown_kind_names_what_is_installed() -> None:
    with pytest.raises(PieceError, match="unknown notifier 'slak'; did you mean 'slack'"):
        build_notifier(NotifierSpec(kind="slak"), notifier_context())


def test_a_notifier_of_ones_own_is_made_from_an_import_string(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_pager.py").write_text(
        "class Pager:\n"
        "    def __init__(self, *, loud: bool = False, context):\n"
        "        self.loud, self.project = loud, context.project\n"
        "    def send(self, notification):\n"
        "        return f'{self.project} {notification.key} {self.loud}'\n"
        "def nothing(*, context):\n"
        "    return None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    spec = NotifierSpec(kind="my_pager:Pager", options={"loud": True})
    made = build_notifier(spec, notifier_context())
    assert made.send(notification()) == "acme/app triage/run-1 True"
    with pytest.raises(PieceError, match="without a send method"):
        build_notifier(NotifierSpec(kind="my_pager:nothing"), notifier_context())


# Slack.


def slack_texts(message: dict[str, Any]) -> list[str]:
    return [message["text"], *(block["text"]["text"] for block in message["blocks"])]


def test_slack_gets_a_message_with_a_line_a_text_and_links(make: Make, loopback: Any) -> None:
    assert make("slack", mentions={"@Ann": "U024BE7LH"}).send(notification()) == ""
    message = loopback.asked[0].json
    line, text, links = (block["text"]["text"] for block in message["blocks"])
    assert line == (
        "<@U024BE7LH> *[page] triage.daily.route 24h: 92.2 % -&gt; 84.0 % - primary @ann, ack by 08:17+01:00*"
    )
    assert text.startswith("first bad run run-1")
    assert links.startswith("<https://github.com/acme/app/issues/7|incident> | <")
    assert message["unfurl_links"] is message["unfurl_media"] is False


def test_slack_mentions_people_only_when_they_are_paged(make: Make, loopback: Any) -> None:
    slack = make("slack", mentions={"@ann": "SAZ94GDB8"})
    for action in ("trigger", "update", "resolve"):
        slack.send(notification(action=action))
    assert ["<!subteam^SAZ94GDB8>" in asked.body.decode() for asked in loopback.asked] == [True, False, False]


@pytest.mark.parametrize("name", HOSTILE)
def test_slack_shows_hostile_text_as_text(name: str, make: Make, loopback: Any) -> None:
    text = HOSTILE[name]
    make("slack").send(
        notification(title=text, line=text, text=text, url="https://x/<!channel>", runbook=None)
    )
    for shown in slack_texts(loopback.asked[0].json):
        assert 0 < len(shown) <= 3000
        assert "<" not in shown and ">" not in shown
        assert re.sub(r"&(?:amp|lt|gt);", "", shown).count("&") == 0
        assert not re.search(r"@(?:channel|here|everyone)\b", shown, re.IGNORECASE)
        assert all(char.isprintable() or char in "\n\t" for char in shown)


def test_slack_asks_for_no_mention_of_everybody(make: Make, loopback: Any) -> None:
    make("slack").send(notification(line="<!channel> @here <@U024BE7LH> & more", text="@everyone", url=None))
    line, *_ = slack_texts(loopback.asked[0].json)
    assert line == "&lt;!channel&gt; @ here &lt;@U024BE7LH&gt; &amp; more"
    assert all(block["text"]["verbatim"] is True for block in loopback.asked[0].json["blocks"])


def test_slack_cuts_no_entity_in_two(make: Make, loopback: Any) -> None:
    make("slack").send(notification(line="&" * 5000, text="<" * 5000))
    for shown in slack_texts(loopback.asked[0].json)[:3]:
        assert re.fullmatch(r"\*?(?:&amp;|&lt;)+\.\.\.\*?", shown)


# The signed webhook.


def verified(asked: Any, *, key: bytes) -> bool:
    """Check a signature as the specification says it, with nothing of ours."""
    headers = asked.headers
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), asked.body])
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    found = [part.partition(",") for part in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(told, expected) for version, _, told in found)


def test_a_webhook_is_signed_over_the_bytes_that_arrive(make: Make, loopback: Any) -> None:
    id = make("webhook").send(notification(text="ü & \u202e"))
    (asked,) = loopback.asked
    assert verified(asked, key=bytes(range(32)))
    assert not verified(asked, key=bytes(range(1, 33)))
    assert asked.headers["webhook-id"] == id and "." not in id
    stamp = datetime.fromtimestamp(int(asked.headers["webhook-timestamp"]), UTC)
    assert stamp == datetime(2026, 11, 22, 6, 17, tzinfo=UTC)
    assert asked.json["type"] == "aioncall.incident.trigger"
    assert asked.json["timestamp"] == "2026-11-22T06:17:00+00:00"
    assert asked.json["data"]["key"] == "triage/run-1" and asked.json["data"]["project"] == "acme/app"


def test_the_specifications_own_example_is_signed_alike() -> None:
    """The example that the reference libraries of Standard Webhooks are tested with."""
    from pytest_aioncall.adapters.notifiers.webhook import signature

    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    told = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_sent_twice_has_one_id_and_other_things_have_others(make: Make) -> None:
    webhook = make("webhook")
    assert webhook.send(notification()) == webhook.send(notification(at="2026-11-23T00:00:00+00:00"))
    assert webhook.send(notification(id="other")) != webhook.send(notification())


def test_several_secrets_sign_side_by_side(loopback: Any, told: Any) -> None:
    loopback.script(told(status=204))
    keys = [bytes([n]) * 24 for n in (1, 2)]
    secrets = {"U": loopback.url, "K": " ".join(f"whsec_{base64.b64encode(key).decode()}" for key in keys)}
    spec = NotifierSpec(kind="webhook", url_env="U", key_env="K")
    build_notifier(spec, notifier_context(secrets=secrets)).send(notification())
    assert all(verified(loopback.asked[0], key=key) for key in keys)


# PagerDuty.

TEXT = {"type": "string"}
LINKS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["href"],
        "properties": {"href": {"pattern": "^https?://"}, "text": TEXT},
    },
}
EVENT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["routing_key", "event_action", "dedup_key"],
    "properties": {
        "routing_key": {"type": "string", "minLength": 32, "maxLength": 32},
        "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
        "dedup_key": {"type": "string", "minLength": 1, "maxLength": 255},
        "client": TEXT,
        "client_url": TEXT,
        "links": LINKS,
        "images": {"type": "array"},
        "payload": {
            "type": "object",
            "additionalProperties": False,
            "required": ["summary", "source", "severity"],
            "properties": {
                "summary": {"type": "string", "minLength": 1, "maxLength": 1024},
                "source": {"type": "string", "minLength": 1},
                "severity": {"enum": ["critical", "error", "warning", "info"]},
                "timestamp": TEXT,
                "component": TEXT,
                "group": TEXT,
                "class": TEXT,
                "custom_details": {"type": "object"},
            },
        },
    },
    "if": {"properties": {"event_action": {"const": "trigger"}}},
    "then": {"required": ["payload"]},
}
CHANGE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["routing_key", "payload"],
    "properties": {
        "routing_key": TEXT,
        "links": LINKS,
        "payload": {
            "type": "object",
            "additionalProperties": False,
            "required": ["summary"],
            "properties": {
                "summary": {"type": "string", "minLength": 1, "maxLength": 1024},
                "source": TEXT,
                "timestamp": TEXT,
                "custom_details": {"type": "object"},
            },
        },
    },
}


@pytest.mark.parametrize("action", ["trigger", "update", "acknowledge", "resolve"])
def test_an_event_is_as_pagerduty_describes_it(action: str, make: Make, loopback: Any) -> None:
    assert make("pagerduty").send(notification(action=action)) == "theirs"
    (asked,) = loopback.asked
    assert asked.path.endswith("/v2/enqueue")
    jsonschema.validate(asked.json, EVENT)
    assert asked.json["event_action"] == {"update": "trigger"}.get(action, action)
    assert asked.json["dedup_key"] == "aioncall/acme/app/triage/run-1"
    assert ("payload" in asked.json) == (action in ("trigger", "update"))


def test_a_change_is_a_change_event(make: Make, loopback: Any) -> None:
    make("pagerduty").send(notification(action="change"))
    (asked,) = loopback.asked
    assert asked.path.endswith("/v2/change/enqueue")
    jsonschema.validate(asked.json, CHANGE)


@pytest.mark.parametrize(("tier", "severity"), [(1, "critical"), (2, "warning"), (3, "info")])
def test_severity_goes_by_tier(tier: int, severity: str, make: Make, loopback: Any) -> None:
    make("pagerduty").send(notification(tier=tier))
    assert loopback.asked[0].json["payload"]["severity"] == severity


@pytest.mark.parametrize("name", HOSTILE)
def test_pagerduty_gets_hostile_text_within_its_limits(name: str, make: Make, loopback: Any) -> None:
    text = HOSTILE[name] * 3
    given = notification(key=text, title=text, line=text or "x", text=text, details={"output": text})
    make("pagerduty").send(given)
    (asked,) = loopback.asked
    jsonschema.validate(asked.json, EVENT)
    assert len(asked.body) < 512_000
    for shown in (asked.json["payload"]["summary"], *asked.json["payload"]["custom_details"].values()):
        assert all(char.isprintable() or char in "\n\t" for char in shown)


# The file.


def test_a_file_gets_one_line_a_notification(make: Make, tmp_path: Path) -> None:
    notifier = make("file")
    notifier.send(notification())
    notifier.send(notification(id="2", text="a\nb\u2028c"))
    lines = (tmp_path / "pages" / "out.jsonl").read_bytes().split(b"\n")
    assert lines.pop() == b""
    first, second = map(json.loads, lines)
    assert (first["id"], first["project"], first["sent_at"]) == (
        "triage/run-1|t1|trigger|under-test",
        "acme/app",
        "2026-11-22T06:17:00+00:00",
    )
    assert second["text"] == "a\nb\u2028c"


def test_half_a_line_that_a_crash_left_swallows_no_page(make: Make, tmp_path: Path) -> None:
    place = tmp_path / "pages" / "out.jsonl"
    place.parent.mkdir()
    place.write_bytes(b'{"id": "torn')
    make("file").send(notification())
    torn, whole, end = place.read_bytes().split(b"\n")
    assert torn == b'{"id": "torn' and json.loads(whole)["key"] == "triage/run-1" and end == b""
