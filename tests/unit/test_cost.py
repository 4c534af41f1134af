"""What a run may cost: estimated before the first call, refused above the cap, unknown where it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_aioncall.errors import UsageError
from pytest_aioncall.flows.cost import (
    DEFAULT_CAP_USD,
    TOKENS_OUT_UNSAID,
    Estimate,
    cap_of,
    estimate,
    is_loopback,
    price_of,
)
from pytest_aioncall.flows.evalrun import EvalRun, settings_for
from pytest_aioncall.settings import Settings

CONFIG: dict[str, Any] = {
    "providers": {
        "p": {"kind": "openai", "base_url": "https://models.example.org/v1"},
        "here": {"kind": "openai", "base_url": "http://127.0.0.1:8080/v1"},
    },
    "prices": {"as_of": "2026-11-01", "p/m": {"input": 1.0, "output": 10.0}},
}


def run_of(tmp_path: Path, *, model: str = "p/m", cases: int = 10, **flags: Any) -> EvalRun:
    (tmp_path / "aioncall.yaml").write_text(yaml.safe_dump(CONFIG).replace("'2026-11-01'", "2026-11-01"))
    (tmp_path / "prompt.md").write_text("{{ q }}".ljust(400, "x"))
    path = tmp_path / "demo.eval.yaml"
    evalset = {
        "evalset": "demo",
        "owner": "@ann",
        "target": {"chat": {"model": model, "prompt": "prompt.md", "params": {"max_tokens": 50}}},
        "scorers": [{"contains": "x"}],
        "epochs": 2,
        "cases": [{"id": f"c{n}", "input": {"q": "y"}} for n in range(cases)],
    }
    path.write_text(yaml.safe_dump(evalset))
    run = EvalRun(settings_for(tmp_path, flags))
    run.load(path)
    return run


def settings(**changes: Any) -> Settings:
    from pytest_aioncall.model.config import Config

    return replace(Settings(config=Config.model_validate(CONFIG), root=Path()), **changes)


def test_an_estimate_counts_prompt_input_and_answer_of_every_sample(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    found = estimate(run.prepared.values(), run.settings)
    samples, tokens_in = 20, (400 + len('{"q":"y"}')) / 4
    assert found.calls == samples
    assert found.cost_usd == pytest.approx(samples * (tokens_in * 1.0 + 50 * 10.0) / 1e6)
    assert found.unpriced == ()


def test_without_max_tokens_an_answer_is_assumed_to_be_of_middling_length() -> None:
    assert TOKENS_OUT_UNSAID == 300


def test_only_the_cases_that_are_selected_are_estimated(tmp_path: Path) -> None:
    """`-k one-case` of a dear evalset must not be refused for what the others would cost."""
    run = run_of(tmp_path, cases=10, max_cost_usd=0.002)
    jobs = run.prepared["demo"].jobs
    with pytest.raises(UsageError, match=r"above the cap of \$0.002"):
        run.budgeted(jobs)
    assert run.budgeted(jobs[:1]).calls == 2
    assert run.budget.limit_usd == 0.002


def test_the_cap_is_shared_among_processes(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    run.budgeted(run.prepared["demo"].jobs, shares=4)
    assert run.budget.limit_usd == DEFAULT_CAP_USD / 4


def test_a_replay_costs_nothing(tmp_path: Path) -> None:
    run = run_of(tmp_path, mode="replay")
    assert estimate(run.prepared.values(), run.settings) == Estimate()


def test_a_model_without_a_price_is_named_and_refused_only_under_a_cap(tmp_path: Path) -> None:
    run = run_of(tmp_path, model="p/other")
    found = run.budgeted(run.prepared["demo"].jobs)
    assert found.unpriced == ("p/other",)
    assert "cost unknown: add prices for p/other" in found.line(None)
    with pytest.raises(UsageError, match="p/other is unknown"):
        cap_of(found, settings(max_cost_usd=1.0))


@pytest.mark.parametrize(
    ("expected", "asked", "cap"),
    [
        (Estimate(calls=3, cost_usd=1.0), None, DEFAULT_CAP_USD),
        (Estimate(calls=3, cost_usd=1.0), 2.0, 2.0),
        (Estimate(), None, None),
        # A python target may tell what it cost: a cap that somebody set holds there, too.
        (Estimate(), 2.0, 2.0),
        (Estimate(calls=3, cost_usd=0.0), 0.0, 0.0),
    ],
)
def test_the_cap_that_holds(expected: Estimate, asked: float | None, cap: float | None) -> None:
    assert cap_of(expected, settings(max_cost_usd=asked)) == cap


def test_an_estimate_above_the_default_cap_is_refused_with_the_flag_that_allows_it() -> None:
    with pytest.raises(UsageError, match=r"\$10\.00, above the cap of \$5; .*--aioncall-max-cost 12\.00"):
        cap_of(Estimate(calls=3, cost_usd=10.0), settings())


def test_a_model_on_this_machine_costs_nothing_and_another_one_is_unknown() -> None:
    config = settings().config
    assert price_of("p/m", config) == (1.0, 10.0)
    assert price_of("here/any", config) == (0.0, 0.0)
    assert price_of("p/other", config) is None
    assert price_of("nobody/other", config) is None


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:1/v1", True),
        ("http://127.9.0.1/v1", True),
        ("http://[::1]:8080", True),
        ("https://localhost.example.org", False),
        ("https://10.0.0.1", False),
        ("", False),
    ],
)
def test_what_stays_on_this_machine(url: str, *, local: bool) -> None:
    assert is_loopback(url) is local
