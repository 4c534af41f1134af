"""The page on notifiers is true: its check of signatures checks ours, its own notifier keeps the contract."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.adapters.registry import build_notifier
from pytest_aioncall.model.oncall import NotifierSpec
from pytest_aioncall.testing import check_notifier, notification, notifier_context

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "page-somebody.md"
CODE = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def code_with(name: str) -> str:
    (found,) = [code for code in CODE if name in code]
    return found


def test_the_check_by_hand_takes_what_we_sign_and_nothing_else(loopback: Any, told: Any) -> None:
    names: dict[str, Any] = {}
    exec(code_with("def is_ours"), names)
    is_ours = names["is_ours"]
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    context = notifier_context(secrets={"HOOK_URL": loopback.url, "HOOK_SECRET": secret})
    loopback.script(told(status=204))
    build_notifier(NotifierSpec(kind="webhook", url_env="HOOK_URL", key_env="HOOK_SECRET"), context).send(
        notification()
    )
    (asked,) = loopback.asked
    now = context.now().timestamp()
    assert is_ours(asked.headers, asked.body, secret, now)
    assert not is_ours(asked.headers, asked.body + b" ", secret, now)
    assert not is_ours(asked.headers, asked.body, secret, now + 301)
    assert not is_ours(asked.headers, asked.body, "whsec_" + base64.b64encode(b"x" * 32).decode(), now)


def test_the_notifier_of_ones_own_keeps_the_contract(
    loopback: Any, told: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "siren_of_the_page.py").write_text(code_with("class Siren"))
    monkeypatch.syspath_prepend(tmp_path)
    spec = NotifierSpec(kind="siren_of_the_page:Siren", options={"loud": True})
    made = build_notifier(spec, notifier_context(secrets={"SIREN_URL": loopback.url}))
    dead = "http://127.0.0.1:9/secret-of-the-siren"
    broken = build_notifier(spec, notifier_context(secrets={"SIREN_URL": dead}))
    check_notifier(made, broken=broken, secrets=["secret-of-the-siren"])
    assert loopback.asked[0].json["loud"] is True


def test_the_command_that_makes_a_secret_makes_one(capsys: pytest.CaptureFixture[str]) -> None:
    (command,) = re.findall(r'\$ python -c "(.*)"', PAGE.read_text(encoding="utf-8"))
    exec(command)
    secret = capsys.readouterr().out.strip()
    context = notifier_context(secrets={"U": "https://127.0.0.1/x", "K": secret})
    build_notifier(NotifierSpec(kind="webhook", url_env="U", key_env="K"), context)
