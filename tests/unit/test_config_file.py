"""`aioncall.yaml` is found upwards, read to a Config, or refused with everything that is wrong in it."""

from __future__ import annotations

# ruff: noqa: E501 - tables of what is written and what is said read best one row a line
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml

from pytest_aioncall.adapters.config_file import find_root, load_config, read_section
from pytest_aioncall.adapters.evalset_files import json_schema
from pytest_aioncall.errors import LoadError
from pytest_aioncall.model.config import Config

DESIGN = """\
format: 1
providers:                            # a chat model is named provider/model-id
  openai: {kind: openai, base_url: https://api.openai.com/v1, api_key_env: OPENAI_API_KEY, concurrency: 32, requests_per_minute: 3000}
  local: {kind: openai, base_url: http://127.0.0.1:8080/v1, concurrency: 1}
  anthropic: {kind: anthropic, api_key_env: ANTHROPIC_API_KEY}
prices: {as_of: 2026-11-01, openai/MODEL-ID-WITH-DATE: {input: 0.15, output: 0.60}}
defaults: {alpha: 0.05, on_inconclusive: warn, baseline_max_age_days: 30}
monitors: {false_pages_per_year: 2, latency_p95_ratio: 2.0, error_rate: 0.05, cost_ratio: 2.0, min_kl: 0.05}
oncall: {timezone: Europe/Berlin, rotation: {start: 2026-11-02, handoff: "Mon 10:00", people: ["@ann", "@bo"]}, owners: {ticket-triage: "@support-ml"}, sla: {business: 30m, off_hours: 2h}}
routes: {tier1: [pagerduty, github], tier2: [github], tier3: [review]}
"""


def problems(root: Path, text: str) -> list[str]:
    (root / "aioncall.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(LoadError) as caught:
        load_config(root)
    return str(caught.value).splitlines()


def test_the_configuration_of_the_design_loads_as_written(tmp_path: Path) -> None:
    (tmp_path / "aioncall.yaml").write_text(DESIGN, encoding="utf-8")
    config = load_config(tmp_path)
    assert config.providers["openai"].api_key_env == "OPENAI_API_KEY"
    assert config.providers["anthropic"].kind == "anthropic"
    assert config.prices.as_of == date(2026, 11, 1)
    assert config.prices.models["openai/MODEL-ID-WITH-DATE"].output == 0.6
    assert config.defaults.alpha == 0.05
    assert config.monitors.latency_p95_ratio == 2.0
    assert config.oncall.rotation is not None
    assert config.oncall.rotation.start == date(2026, 11, 2)
    assert config.oncall.owners == {"ticket-triage": "@support-ml"}
    assert config.routes.tier1 == ("pagerduty", "github")
    assert read_section(tmp_path, "slos") == {}


def test_a_section_of_a_later_stage_is_plain_data(tmp_path: Path) -> None:
    (tmp_path / "aioncall.yaml").write_text("slos: {triage: {target: 0.99}}\n", encoding="utf-8")
    assert load_config(tmp_path) == Config()
    assert read_section(tmp_path, "slos") == {"triage": {"target": 0.99}}


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "{}"])
def test_without_a_file_or_with_an_empty_one_all_defaults_hold(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "aioncall.yaml").write_text(text)
    assert load_config(tmp_path) == Config()
    assert read_section(tmp_path, "slos") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "providers:\n  openai:\n    concurency: 3\n",
            "3: providers.openai.concurency: unknown key; did you mean 'concurrency'?",
        ),
        ("provider: {}\n", "1: provider: unknown key; did you mean 'providers'?"),
        ("format: 2\n", "1: format: this version reads format 1, got 2"),
        ("[a]\n", "1: needs a mapping, got a list"),
        ("providers: [a]\n", "1: providers: needs a mapping (key: value), got a list"),
        ("providers: {a: b}\n", "1: providers.a: needs a mapping (key: value), got 'b'"),
        (
            "providers: {a: {kind: opnai}}\n",
            "1: providers.a.kind: 'opnai' is not one of openai, anthropic; did you mean 'openai'?",
        ),
        ("providers: {a: {concurrency: true}}\n", "1: providers.a.concurrency: needs a number, got true"),
        ("providers: {a: {concurrency: 0}}\n", "1: providers.a.concurrency: has to be at least 1, got 0"),
        (
            "providers: {a: {api_key: x}}\n",
            "1: providers.a.api_key: unknown key; did you mean 'api_key_env'?",
        ),
        (
            "providers: {a/b: {}}\n",
            "1: providers.a/b: a provider's name is made of A-Z a-z 0-9 _ . - (models are named provider/model)",
        ),
        (
            "providers: {a: {base_url: 'ftp://x'}}\n",
            "1: providers.a.base_url: has to be an http:// or https:// address without user or password",
        ),
        (
            "providers: {a: {base_url: 'https://u:pw@x/v1'}}\n",
            "1: providers.a.base_url: has to be an http:// or https:// address without user or password",
        ),
        (
            "prices: {as_of: 20261101}\n",
            "1: prices.as_of: needs a date, for example 2026-11-01, got '20261101'",
        ),
        (
            "prices: {as_of: 2026-13-01}\n",
            "1: prices.as_of: needs a date, for example 2026-11-01, got '2026-13-01'",
        ),
        ("prices: {gpt: {input: 1, output: 2}}\n", "1: prices.gpt: names no provider; write provider/gpt"),
        ("prices: {a/b: {input: -1, output: 2}}\n", "1: prices.a/b.input: has to be at least 0, got -1"),
        ("prices: {a/b: {input: true, output: 2}}\n", "1: prices.a/b.input: needs a number, got true"),
        ("prices: {a/b: {input: 1}}\n", "1: prices.a/b.output: is required"),
        ("defaults: {alpha: 0.9}\n", "1: defaults.alpha: has to be below 0.5, got 0.9"),
        (
            "defaults: {on_inconclusive: fial}\n",
            "1: defaults.on_inconclusive: 'fial' is not one of warn, fail; did you mean 'fail'?",
        ),
        ("defaults: {margin: 5}\n", "1: defaults.margin: has to be at most 1, got 5"),
        ("defaults: {min: -0.1}\n", "1: defaults.min: has to be at least 0, got -0.1"),
        (
            "defaults: {claim: these-case}\n",
            "1: defaults.claim: 'these-case' is not one of auto, these-cases, cases-like-these; "
            "did you mean 'these-cases'?",
        ),
        (
            "defaults: {require_baseline: maybe}\n",
            "1: defaults.require_baseline: needs true or false, got 'maybe'",
        ),
        ("monitors: [x]\n", "1: monitors: needs a mapping (key: value), got a list"),
        (
            "redact: ['(']\n",
            "1: redact[0]: is not a regular expression: missing ), unterminated subpattern at position 0",
        ),
        ("redact: x\n", "1: redact: needs a list, got 'x'"),
        ("store: [x]\n", "1: store: needs text, got a list"),
        ("a: 1\na: 2\n", "2: a: is set twice; line 1 has it first"),
    ],
)
def test_a_wrong_value_is_named_in_plain_words_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert f"aioncall.yaml:{said}" in problems(tmp_path, text)


