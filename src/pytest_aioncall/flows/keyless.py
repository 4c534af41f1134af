"""An evalset whose key is not there: answered from its recordings, and what has none is not run.

That is a state of its own, neither green nor red. It exists only where somebody asked for it
(`--aioncall-without-keys`), since a key that has expired looks just the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import replace
from typing import Any

from ..adapters.runner import read_event
from ..adapters.targets.secrets import named_secrets
from ..decide.exit_codes import FAILED, OK
from ..model.run import RunEvalset
from ..settings import Settings
from .baserules import BaseRules
from .daily import Daily
from .judge import Judged, judge_record
from .prepare import Prepared, secrets_of
from .record import EvalsetRecord

_BOT = "dependabot[bot]"


def may_go_without(settings: Settings) -> bool:
    """Tell whether this session may leave out what a key is missing for.

    `fork`: only where GitHub gives no secrets to this run, by its event: the pull request comes from another
    repository, or from Dependabot. Somewhere else a missing key is a mistake, and stays one.
    """
    if settings.without_keys != "fork":
        return settings.without_keys == "neutral"
    event = read_event(settings.github.event_path)
    pull = event.get("pull_request")
    if not isinstance(pull, Mapping):
        return False
    if _text(event.get("sender"), "login") == _BOT:
        return True
    head, base = (_text(_part(pull, side), "repo", "full_name") for side in ("head", "base"))
    # The repository of a head that was deleted has no name any more; it was another one.
    return bool(base) and head != base


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _text(value: Any, *names: str) -> str:
    for name in names:
        value = _part(value, name)
    return value if isinstance(value, str) else ""


def lacking_key(one: Prepared, settings: Settings) -> str:
    """Return the environment variable that live answers of an evalset need and that is not set; else ""."""
    config = settings.config
    # Cases may bring scorers of their own; most of them share one list.
    lists = {id(job.scorers): job.scorers for job in one.jobs}.values()
    models = [model for scorers in lists for scorer in scorers for model in scorer.traits.models]
    target = one.evalset.target
    if target.kind == "chat":
        models.append(str(target.options.get("model", "")))
    for model in models:
        provider = config.providers.get(model.partition("/")[0])
        wanted = (provider.api_key_env, *provider.headers_env.values()) if provider else ()
        for name in wanted:
            if name and not settings.secrets.get(name):
                return name
    if target.kind != "http":
        return ""
    known = secrets_of(one.evalset)
    return next((name for name in named_secrets(target) if not known.get(name)), "")


def judged_without_key(
    one: Prepared,
    planned: RunEvalset,
    record: EvalsetRecord,
    judged: Judged,
    *,
    settings: Settings,
    key: str,
    daily: Daily | None = None,
) -> tuple[Judged, str | None]:
    """Return the judgement of an evalset that was answered without its key, and the key where that decides.

    What is recorded in full is judged as ever. Else the scorers that need no model are judged by themselves,
    where every answer is there: what they find regressed or broken is red; anything else is neutral.
    """
    judgement, found = judged.judgement, judged.found
    if judgement.status != "cannot_judge" or not record.not_recorded or judgement.exit_code == FAILED:
        return judged, None
    coverage = judgement.coverage
    others = max(0, coverage.errors - record.not_recorded)
    if coverage.planned and others / coverage.planned > planned.max_error_rate:
        return judged, None  # an outage beside it: no missing key explains that
    summary = f"live evals not run: no credentials ({key} is not set)"
    silent = _unscored(one, record)
    rest = {name: info for name, info in planned.scorers.items() if name not in silent}
    if rest and silent and not any(row.errors for row in record.rows.values()):
        judged = judge_record(
            planned.model_copy(update={"scorers": rest}),
            _without_scorers(record, silent),
            found,
            settings,
            gates=[gate for gate in planned.gates if gate.scorer in rest],
            rules=_rules_of(one.rules, rest),
            daily=daily,
        )
        note = f"not run, as {key} is not set: {', '.join(sorted(silent))}"
        notes = (*judged.judgement.notes, note)
        judgement = judged.judgement.model_copy(update={"notes": notes, "coverage": coverage})
        if judgement.exit_code == FAILED:
            return replace(judged, judgement=judgement), None
    # What was never asked is no answer that failed.
    metrics = tuple(metric for metric in judgement.metrics if metric.metric != "errors")
    told = {"status": "cannot_judge", "exit_code": OK, "summary": summary, "metrics": metrics}
    neutral = judgement.model_copy(update=told)
    return replace(judged, judgement=neutral), key


def _rules_of(rules: BaseRules | None, rest: Collection[str]) -> BaseRules | None:
    """Return what the merge base asks of the scorers that are left."""
    if rules is None or rules.evalset is None:
        return rules
    change = {
        "gates": tuple(gate for gate in rules.gates if gate.scorer in rest),
        "scorers": tuple(spec for spec in rules.evalset.scorers if spec.name in rest),
    }
    return replace(rules, evalset=rules.evalset.model_copy(update=change))


def _unscored(one: Prepared, record: EvalsetRecord) -> Set[str]:
    """Return the scorers that ask a model and lack a score of some sample."""
    asking = {name for name, scorer in one.scorers.items() if not scorer.traits.deterministic}
    asking |= {s.name for job in one.jobs for s in job.scorers if not s.traits.deterministic}
    return {
        name
        for name in asking
        if any(value is None for row in record.rows.values() for value in row.scores.get(name, ()))
    }


def _without_scorers(record: EvalsetRecord, silent: Set[str]) -> EvalsetRecord:
    """Return a record as if some scorers had never been planned."""
    rows = {
        case: row.model_copy(
            update={"scores": {name: values for name, values in row.scores.items() if name not in silent}}
        )
        for case, row in record.rows.items()
    }
    floors = {
        case: tuple(floor for floor in floors if not (floor.kind == "require" and floor.scorer in silent))
        for case, floors in record.floors.items()
    }
    return replace(record, rows=rows, floors=floors, not_recorded=0)
