"""Whole answers of a target in a cassette, for targets that do their own talking (python, command).

Such a target is run live under replay unless YAML says `cassette: true`: replaying whole answers hides every
change of the code behind them, except of the function named itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from ...errors import CassetteMiss
from ...model.evalset import Case
from ...model.sample import Output
from ...protocols import Lifecycle, PieceContext, Reply, Target


@runtime_checkable
class Cassette(Protocol):
    """What a wire with recordings can do besides sending."""

    @property
    def recalls(self) -> bool: ...

    @property
    def asks(self) -> bool: ...

    @property
    def keeps(self) -> bool: ...

    def recall(self, asked: Mapping[str, Any], *, epoch: int) -> Reply: ...

    def keep(self, asked: Mapping[str, Any], *, epoch: int, reply: Reply) -> None: ...


class CassetteTarget:
    """Record or replay the answers of `target` by what it is (its fingerprint), the input and the epoch."""

    def __init__(self, target: Target, cassette: Cassette) -> None:
        self._target, self._cassette = target, cassette

    async def open(self) -> None:
        if isinstance(self._target, Lifecycle) and self._cassette.asks:
            await self._target.open()

    async def close(self) -> None:
        if isinstance(self._target, Lifecycle):
            await self._target.close()

    async def answer(self, case: Case, *, epoch: int) -> Output:
        asked = {"target": self._target.fingerprint(), "input": case.input}
        if self._cassette.recalls:
            try:
                return self._recalled(asked, case, epoch)
            except CassetteMiss:
                if not self._cassette.asks:
                    raise
        output = await self._target.answer(case, epoch=epoch)
        if self._cassette.keeps:
            # How long it took stands beside it: a recording of the same answer is the same bytes.
            told = output.model_dump(mode="json", exclude_none=True, exclude={"latency_s"})
            body = json.dumps(told).encode()
            reply = Reply(200, {"content-type": "application/json"}, body, output.latency_s or 0.0)
            self._cassette.keep(asked, epoch=epoch, reply=reply)
        return output

    def _recalled(self, asked: Mapping[str, Any], case: Case, epoch: int) -> Output:
        reply = self._cassette.recall(asked, epoch=epoch)
        try:
            output = Output.model_validate_json(reply.body)
        except ValueError:
            raise CassetteMiss(
                f"the recording for case {case.id} epoch {epoch} holds no output; record it again"
            ) from None
        return output.model_copy(update={"replayed": reply.replayed, "latency_s": reply.latency_s})

    def fingerprint(self) -> Mapping[str, Any]:
        return self._target.fingerprint()


def recorded(target: Target, *, context: PieceContext) -> Target:
    """Return `target` behind the cassette of this run, or as it is where the run has none."""
    wire: object = context.wire
    return CassetteTarget(target, wire) if isinstance(wire, Cassette) else target
