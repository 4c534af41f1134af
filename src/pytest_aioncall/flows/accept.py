"""`aioncall baseline accept`: the only way a baseline comes to be, or moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ..adapters import git
from ..adapters.baseline_store import (
    Baseline,
    baseline_path,
    baseline_text,
    marked,
    outputs_path,
    outputs_text,
    parse_baseline,
    stored_output,
)
from ..adapters.files import replace_all
from ..adapters.redaction import Redactor
from ..adapters.render import words
from ..adapters.text import log_line
from ..decide.chances import floor_chances
from ..decide.mergeable import told
from ..decide.movement import Movement, movements, same_evidence
from ..decide.powers import powers_of_side
from ..decide.rows import output_hash
from ..decide.sides import Side
from ..decide.sight import reconciled, sight_of
from ..errors import AioncallError, NotComparable, UsageError
from ..model.baseline import Acceptance, BaselineHeader, StoredOutput
from ..model.frozen import canonical_json
from ..model.run import Run, RunEvalset
from ..model.sample import Output, Sample
from ..model.selfcheck import FloorChances
from ..model.verdict import Judgement, Power, Sight
from ..settings import Settings
from .acceptable import Checks, current_evalset, listed
from .judge import find_baseline, judge_record
from .prepare import secrets_of
from .record import EvalsetRecord, rfc3339
from .runs import evalset_of, load_run, record_of, refuse_killed, samples_by_case


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was written (`kept`: nothing, the old one says the same), and what a reviewer wants to know of it.

    `drift` tells how far the scorers moved since the baseline before, and since the first one.
    """

    evalset: str
    path: Path
    cases: int
    epochs: int
    moved: tuple[str, ...]
    judgement: Judgement
    sights: tuple[Sight, ...]
    warnings: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    kept: bool = False
    powers: tuple[Power, ...] = ()
    floors: FloorChances | None = None


def accept(
    names: Sequence[str],
    *,
    run: str,
    reason: str,
    by: str | None,
    ticket: str | None,
    settings: Settings,
    allow_errors: int = 0,
) -> list[Accepted]:
    """Write the baselines of a run's evalsets (all of them where `names` is empty).

    Where no name is given, a baseline that would say the same as before is kept as it is. Raises UsageError
    for a run that is partial, could not be judged, has more than `allow_errors` errored samples, is of other
    cases or scorers than the evalset has now, regressed without a ticket, or whose outputs hold secrets or
    personal data. Nothing is written unless everything can be.
    """
    if not reason.strip():
        raise UsageError("--reason is empty; say in one sentence why this is how it should be")
    folder, found = load_run(run, settings)
    if found.shard is not None:
        raise UsageError(
            f"{told(found)} is a part of a run, and a baseline is of a whole one: put the shards together by "
            "aioncall runs merge RUN..., then accept the run that it writes"
        )
    who = by or git.user_of(settings.root)
    if who is None:
        raise UsageError("nobody to name as accepting: set git's user.name, or pass --by NAME")
    refuse_killed(found)
    wanted = [evalset_of(found, name) for name in names] if names else list(found.evalsets)
    ready = [_Acceptance(one, found, folder, settings) for one in wanted]
    for one in ready:
        one.check(ticket=ticket, allow_errors=allow_errors)
    done = [one.written(reason=reason.strip(), who=who, ticket=ticket, keep=not names) for one in ready]
    texts: dict[Path, str | None] = {}
    for one in ready:
        texts |= one.texts
    replace_all(texts)
    return done


