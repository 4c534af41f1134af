"""What a piece is made with, outside a run: a context with a provider, and one call of a scorer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..adapters.registry import BoundScorer, build_scorer, build_target
from ..model.config import Config
from ..model.evalset import Case, ScorerSpec, TargetSpec
from ..model.sample import Output, Score
from ..protocols import PieceContext, Scorer, Target, Wire
from .replay_wire import ReplayWire

PROVIDERS: Mapping[str, Mapping[str, Any]] = {
    "openai": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "api_key_env": "OPENAI_API_KEY"},
    "anthropic": {"kind": "anthropic", "api_key_env": "ANTHROPIC_API_KEY"},
    "local": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1"},
}


def piece_context(
    root: Path | None = None,
    *,
    wire: Wire | None = None,
    config: Config | None = None,
    secrets: Mapping[str, str] | None = None,
    evalset: str = "under-test",
) -> PieceContext:
    """Return a PieceContext for a piece under test.

    Without a `config` there are the providers openai, anthropic and local; without a `wire` every request is
    a CassetteMiss. `root` is the project's folder, by default the current one.
    """
    folder = (root or Path()).resolve()
    return PieceContext(
        root=folder,
        folder=folder,
        evalset=evalset,
        config=config or Config.model_validate({"providers": PROVIDERS}),
        secrets=secrets or {},
        wire=wire or ReplayWire(),
    )


def make_scorer(written: Any, context: PieceContext | None = None, *, name: str | None = None) -> BoundScorer:
    """Make a scorer from what stands in YAML: "exact", {"contains": "x"} or {"regex": {"pattern": "x"}}."""
    kind, options = _short_form(written)
    spec = ScorerSpec(kind=kind, name=name or kind, where="scorers[0]", **options)
    return build_scorer(spec, context or piece_context())


def make_target(written: Any, context: PieceContext | None = None) -> Target:
    """Make a target from what stands in YAML after `target:`."""
    kind, options = _short_form(written)
    return build_target(TargetSpec(kind=kind, **options), context or piece_context())


def score_once(scorer: Scorer | BoundScorer, case: Case, output: Output | str, *, epoch: int = 0) -> Score:
    """Score one output on an event loop of its own; what the scorer raises comes through.

    score_once(make_scorer({"contains": "refund"}), Case(id="c", input="?"), "We refund you.").passed
    """
    given = Output(text=output) if isinstance(output, str) else output
    inner = scorer.scorer if isinstance(scorer, BoundScorer) else scorer

    async def run() -> Score:
        return await inner.score(case, given, epoch=epoch)

    return asyncio.run(run())


def _short_form(written: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(written, str):
        return written, {}
    ((kind, arg),) = written.items()
    if isinstance(arg, Mapping):
        return kind, {"options": dict(arg)}
    return kind, {"has_arg": True, "arg": arg}
