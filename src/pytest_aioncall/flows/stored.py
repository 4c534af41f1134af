"""Stored answers as a target: scorers judge them again, and nobody is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..adapters.baseline_store import Baseline
from ..adapters.registry import BoundScorer
from ..decide.rows import output_hash
from ..errors import CassetteMiss
from ..model.baseline import CaseRow, StoredOutput
from ..model.evalset import Case
from ..model.sample import Output, Sample

Place = tuple[str, int]
"""(case, epoch)."""

PARTS = ("text", "data", "retrieved", "tool_calls")
# These read nothing of an answer but its text; any other scorer may read all of it.
_TEXT_KINDS = frozenset(
    {
        "exact", "contains", "not_contains", "regex", "not_regex", "one_of", "json_valid", "length",
        "levenshtein", "rouge_l", "bleu", "similarity", "citations_present", "refusal", "pii_absent",
    }
)  # fmt: skip


class StoredTarget:
    """Answer with what was answered once: `spent` says that what it cost then is not spent now.

    Latency and cost stay those of the run that measured them, so that they can be scored again.
    """

    spent = True

    def __init__(self, outputs: Mapping[Place, Output]) -> None:
        self._outputs = outputs

    async def answer(self, case: Case, *, epoch: int) -> Output:
        """Return the stored output; CassetteMiss where there is none (the sample had errored)."""
        output = self._outputs.get((case.id, epoch))
        if output is None:
            raise CassetteMiss(f"no stored output of {case.id!r} epoch {epoch}")
        return output

    def fingerprint(self) -> Mapping[str, Any]:
        """Tell nothing: what answered is told by the run or baseline that the answers are of."""
        return {}


def parts_needed(scorer: BoundScorer) -> frozenset[str]:
    """Return which parts of an output a scorer may read."""
    if scorer.kind in _TEXT_KINDS:
        return frozenset({"text"})
    if scorer.kind == "judge":
        shown = "retrieved" in scorer.parts.get("show", "")
        return frozenset({"text", "retrieved"} if shown else {"text"})
    return frozenset(PARTS)


@dataclass(frozen=True, slots=True)
class Missing:
    """A stored output that a scorer cannot judge again, and the part that was not kept."""

    scorer: str
    case: str
    epoch: int
    part: str


def baseline_outputs(
    baseline: Baseline, *, rows: Mapping[str, CaseRow], samples: Iterable[Sample] = ()
) -> dict[Place, tuple[Output, frozenset[str]]]:
    """Return the outputs that a baseline keeps, each with the parts of it that are not there.

    `samples` are of the run that became this baseline, where its folder is still there: an answer that was
    too long for the baseline is taken from them, if its hash is the one in the baseline.
    """
    whole = {(s.case, s.epoch): s.output for s in samples if s.output is not None}
    told = baseline.header.outputs is not None
    if not baseline.outputs_text and not told:
        # It keeps none (`outputs: none`): the run itself, which nothing rewrites, has them all.
        return {place: (output, frozenset()) for place, output in whole.items() if place[0] in rows}
    found: dict[Place, tuple[Output, frozenset[str]]] = {}
    for line in baseline.outputs():
        row = rows.get(line.case)
        if row is None:
            continue
        place = line.case, line.epoch
        kept = whole.get(place)
        if kept is not None and output_hash(kept) == line.sha256:
            found[place] = kept, frozenset()
        else:
            found[place] = _output_of(line, row), _lacking(line, told=told)
    return found


def _output_of(line: StoredOutput, row: CaseRow) -> Output:
    return Output(
        text=line.text or "",
        data=line.data,
        retrieved=line.retrieved,
        tool_calls=line.tool_calls,
        latency_s=_at(row.latency_s, line.epoch),
        cost_usd=_at(row.cost_usd, line.epoch),
    )


def _lacking(line: StoredOutput, *, told: bool) -> frozenset[str]:
    """Return the parts that the answer had, or may have had, and that are not in the baseline."""
    lacking = set(line.cut)
    if line.text is None:
        lacking.add("text")
    if not told:
        # Written before these were kept: nobody knows whether the answer had any.
        lacking.update({"data", "retrieved", "tool_calls"})
    return frozenset(lacking)


def _at(values: Sequence[float | None], epoch: int) -> float | None:
    return values[epoch] if 0 <= epoch < len(values) else None


def missing_parts(
    outputs: Mapping[Place, tuple[Output, frozenset[str]]],
    *,
    scorers: Mapping[str, Collection[BoundScorer]],
    expected: Collection[Place],
) -> list[Missing]:
    """Return what keeps scorers from judging outputs again.

    scorers   those that are to judge each case
    expected  the samples that had an answer
    """
    found = []
    for case, epoch in sorted(expected):
        stored = outputs.get((case, epoch))
        for scorer in scorers.get(case, ()):
            lacking = frozenset({"text"}) if stored is None else stored[1]
            for part in sorted(lacking & parts_needed(scorer)):
                found.append(Missing(scorer.name, case, epoch, part))
    return found