class _Acceptance:
    """Accepts one evalset of one run."""

    def __init__(self, planned: RunEvalset, run: Run, folder: Path, settings: Settings) -> None:
        self.planned = planned = _as_written(planned)
        self.run = run
        self.settings = settings
        self.path = baseline_path(settings.root / planned.file, planned.evalset)
        self.samples: dict[str, list[Sample]] = samples_by_case(folder, planned)
        self.record: EvalsetRecord = record_of(planned, self.samples)
        self.texts: dict[Path, str | None] = {}
        self.before: Baseline | None = None
        self._warnings: list[str] = []

    def check(self, *, ticket: str | None, allow_errors: int) -> None:
        """Refuse what must not become a baseline; the cheapest reasons to mend come first."""
        name, planned = self.planned.evalset, self.planned
        current = current_evalset(planned, self.settings)
        checks = Checks(self.run, planned, self.record, self.samples, current, self.settings)
        checks.refuse_partial()
        settings = replace(self.settings, require_baseline=False, baseline_ref=None)
        found = find_baseline(self.settings.root / planned.file, name, settings)
        if found.unreadable and found.why_not:
            raise NotComparable(found.why_not)
        self.before = found.baseline
        judgement = self.judgement = judge_record(planned, self.record, found, settings).judgement
        if judgement.status == "cannot_judge":
            raise UsageError(f"{name}: run {self.run.id} could not be judged: {judgement.summary}")
        if self.record.user_errors:
            why = self.record.why_failed or f"{self.record.user_errors} samples ended in an exception"
            raise UsageError(f"{name}: {why}; mend them first")
        checks.refuse_stopped_early()
        checks.refuse_outdated()
        checks.refuse_errors(allowed=allow_errors)
        broken = [f for f in judgement.floors if not f.ok]
        if broken:
            raise UsageError(
                f"{name}: {broken[0].kind} {broken[0].scorer} is broken in {broken[0].case}; "
                "a broken floor cannot be accepted: mend it, or take it out of the evalset"
            )
        if judgement.status == "regressed" and not ticket:
            raise UsageError(
                f"{name}: run {self.run.id} regressed: {judgement.summary}. To accept it on purpose: "
                "--accept-regression TICKET"
            )
        # What is committed follows the evalset as it is now, also where the run was of another mind.
        self.keep_outputs = current.evalset.outputs
        secrets = {**self.settings.secrets, **secrets_of(current.evalset)}
        self.redactor = Redactor(secrets.values(), self.settings.config.redact)
        self._refuse_private_text()
        self._warnings = checks.warnings()

    def _refuse_private_text(self) -> None:
        """Baselines are committed: nothing secret and nobody's personal data may get in."""
        if self.keep_outputs == "none":
            return
        for case, samples in self.samples.items():
            for sample in samples:
                text = sample.output.text if sample.output else ""
                kinds = self.redactor.find(text)
                if kinds:
                    raise UsageError(
                        f"{self.planned.evalset}: output of {case} epoch {sample.epoch} looks like it holds "
                        f"{kinds[0]}; add a pattern to redact in aioncall.yaml, or set outputs: none"
                    )

    def written(self, *, reason: str, who: str, ticket: str | None, keep: bool) -> Accepted:
        """Prepare both files in `texts`; none where `keep` and the old baseline says the same."""
        planned = self.planned
        outputs = self._outputs_text()
        header = BaselineHeader(
            evalset=planned.evalset,
            accepted_by=who,
            accepted_at=rfc3339(self.settings.now or datetime.now(UTC)),
            reason=reason,
            commit=self.run.commit,
            run=self.run.id,
            instrument=planned.fingerprint.instrument,
            subject=planned.fingerprint.subject,
            scorers=planned.scorers,
            accepts=self._accepts(ticket),
            dirty=self.run.dirty,
            outputs=marked(outputs) if outputs is not None else None,
        )
        rows = tuple(self.record.rows.values())
        kept = keep and self._says_the_same(header)
        if not kept:
            # The header comes last: until it is there, the old one stands, and the outputs are not its own.
            self.texts = {outputs_path(self.path): outputs, self.path: baseline_text(header, rows)}
        before = {row.case: row for row in self.before.rows} if self.before else {}
        moved = tuple(
            row.case for row in rows if row.case in before and before[row.case].scores != row.scores
        )
        side = Side(rows=rows, scorers=planned.scorers, planned_epochs=planned.epochs)
        powers = powers_of_side(side, planned.gates, self.settings.config.defaults)
        sights = tuple(reconciled(sight_of(side, planned.gates, self.settings.config.defaults), powers))
        return Accepted(
            planned.evalset,
            self.path,
            len(rows),
            planned.epochs,
            moved,
            self.judgement,
            sights=sights,
            warnings=tuple(self._warnings),
            drift=tuple(self._drift()),
            kept=kept,
            powers=tuple(powers),
            floors=floor_chances(self.record.all_floors),
        )

    def _accepts(self, ticket: str | None) -> tuple[Acceptance, ...]:
        if not ticket or self.judgement.status != "regressed":
            return ()
        return tuple(
            Acceptance(scorer=v.scorer, slice=v.slice, ticket=ticket)
            for v in self.judgement.verdicts
            if v.status == "regressed"
        )

    def _says_the_same(self, header: BaselineHeader) -> bool:
        """Tell whether the baseline that stands has the same cases, scores, answers, scorers, subject."""
        if self.before is None or self.before.mismatch:
            return False
        was = self.before.header
        return (
            {name: (i.kind, i.scale, i.hash) for name, i in was.scorers.items()}
            == {name: (i.kind, i.scale, i.hash) for name, i in header.scorers.items()}
            and was.subject == header.subject
            and was.outputs == header.outputs
            and not header.accepts
            and same_evidence(list(self.record.rows.values()), self.before.rows)
        )

    def _outputs_text(self) -> str | None:
        if self.keep_outputs == "none":
            return None
        whole = self.keep_outputs == "full"
        kept: list[StoredOutput] = []
        private: list[str] = []
        for case, samples in self.samples.items():
            for sample in samples:
                if sample.output is None:
                    continue
                output = sample.output if whole else redacted(sample.output, self.redactor)
                found = stored_output(
                    case, sample.epoch, output=output, sha256=output_hash(sample.output), keep_all=whole
                )
                kept.append(self._without_private_parts(found))
                if kept[-1] is not found:
                    private.append(f"{case} epoch {sample.epoch}")
        if private:
            self._warnings.append(
                f"data, documents or tool calls that look private are not kept: {listed(private)}; scorers "
                "that read them cannot judge these answers again. A pattern under redact helps"
            )
        return outputs_text(kept)

    def _without_private_parts(self, output: StoredOutput) -> StoredOutput:
        dropped = []
        for name in ("data", "retrieved", "tool_calls"):
            part = output.model_dump(mode="json", include={name})[name]
            if part is not None and self.redactor.find(canonical_json(part)):
                dropped.append(name)
        if not dropped:
            return output
        return output.model_copy(
            update={**dict.fromkeys(dropped), "cut": tuple(sorted({*output.cut, *dropped}))}
        )

    def _drift(self) -> list[str]:
        """Say how far each gated scorer moved since the baseline before, and since the first in git."""
        if self.before is None:
            return []
        header = self.before.header
        lines = self._moved_since(self.before, f"the baseline of {log_line(header.accepted_at[:10], 20)}")
        first = git.first_version(self.settings.root, self.path)
        if first is None:
            return lines
        commit, day, text = first
        try:
            oldest = parse_baseline(text, outputs="", path=self.path)
        except AioncallError:
            return lines
        if (oldest.header.run, oldest.header.accepted_at) == (header.run, header.accepted_at):
            return lines
        return lines + self._moved_since(oldest, f"the first baseline ({day}, {commit[:7]})")

    def _moved_since(self, baseline: Baseline, name: str) -> list[str]:
        gated = {gate.scorer for gate in self.planned.gates}
        found = movements(
            self.record.rows.values(),
            baseline.rows,
            scorers={n: i for n, i in self.planned.scorers.items() if n in gated},
            scorers_before=baseline.header.scorers,
        )
        return [_movement_line(one, name) for one in found if abs(one.now - one.was) > 1e-9]