def test_all_problems_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = problems(tmp_path, "format: 1\nproviders:\n  a: {kind: x}\ndefaults: {alpha: 2}\nstor: x\n")
    assert [line.split(":")[1] for line in found] == ["3", "4", "5"]


@pytest.mark.parametrize(
    "key", ["api_key_env: sk-proj-SECRET", "headers_env: {Authorization: Bearer SECRET}"]
)
def test_a_secret_in_the_file_is_refused_and_never_repeated(tmp_path: Path, key: str) -> None:
    [problem] = problems(tmp_path, f"providers:\n  a: {{{key}}}\n")
    assert "has to be the name of an environment variable" in problem
    assert "SECRET" not in problem


def test_the_other_spelling_of_the_file_name_is_told_rather_than_ignored(tmp_path: Path) -> None:
    (tmp_path / "aioncall.yml").write_text("store: x\n")
    with pytest.raises(LoadError, match=r"aioncall\.yml: is not read; rename it to aioncall\.yaml"):
        load_config(tmp_path)


def test_a_section_that_is_no_mapping_is_refused_by_whoever_reads_it(tmp_path: Path) -> None:
    (tmp_path / "aioncall.yaml").write_text("store: x\n\nslos: [x]\n")
    with pytest.raises(LoadError, match=r"aioncall\.yaml:3: slos: needs a mapping"):
        read_section(tmp_path, "slos")


def test_the_root_is_where_the_configuration_is_found_upwards(tmp_path: Path) -> None:
    inner = tmp_path / "app" / "evalsets"
    inner.mkdir(parents=True)
    (tmp_path / "app" / "pyproject.toml").write_text("")
    assert find_root(inner) == tmp_path / "app"
    (tmp_path / "aioncall.yaml").write_text("")
    assert find_root(inner) == tmp_path
    file = inner / "a.eval.yaml"
    file.write_text("")
    assert find_root(file) == tmp_path


def test_without_any_sign_of_a_project_the_root_is_the_start(tmp_path: Path) -> None:
    if any(
        (folder / sign).exists()
        for folder in tmp_path.parents
        for sign in (".git", "pyproject.toml", "aioncall.yaml")
    ):
        pytest.skip("the temporary folder lies inside a project")
    assert find_root(tmp_path) == tmp_path


def test_a_repository_without_configuration_is_a_root(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_root(tmp_path / "a" / "b") == tmp_path


def test_the_schema_takes_what_the_loader_takes_and_refuses_what_it_refuses() -> None:
    validator = jsonschema.Draft202012Validator(json_schema("config"))
    good = yaml.safe_load(DESIGN.replace("2026-11-01", "'2026-11-01'").replace("2026-11-02", "'2026-11-02'"))
    assert list(validator.iter_errors(good)) == []
    for bad in (
        {"provider": {}},
        {"defaults": {"alpha": 0.7}},
        {"defaults": {"margin": 2}},
        {"defaults": {"claim": "mine"}},
        {"prices": {"a/b": {"input": 1}}},
        {"format": 2},
    ):
        assert list(validator.iter_errors(bad)), bad


@pytest.mark.parametrize(
    ("epochs", "said"),
    [
        ("0", "defaults.epochs: needs a whole number from 1 to 1000, or {min: 2, max: 5}, got 0"),
        ("true", "defaults.epochs: needs a whole number from 1 to 1000, or {min: 2, max: 5}, got true"),
        ("{min: 5, max: 2}", "defaults.epochs: min 5 is above max 2"),
        ("{min: 1, mx: 2}", "defaults.epochs.mx: unknown key; did you mean 'max'?"),
    ],
)
def test_epochs_are_refused_once_and_in_the_users_words(tmp_path: Path, epochs: str, said: str) -> None:
    assert problems(tmp_path, f"defaults: {{epochs: {epochs}}}\n") == [f"aioncall.yaml:1: {said}"]
