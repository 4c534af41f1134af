"""Two sides of a comparison, laid beside each other case by case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import UsageError
from ..model.baseline import CaseRow, ScorerInfo


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison.

    rows            one row a case
    scorers         what each scorer is; gates of unknown scorers are refused
    output_hashes   case -> one sha256 an epoch; {} when unknown
    planned_epochs  samples planned a case, where a row may hold fewer; None: as many as the row holds
    """

    rows: tuple[CaseRow, ...]
    scorers: Mapping[str, ScorerInfo]
    output_hashes: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    planned_epochs: Mapping[str, int] | int | None = None

    def planned(self, row: CaseRow) -> int:
        """Return how many samples of this case were planned; never fewer than there are, and one at least."""
        wish = self.planned_epochs
        asked = wish if isinstance(wish, int) else (wish or {}).get(row.case, 0)
        return max(asked, epochs_of(row), 1)


def first_epochs(side: Side, epochs: int) -> Side:
    """Return the side as it was when each case had `epochs` epochs at most."""
    return Side(
        rows=tuple(_first_of(row, epochs) for row in side.rows),
        scorers=side.scorers,
        output_hashes={case: hashes[:epochs] for case, hashes in side.output_hashes.items()},
        planned_epochs={row.case: min(side.planned(row), epochs) for row in side.rows},
    )


def _first_of(row: CaseRow, epochs: int) -> CaseRow:
    """Cut all that a row has one entry an epoch of: whatever were longer would pass for samples unjudged."""
    return row.model_copy(
        update={
            "scores": {name: values[:epochs] for name, values in row.scores.items()},
            "labels": {name: values[:epochs] for name, values in row.labels.items()},
            "latency_s": row.latency_s[:epochs],
            "cost_usd": row.cost_usd[:epochs],
            "tokens_in": row.tokens_in[:epochs],
            "tokens_out": row.tokens_out[:epochs],
            "retrieved": row.retrieved[:epochs],
            "errors": min(row.errors, epochs),
        }
    )


def epochs_of(row: CaseRow) -> int:
    """Return how many samples stand behind a row, judged or not."""
    # Asked for every case and scorer: a generator would cost four times as much.
    scores = max(map(len, row.scores.values())) if row.scores else 0
    return max(scores, len(row.latency_s), len(row.cost_usd), row.errors)


def judged_of(row: CaseRow) -> int:
    """Return how many samples of a row have every score that they should have."""
    epochs = epochs_of(row)
    if not row.errors and all(len(one) == epochs and None not in one for one in row.scores.values()):
        return epochs
    unscored = {
        epoch
        for values in row.scores.values()
        for epoch in range(epochs)
        if epoch >= len(values) or values[epoch] is None
    }
    return epochs - max(len(unscored), row.errors)


@dataclass(frozen=True, slots=True)
class Alignment:
    """The candidate's rows, sorted by case, each with its row in the baseline where the two are the same.

    Sorted, because sums and draws over the cases must not depend on how a file was written or a run went.
    """

    rows: tuple[CaseRow, ...]
    partners: tuple[CaseRow | None, ...]
    identical: tuple[bool, ...]
    new: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def align(candidate: Side, baseline: Side | None) -> Alignment:
    """Pair rows by case id and digest, never by position.

    A case whose digest differs is *changed* and not compared; where one side knows no digest (flat scores)
    the id decides. Raises UsageError when a side has a case twice.
    """
    now, was = _by_case(candidate, "candidate"), _by_case(baseline, "baseline") if baseline else {}
    partners: list[CaseRow | None] = []
    changed = []
    rows = tuple(sorted(candidate.rows, key=lambda row: row.case))
    for row in rows:
        partner = was.get(row.case)
        if partner is not None and partner.digest and row.digest and partner.digest != row.digest:
            changed.append(row.case)
            partner = None
        partners.append(partner)
    hashes = baseline.output_hashes if baseline else {}
    return Alignment(
        rows=rows,
        partners=tuple(partners),
        identical=tuple(
            partner is not None
            and same_outputs(candidate.output_hashes.get(row.case, ()), hashes.get(row.case, ()))
            for row, partner in zip(rows, partners, strict=True)
        ),
        new=tuple(sorted(case for case in now if case not in was)) if baseline else (),
        removed=tuple(sorted(case for case in was if case not in now)),
        changed=tuple(sorted(changed)),
    )


def same_outputs(now: tuple[str | None, ...], was: tuple[str | None, ...]) -> bool:
    """Tell whether both sides answered byte for byte alike, in whatever order of epochs.

    An output that is missing or unknown is not alike. Different numbers of epochs are alike when all of them
    are one and the same output.
    """
    if not now or not was or None in now or None in was:
        return False
    if len(now) == len(was):
        return sorted(map(str, now)) == sorted(map(str, was))
    return len({*now, *was}) == 1


def _by_case(side: Side, name: str) -> dict[str, CaseRow]:
    found = {row.case: row for row in side.rows}
    if len(found) < len(side.rows):
        seen: set[str] = set()
        twice = next(row.case for row in side.rows if row.case in seen or seen.add(row.case))  # type: ignore[func-returns-value]
        raise UsageError(f"{name}: case {twice!r} stands there twice; a case id names one case of an evalset")
    return found
