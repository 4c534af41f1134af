"""Settings are merged defaults < aioncall.yaml < environment < flags, and nonsense is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.errors import LoadError
from pytest_aioncall.model.config import Config
from pytest_aioncall.model.evalset import Evalset
from pytest_aioncall.settings import Settings, merge_settings, read_variables

ROOT = Path("/project")


def merge(
    defaults: dict[str, Any] | None = None, env: dict[str, str] | None = None, **flags: Any
) -> Settings:
    config = Config.model_validate({"defaults": defaults or {}})
    return merge_settings(config, root=ROOT, flags=flags, environ=env or {})


def refusals(env: dict[str, str] | None = None, **flags: Any) -> list[str]:
    with pytest.raises(LoadError) as caught:
        merge(None, env, **flags)
    return str(caught.value).splitlines()


def evalset(**given: Any) -> Evalset:
    head = {"evalset": "e", "owner": "x", "target": {"kind": "replay"}, "scorers": (), "cases": ()}
    return Evalset.model_validate({**head, **given})


def test_without_a_word_from_anybody_the_defaults_hold() -> None:
    settings = merge()
    assert (settings.epochs, settings.concurrency, settings.max_cost_usd) == (None, None, None)
    assert (settings.mode, settings.require_baseline, settings.strict) == ("live", False, False)
    assert (settings.baseline_ref, settings.report_dir, settings.now) == (None, None, None)
    assert (settings.ci, settings.color, settings.secrets) == (False, True, {})


@pytest.mark.parametrize(
    ("name", "in_file", "variable", "by_variable", "flag"),
    [
        ("require_baseline", True, {"AIONCALL_REQUIRE_BASELINE": "0"}, False, True),
        ("max_cost_usd", 1.0, {"AIONCALL_MAX_COST": "2.5"}, 2.5, 4.0),
        ("baseline_ref", "main", {"AIONCALL_BASELINE_REF": "origin/dev"}, "origin/dev", "HEAD~1"),
        ("mode", "replay", {"AIONCALL_RECORD": "1"}, "record", "live"),
    ],
)
def test_environment_wins_over_the_file_and_a_flag_over_both(
    name: str, in_file: Any, variable: dict[str, str], by_variable: Any, flag: Any
) -> None:
    assert getattr(merge({name: in_file}), name) == in_file
    assert getattr(merge({name: in_file}, variable), name) == by_variable
    assert getattr(merge({name: in_file}, variable, **{name: flag}), name) == flag
    assert getattr(merge({name: in_file}, variable, **{name: None}), name) == by_variable


@pytest.mark.parametrize(
    ("name", "variable"), [("epochs", "AIONCALL_EPOCHS"), ("concurrency", "AIONCALL_CONCURRENCY")]
)
def test_numbers_for_the_whole_session_come_from_environment_or_flag(name: str, variable: str) -> None:
    assert getattr(merge(None, {variable: "7"}), name) == 7
    assert getattr(merge(None, {variable: "7"}, **{name: 9}), name) == 9
    assert getattr(merge(None, {variable: "7"}, **{name: "9"}), name) == 9


def test_strict_and_fail_on_inconclusive_are_one_setting() -> None:
    asked = merge({"on_inconclusive": "fail"})
    assert (asked.config.defaults.on_inconclusive, asked.strict) == ("fail", False)
    by_flag = merge(strict=True)
    assert by_flag.strict
    assert by_flag.config.defaults.on_inconclusive == "fail"
    taken_back = merge({"on_inconclusive": "fail"}, {"AIONCALL_STRICT": "false"})
    assert not taken_back.strict
    assert taken_back.config.defaults.on_inconclusive == "warn"


def test_a_variable_can_take_back_the_mode_of_the_file() -> None:
    assert merge({"mode": "replay"}, {"AIONCALL_REPLAY": "0"}).mode == "live"
    assert merge({"mode": "replay"}, {"AIONCALL_RECORD": "0"}).mode == "replay"
    assert merge({"mode": "extend"}, {"AIONCALL_RECORD": "0"}).mode == "live"
    assert merge({"mode": "fallback"}, {"AIONCALL_REPLAY": "0"}).mode == "live"
    assert merge({"mode": "fallback"}, {"AIONCALL_RECORD": "0"}).mode == "fallback"


def test_replay_and_record_may_be_given_as_flags_of_their_own() -> None:
    assert merge(None, {"AIONCALL_RECORD": "1"}, replay=True, record=False).mode == "replay"
    assert merge(record=True).mode == "record"


@pytest.mark.parametrize(
    ("said", "mode"),
    [
        (("replay",), "replay"),
        (("fallback",), "fallback"),
        (("record",), "record"),
        (("replay", "fallback"), "fallback"),
        (("replay", "record"), "extend"),
        (("fallback", "record"), "extend"),
        (("replay", "fallback", "record"), "extend"),
    ],
)
def test_replay_fallback_and_record_together_make_a_mode(said: tuple[str, ...], mode: str) -> None:
    assert merge(**dict.fromkeys(said, True)).mode == mode
    assert merge(None, {f"AIONCALL_{name.upper()}": "1" for name in said}).mode == mode


def test_a_report_folder_of_the_file_starts_at_the_root_and_that_of_a_flag_where_one_stands() -> None:
    assert merge({"report_dir": "out"}).report_dir == ROOT / "out"
    assert merge({"report_dir": "out"}, {"AIONCALL_REPORT": "there"}).report_dir == Path("there")
    assert merge(report_dir="here").report_dir == Path("here")


def test_the_clock_is_set_by_the_environment_and_by_the_flag_over_it() -> None:
    env = {"AIONCALL_NOW": "2026-11-21T14:00:00Z"}
    assert merge(None, env).now == datetime(2026, 11, 21, 14, tzinfo=UTC)
    flag = merge(None, env, now="2026-11-21T16:00:00+02:00").now
    assert flag == datetime(2026, 11, 21, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("env", "ci", "color"),
    [
        ({}, False, True),
        ({"CI": "true"}, True, True),
        ({"CI": "1", "NO_COLOR": "1"}, True, False),
        ({"CI": "false", "NO_COLOR": ""}, False, True),
        ({"CI": ""}, False, True),
    ],
)
def test_ci_and_color_are_what_everybody_else_takes_them_for(
    env: dict[str, str], ci: bool, color: bool
) -> None:
    settings = merge(None, env)
    assert (settings.ci, settings.color) == (ci, color)


def test_a_flag_for_color_wins_over_no_color() -> None:
    assert merge(None, {"NO_COLOR": "1"}, color=True).color


def test_only_the_secrets_that_the_configuration_names_are_read() -> None:
    config = Config.model_validate(
        {
            "providers": {
                "a": {"api_key_env": "A_KEY", "headers_env": {"X-Org": "A_ORG"}},
                "b": {"api_key_env": "B_KEY"},
            }
        }
    )
    env = {"A_KEY": "1", "A_ORG": "2", "B_KEY": "", "OTHER_KEY": "3"}
    settings = merge_settings(config, root=ROOT, flags={}, environ=env)
    assert settings.secrets == {"A_KEY": "1", "A_ORG": "2"}
    assert read_variables(["OTHER_KEY", "MISSING"], environ=env) == {"OTHER_KEY": "3"}


def test_secrets_do_not_show_in_a_representation() -> None:
    config = Config.model_validate({"providers": {"a": {"api_key_env": "A_KEY"}}})
    settings = merge_settings(config, root=ROOT, flags={}, environ={"A_KEY": "sk-very-secret"})
    assert "sk-very-secret" not in repr(settings)


def test_the_process_environment_is_read_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIONCALL_EPOCHS", "11")
    assert merge_settings(Config(), root=ROOT, flags={}).epochs == 11


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"AIONCALL_EPOCHS": "many"}, "AIONCALL_EPOCHS: needs a whole number from 1 to 1000, got 'many'"),
        ({"AIONCALL_EPOCHS": "0"}, "AIONCALL_EPOCHS: needs a whole number from 1 to 1000, got '0'"),
        ({"AIONCALL_CONCURRENCY": "1e3"}, "AIONCALL_CONCURRENCY: needs a whole number from 1 to 4096"),
        ({"AIONCALL_STRICT": "perhaps"}, "AIONCALL_STRICT: needs 1 or 0 (true or false), got 'perhaps'"),
        ({"AIONCALL_REPLAY": "perhaps"}, "AIONCALL_REPLAY: needs 1 or 0 (true or false), got 'perhaps'"),
        ({"AIONCALL_MAX_COST": "nan"}, "AIONCALL_MAX_COST: needs an amount in US dollars"),
        ({"AIONCALL_MAX_COST": "-1"}, "AIONCALL_MAX_COST: needs an amount in US dollars"),
        ({"AIONCALL_NOW": "yesterday"}, "AIONCALL_NOW: needs a time with its offset (RFC 3339)"),
        ({"AIONCALL_NOW": "2026-11-21T14:00:00"}, "AIONCALL_NOW: needs a time with its offset"),
        ({"AIONCALL_BASELINE_REF": "--upload-pack=x"}, "AIONCALL_BASELINE_REF: needs a git ref"),
        ({"AIONCALL_FALLBACK": "maybe"}, "AIONCALL_FALLBACK: needs 1 or 0"),
        ({"AIONCALL_EPOCS": "3"}, "AIONCALL_EPOCS: unknown variable; did you mean AIONCALL_EPOCHS?"),
    ],
)
def test_nonsense_in_the_environment_is_refused_by_name(env: dict[str, str], said: str) -> None:
    [problem] = refusals(env)
    assert said in problem


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"epochs": 0}, "--aioncall-epochs: needs a whole number from 1 to 1000, got '0'"),
        ({"epochs": True}, "--aioncall-epochs: needs a whole number"),
        ({"max_cost_usd": float("inf")}, "--aioncall-max-cost: needs an amount"),
        ({"baseline_ref": "a b"}, "--aioncall-baseline-ref: needs a git ref"),
        ({"report_dir": " "}, "--aioncall-report: needs a folder"),
        ({"now": "x"}, "--now: needs a time"),
    ],
)
def test_nonsense_in_a_flag_is_refused_by_name(flags: dict[str, Any], said: str) -> None:
    [problem] = refusals(**flags)
    assert said in problem


def test_everything_that_is_wrong_comes_at_once() -> None:
    assert len(refusals({"AIONCALL_EPOCHS": "x", "AIONCALL_STRICT": "y"}, concurrency=0)) == 3


def test_hostile_text_in_a_variable_shows_escaped() -> None:
    [problem] = refusals({"AIONCALL_NOW": "\x1b[31m\u202e\n::error::"})
    assert problem.isprintable()


def test_variables_of_others_are_left_alone() -> None:
    assert merge(None, {"AIONCALL_MY_APP_URL": "x", "AIONCALLER": "y"}).epochs is None


def test_a_variable_that_the_configuration_names_is_no_misspelling() -> None:
    config = Config.model_validate({"providers": {"a": {"api_key_env": "AIONCALL_RECORDS"}}})
    env = {"AIONCALL_RECORDS": "key"}
    assert merge_settings(config, root=ROOT, flags={}, environ=env).secrets == env


def test_a_flag_that_does_not_exist_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="epocs"):
        merge(epocs=3)


@pytest.mark.parametrize(
    ("session", "in_file", "own", "epochs"),
    [
        (None, None, {}, (3, 3)),
        (None, 5, {}, (5, 5)),
        (None, {"min": 1, "max": 4}, {}, (1, 4)),
        (None, 5, {"epochs": 2}, (2, 2)),
        (None, 5, {"epochs": {"min": 2, "max": 4}}, (2, 4)),
        (7, {"min": 1, "max": 4}, {"epochs": {"min": 2, "max": 4}}, (7, 7)),
    ],
)
def test_epochs_come_from_the_session_the_evalset_the_file_in_this_order(
    session: int | None, in_file: Any, own: dict[str, Any], epochs: tuple[int, int]
) -> None:
    settings = merge({"epochs": in_file}, epochs=session)
    found = settings.epochs_of(evalset(**own))
    assert (found.min, found.max) == epochs


@pytest.mark.parametrize(
    ("session", "in_file", "own", "concurrency"),
    [(None, 16, None, 16), (None, 16, 1, 1), (64, 16, None, 64), (64, 16, 1, 1), (4, 16, 8, 4)],
)
def test_an_evalset_that_runs_alone_is_never_run_faster(
    session: int | None, in_file: int, own: int | None, concurrency: int
) -> None:
    settings = merge({"concurrency": in_file}, concurrency=session)
    assert settings.concurrency_of(evalset(concurrency=own)) == concurrency


def test_the_http_client_is_chosen_by_file_or_variable_and_nonsense_is_refused() -> None:
    assert merge().config.defaults.http_client == "auto"
    assert merge({"http_client": "httpx"}).config.defaults.http_client == "httpx"
    env = {"AIONCALL_HTTP_CLIENT": " AioHTTP "}
    assert merge({"http_client": "httpx"}, env).config.defaults.http_client == "aiohttp"
    assert refusals({"AIONCALL_HTTP_CLIENT": "curl"}) == [
        "AIONCALL_HTTP_CLIENT: needs auto, httpx or aiohttp, got 'curl'"
    ]
