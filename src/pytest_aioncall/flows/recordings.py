"""What of an evalset is recorded: its questions, asked of its recordings alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from ..adapters.cassettes import CassetteWire
from ..engine import Job, NamedScorer
from ..errors import CassetteMiss, ScorerError, TargetError, TransportError, UsageError
from ..model.evalset import Case
from ..model.frozen import canonical_json
from .prepare import Prepared

# Whose questions follow from the answer alone; another scorer that asks somebody is code that we do not run.
_WALKED = frozenset({"judge", "similarity"})
_OWN_CODE = frozenset({"python", "command"})


@dataclass(slots=True)
class Gap:
    """Calls that are not recorded: how many, and the characters of the inputs that they are about."""

    calls: int = 0
    characters: int = 0

    def add(self, case: Case) -> None:
        """Count one more call, about this case."""
        self.calls += 1
        self.characters += len(canonical_json(case.input))


@dataclass(slots=True)
class Walk:
    """What a run would find of its questions.

    used       keys of recordings that the epochs of the evalset ask for
    further    keys that only further epochs ask for
    target     answers that are not recorded
    scorers    by name: judgements that are not recorded, those of answers that are not included
    providers  calls that are not recorded, by provider ('': no model's)
    unknown    why nobody can tell without a run; '' where all of this is known
    """

    used: set[str] = field(default_factory=set)
    further: set[str] = field(default_factory=set)
    target: Gap = field(default_factory=Gap)
    scorers: dict[str, Gap] = field(default_factory=dict)
    providers: Counter[str] = field(default_factory=Counter)
    unknown: str = ""

    def gap(self, scorer: str) -> Gap:
        """Return what is not recorded of a scorer; of the target for ''."""
        return self.scorers.get(scorer, Gap()) if scorer else self.target

    @property
    def missing(self) -> int:
        """How many calls are not recorded."""
        return self.target.calls + sum(gap.calls for gap in self.scorers.values())


def look(one: Prepared, cassette: CassetteWire) -> Walk:
    """Return what of an evalset is recorded. Runs none of the user's code, and needs no event loop."""
    walking = walk(one, cassette)
    try:
        walking.send(None)
    except StopIteration as done:
        found: Walk = done.value
        return found
    walking.close()
    return Walk(unknown="a piece of it waits for something besides recordings")


async def walk(
    one: Prepared, cassette: CassetteWire, *, further: Collection[int] = (), running_code: bool = False
) -> Walk:
    """Ask every question of an evalset's cases and epochs, those of its judges too, of the recordings alone.

    A judge is asked about the answer that is recorded. `further` are epochs beyond the evalset's own that are
    looked at, too. With `running_code` the `variables` of a chat target are run, as every replay runs them.
    """
    found = Walk(unknown=_why_unknown(one, running_code=running_code))
    if found.unknown or not _asks(one):
        return found
    with cassette.looking() as seen:
        for job in one.jobs:
            for epoch in range(job.first, job.first + job.epochs):
                await _look_at(job, epoch, found)
    found.used, found.providers = seen.used, seen.missing
    if found.target.calls:
        for models in (scorer.traits.models for job in one.jobs for scorer in job.scorers):
            # Its judges are asked once it has answered.
            found.providers.update(model.partition("/")[0] for model in models)
    beyond = Walk()
    with cassette.looking() as seen:
        for job in one.jobs:
            for epoch in further:
                if not job.first <= epoch < job.first + job.epochs:
                    await _look_at(job, epoch, beyond)
    found.further = seen.used - found.used
    found.unknown = found.unknown or beyond.unknown
    return found


def refuse_without_keys(one: Prepared, found: Walk, *, lacking: dict[str, str]) -> None:
    """Raise UsageError where a call that is not recorded needs a key that is not set.

    lacking  by provider, the variable that is not set; '' where none is missing
    """
    for provider, variable in lacking.items():
        if variable and found.providers[provider]:
            calls = "1 call is" if found.missing == 1 else f"{found.missing} calls are"
            raise UsageError(
                f"{one.evalset.file or one.path}: {calls} not recorded, and {variable} is not set to make "
                "them; set it, or replay what is recorded with --aioncall-replay alone"
            )


def _why_unknown(one: Prepared, *, running_code: bool) -> str:
    spec = one.evalset.target
    asking = sorted({s.name for job in one.jobs for s in job.scorers if not s.traits.deterministic})
    walked = {s.name for job in one.jobs for s in job.scorers if getattr(s, "kind", "") in _WALKED}
    own = [name for name in asking if name not in walked]
    if spec.kind in _OWN_CODE and not spec.options.get("cassette"):
        if not asking:
            return ""
        return f"what {asking[0]} is asked depends on what the target answers in a run"
    if spec.kind == "chat" and spec.options.get("variables") and not running_code:
        return f"what is asked depends on {spec.options['variables']}"
    if spec.kind not in _OWN_CODE and spec.kind not in ("chat", "http", "replay"):
        return f"target {spec.kind} asks by code of its own"
    if own:
        return f"scorer {own[0]} asks by code of its own"
    return ""


def _asks(one: Prepared) -> bool:
    """Tell whether a run of this evalset looks at recordings at all."""
    spec = one.evalset.target
    if spec.kind not in _OWN_CODE or spec.options.get("cassette"):
        return True
    return any(not scorer.traits.deterministic for job in one.jobs for scorer in job.scorers)


async def _look_at(job: Job, epoch: int, found: Walk) -> None:
    try:
        output = await job.target.answer(job.case, epoch=epoch)
    except CassetteMiss:
        found.target.add(job.case)
        for scorer in _judges(job):
            found.scorers.setdefault(scorer.name, Gap()).add(job.case)
        return
    except (TargetError, TransportError):
        return  # recorded, and no answer: nobody judges it
    except Exception as error:  # noqa: BLE001 - the user's own code: then nothing is known of this evalset
        found.unknown = found.unknown or f"case {job.case.id}: {type(error).__name__}: {error}"
        return
    for scorer in _judges(job):
        try:
            await scorer.scorer.score(job.case, output, epoch=epoch)
        except CassetteMiss:
            found.scorers.setdefault(scorer.name, Gap()).add(job.case)
        except (ScorerError, TransportError, TargetError):
            continue  # recorded, and no verdict


def _judges(job: Job) -> Iterable[NamedScorer]:
    return [scorer for scorer in job.scorers if not scorer.traits.deterministic]
