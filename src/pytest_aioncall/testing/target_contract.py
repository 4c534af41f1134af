"""What every target has to keep to, ours and yours."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterable

from ..errors import AioncallError
from ..model.evalset import Case
from ..model.frozen import digest_of
from ..model.sample import Output
from ..protocols import Lifecycle, Target
from .promises import demand


def check_target(
    target: Target | Callable[[], Target],
    *,
    answers: Case | Iterable[Case] = (),
    breaks: Case | Iterable[Case] = (),
) -> list[Output]:
    """Hold a target, or a factory of one, to the contract; return its outputs for `answers`, in order.

    Every case of `answers` gets an Output in two epochs, alone and side by side; every case of `breaks` ends
    in one of our errors (TransportError, TargetError, CassetteMiss), never in an Output. The target is opened
    and closed once around all of it. AssertionError says which promise is broken.

        target = make_target({"python": "myapp.triage:route"})
        check_target(target, answers=Case(id="c", input={"ticket": "Where is my refund?"}))
    """
    made = target if isinstance(target, Target) else target()
    demand(isinstance(made, Target), f"{type(made).__name__} has no answer and fingerprint methods")
    check_fingerprint(made)
    return asyncio.run(_answers(made, _cases(answers), _cases(breaks)))


def check_fingerprint(target: Target) -> None:
    """Check that a target's fingerprint is JSON and the same when asked again."""
    first = digest_of(dict(target.fingerprint()))
    demand(digest_of(dict(target.fingerprint())) == first, "the fingerprint changes from call to call")


async def _answers(target: Target, answers: list[Case], breaks: list[Case]) -> list[Output]:
    lifecycle = target if isinstance(target, Lifecycle) else None
    if lifecycle is not None:
        await lifecycle.open()
    try:
        outputs = [await _answer(target, case, 0) for case in answers]
        await asyncio.gather(*(_answer(target, case, 1) for case in answers))
        for case in breaks:
            await _break(target, case)
    finally:
        if lifecycle is not None:
            await lifecycle.close()
    check_fingerprint(target)
    return outputs


async def _answer(target: Target, case: Case, epoch: int) -> Output:
    before = copy.deepcopy(case)
    output = await target.answer(case, epoch=epoch)
    demand(case == before, f"the target changed the case {case.id!r}")
    demand(isinstance(output, Output), f"the target returned {type(output).__name__}, not an Output")
    demand(Output.model_validate_json(output.model_dump_json()) == output, "the output does not survive JSON")
    return output


async def _break(target: Target, case: Case) -> None:
    try:
        output = await target.answer(case, epoch=0)
    except AioncallError:
        return
    raise AssertionError(f"the case {case.id!r} should end in an error, and got {output!r}")


def _cases(given: Case | Iterable[Case]) -> list[Case]:
    return [given] if isinstance(given, Case) else list(given)