def _as_written(planned: RunEvalset) -> RunEvalset:
    """Return an evalset of a run without the scorers that were put back for it: a merge base had them."""
    if not planned.restored:
        return planned
    gone = set(planned.restored)
    instrument = {k: v for k, v in planned.fingerprint.instrument.items() if k not in gone}
    return planned.model_copy(
        update={
            "scorers": {k: v for k, v in planned.scorers.items() if k not in gone},
            "fingerprint": planned.fingerprint.model_copy(update={"instrument": instrument}),
            "restored": (),
        }
    )


def _movement_line(one: Movement, since: str) -> str:
    was, now = words.mean(one.was, one.scale), words.mean(one.now, one.scale)
    difference = words.difference(one.now - one.was, one.scale)
    cases = words.counted(one.cases, "case")
    return f"{log_line(one.scorer, 60)}: {was} -> {now} ({difference}) since {since}, over {cases}"


def redacted(output: Output, redactor: Redactor) -> Output:
    """Return an output without the secrets that the redactor knows, in all of its parts."""
    documents = output.retrieved
    if documents is not None:
        documents = tuple(
            d.model_copy(
                update={"id": redactor.text(d.id), "text": redactor.text(d.text) if d.text else d.text}
            )
            for d in documents
        )
    calls = output.tool_calls
    return output.model_copy(
        update={
            "text": redactor.text(output.text),
            "data": redactor.json(output.data) if output.data is not None else None,
            "retrieved": documents,
            "tool_calls": tuple(redactor.json(call) for call in calls) if calls is not None else None,
        }
    )
