"""What a branch proposes beside what its merge base asks: told with the verdict, old against new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ..adapters import git
from ..errors import AioncallError
from ..model.report import BaseReview, ProposedBaseline
from ..model.weakening import ChangeReview, Weakening, WeakeningKind
from ..settings import Settings
from .against import review_gate
from .prepare import Prepared, shown_path
from .scorercode import weaker_behind

# What the base's rule, judged beside the branch's, makes good in this very run.
_MADE_GOOD: Final[frozenset[WeakeningKind]] = frozenset({
    "evalset_renamed", "baseline_removed", "baseline_moved", "gate_removed", "slice_removed", "margin_up",
    "min_down", "alpha_down", "claim_changed", "inconclusive_passes", "baseline_age_up", "error_rate_up",
    "error_types_added", "fewer_epochs", "scorer_removed", "must_loosened", "require_loosened",
    "slices_left", "cluster_changed",
})  # fmt: skip
_MADE_GOOD_DEFAULTS: Final = frozenset(
    f"defaults.{key}" for key in ("alpha", "on_inconclusive", "claim", "margin", "min", "epochs")
)


@dataclass(frozen=True, slots=True)
class Reviews:
    """Of each evalset of a run what it proposes, and `rest`: the configuration, evalsets that are gone."""

    by_evalset: Mapping[str, BaseReview] = field(default_factory=dict)
    rest: BaseReview | None = None


def base_reviews(
    prepared: Sequence[Prepared], settings: Settings, *, baselines: Mapping[str, ProposedBaseline | None]
) -> Reviews:
    """Say what a branch proposes; nothing without `baseline_ref`.

    prepared   the evalsets of the run
    baselines  by evalset, the baseline that the branch would put in place
    What cannot be compared is a note: the verdict is made without it.
    """
    if settings.baseline_ref is None or not prepared:
        return Reviews()
    as_written = [replace(one, evalset=one.written or one.evalset) for one in prepared]
    try:
        review = review_gate(settings.baseline_ref, as_written, settings)
        behind = weaker_behind(prepared, settings, ref=review.ref, commit=review.commit)
        review = review.model_copy(update={"weakenings": (*review.weakenings, *behind)})
    except (AioncallError, OSError) as error:
        rest = BaseReview(ref=settings.baseline_ref, commit="", notes=(f"not compared: {error}",))
        return Reviews(rest=rest)
    names = {one.name for one in prepared}
    found = {one.name: _of_evalset(one, review, settings, baselines.get(one.name)) for one in prepared}
    others = tuple(w for w in review.weakenings if w.evalset not in names)
    rest = BaseReview(
        ref=review.ref,
        commit=review.commit,
        owner=git.code_owner(settings.root, "aioncall.yaml") or "",
        proposals=others,
        listed=tuple(w.what for w in others if w.what not in _MADE_GOOD_DEFAULTS),
        strengthened=review.strengthened,
        notes=review.notes,
    )
    return Reviews(found, rest)


def _of_evalset(
    one: Prepared, review: ChangeReview, settings: Settings, baseline: ProposedBaseline | None
) -> BaseReview:
    file = shown_path(one.path, settings.root)
    proposals = tuple(w for w in review.weakenings if w.evalset == one.name)
    asks_else = {case for w in proposals if w.kind == "input_changed" for case in w.cases}
    owner = git.code_owner(settings.root, file) or one.evalset.owner
    if baseline is not None and not baseline.owner:
        baseline = baseline.model_copy(update={"owner": one.evalset.owner})
    return BaseReview(
        ref=review.ref,
        commit=review.commit,
        owner=owner,
        proposals=proposals,
        listed=tuple(w.what for w in proposals if not _is_made_good(w, one, asks_else)),
        baseline=baseline,
    )


def _is_made_good(one: Weakening, prepared: Prepared, asks_else: set[str]) -> bool:
    if one.kind == "scorer_removed":
        return any(one.what == f"scorer {name} removed" for name in prepared.restored)
    if one.kind in ("must_loosened", "require_loosened"):
        return not asks_else & set(one.cases)
    return one.kind in _MADE_GOOD
