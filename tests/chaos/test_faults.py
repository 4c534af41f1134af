"""Every fault of a model server, and of the network between, comes to what the table says and nothing else:
through the engine, the wire, the `chat` target and the `judge`, in both protocols."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from fault_server import VERDICT, FaultServer, step_of, well
from fault_table import JUDGE, MAKERS, TARGET, Fault, faults

from pytest_aioncall.adapters.net import HttpWire
from pytest_aioncall.engine import Engine, Job
from pytest_aioncall.model.config import Config
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Output, Sample
from pytest_aioncall.testing import make_scorer, make_target, piece_context

FAULTS = faults()
TOOLS = {
    "openai": [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}],
    "anthropic": [{"name": "look_up", "input_schema": {"type": "object"}}],
}
HANGS_S = 30.0
_numbers = itertools.count()


@dataclass
class Clock:
    """Time for the pauses between attempts: they are kept in `waits`, and over at once."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += max(0.0, seconds)
        await asyncio.sleep(0)


class Fixed:
    """A target that answers without a network, so that the judge alone meets the fault."""

    async def answer(self, case: Case, *, epoch: int) -> Output:
        return Output(text="Reboot it.")

    def fingerprint(self) -> Mapping[str, Any]:
        return {}


@dataclass
class Asker:
    """One side of the fault: who asks (target or judge), whether it lasts, and what came of it."""

    fault: Fault
    maker: str
    kind: str
    client: Any
    who: str
    once: bool
    model: str = field(default_factory=lambda: f"m-{next(_numbers)}")
    clock: Clock = field(default_factory=Clock)
    samples: list[Sample] = field(default_factory=list)

    async def ask(self, base_url: str) -> None:
        provider = {
            "kind": self.kind,
            "base_url": base_url,
            "api_key_env": "CHAOS_KEY",
            "timeout_s": self.fault.timeout_s or HANGS_S / 3,
            "max_attempts": self.fault.tries,
        }
        prices = {f"p/{self.model}": {"input": 1.0, "output": 1.0}}
        config = Config.model_validate({"providers": {"p": provider}, "prices": prices})
        wire = HttpWire(
            concurrency=4,
            providers=config.providers,
            client=self.client,
            sleep=self.clock.sleep,
            clock=self.clock,
        )
        context = piece_context(config=config, wire=wire, secrets={"CHAOS_KEY": "sk-chaos-0123456789"})
        engine = Engine(concurrency=1, publish=self.samples.append, now=lambda: "2026-11-22T00:00:00Z")
        try:
            await engine.feed([self._job(context)], lambda *_: None)
        finally:
            await engine.close()
            await wire.close()

    def _job(self, context: Any) -> Job:
        params: dict[str, Any] = {}
        made = self.fault.by[self.maker]
        if isinstance(made, Mapping) and made.get("type") == "tool_fault":
            params["tools"] = TOOLS[self.kind]
        asked = {"model": f"p/{self.model}", "params": params}
        if self.who == "target":
            target: Any = make_target({"chat": {**asked, "prompt": "Answer: {{ input }}"}}, context)
            scorers: Sequence[Any] = [make_scorer({"contains": "score"}, context)]
        else:
            target = Fixed()
            scorers = [make_scorer({"judge": {**asked, "rubric": "Helpful answers are good."}}, context)]
        case = Case(id="c", input="How do I mend it?")
        return Job("e", case, target, scorers, self.fault.epochs, timeout_s=HANGS_S)


def _cases() -> list[Any]:
    """Every row, by every server that can do it, in both protocols; our own over both ways to send."""
    return [
        pytest.param(fault, maker, kind, client, id="-".join((fault.id, maker, kind, client)))
        for fault in FAULTS
        for maker in fault.by
        for kind in fault.protocols
        for client in (("httpx", "aiohttp") if maker == "own" else ("auto",))
    ]


@pytest.mark.parametrize(("fault", "maker", "kind", "client"), _cases())
def test_a_fault_comes_to_what_the_table_says(
    fault: Fault,
    maker: str,
    kind: str,
    client: Any,
    fault_server: FaultServer,
    request: pytest.FixtureRequest,
) -> None:
    """While it lasts: its class, its message, its attempts. Once: invisible, where the table says so."""
    if client == "aiohttp":
        pytest.importorskip("httpx_aiohttp", reason="the extra [speed] is not installed")
    other = None if maker == "own" else request.getfixturevalue(f"{maker}_server")
    onces = (False, True) if fault.goes_by else (False,)
    askers = [Asker(fault, maker, kind, client, who, once) for who in ("target", "judge") for once in onces]
    made = fault.by[maker]

    async def all_at_once() -> None:
        async with asyncio.timeout(HANGS_S):
            await asyncio.gather(
                *(
                    asker.ask(
                        _scripted(fault_server, asker, made) if other is None else _told(other, asker, made)
                    )
                    for asker in askers
                )
            )
        for _ in range(10):  # generators that were broken off are closed by tasks of the loop's own
            await asyncio.sleep(0)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert not left, "something is still asking"

    asyncio.run(all_at_once())
    for asker in askers:
        seen = len(fault_server.seen(asker.model)) if other is None else other.seen(asker.model)
        _check(asker, seen)


def _scripted(server: FaultServer, asker: Asker, made: Mapping[str, Any]) -> str:
    """Script our own server; return the base_url."""
    if "address" in made:
        return str(made["address"]).format(port=server.port, dead=_dead_port())
    steps = [step_of({"wire": name}) for name in made["wires"]] if "wires" in made else [step_of(made)]
    server.script(asker.model, *steps, *([well] if asker.once else []))
    return server.address(asker.model) + ("/v1" if asker.kind == "openai" else "")


def _told(other: Any, asker: Asker, made: Any) -> str:
    other.script(asker.model, made, once=asker.once, then=VERDICT)
    return str(other.address(asker.kind))


def _dead_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _check(asker: Asker, seen: int) -> None:
    fault = asker.fault
    assert len(asker.samples) == fault.epochs
    expected = fault.target if asker.who == "target" else fault.judge
    if asker.once:
        expected = "answer" if asker.who == "target" else "score"
    for sample in asker.samples:
        came_to, said = _class_of(asker.who, sample)
        assert (came_to, said) == (expected, said), sample
        if expected in ("answer", "score"):
            _check_answer(asker, sample)
        else:
            _check_error(asker, sample, said)
    if asker.maker not in fault.uncounted:
        assert seen == (2 if asker.once else fault.attempts_while_it_lasts)
    if fault.waits is not None and fault.again:
        assert max(asker.clock.waits) >= fault.waits - 0.001, asker.clock.waits


def _class_of(who: str, sample: Sample) -> tuple[str, str]:
    """Return the class of a sample in the words of the table, and what it says."""
    if who == "target":
        if sample.error is None:
            return "answer", ""
        kinds = {"transport": "transport", "target": "target error"}
        return kinds.get(sample.error.kind, sample.error.kind), sample.error.message
    (score,) = sample.scores
    if score.error is None:
        return "score", ""
    unparsable = score.error.startswith(("the judge's ", "the judge replied "))
    return ("unparsable" if unparsable else "judge error"), score.error


def _check_answer(asker: Asker, sample: Sample) -> None:
    fault = asker.fault
    if asker.who == "judge":
        assert sample.scores[0].value == 4.0
        assert (sample.scores[0].cost_usd is None) == fault.unpriced
        return
    assert sample.output is not None
    if not asker.once:
        assert fault.finish is None or sample.output.finish == fault.finish
        assert (sample.output.cost_usd is None) == fault.unpriced
    if asker.once or fault.judge == "score":
        assert sample.output.text == VERDICT


def _check_error(asker: Asker, sample: Sample, said: str) -> None:
    fault = asker.fault
    if asker.who == "target":
        assert sample.output is None, "a faulty reply became an output"
        assert sample.scores == (), "a faulty reply was scored"
    else:
        (score,) = sample.scores
        assert score.value is None, "a faulty reply of the judge became a mark"
        assert score.passed is None
    expected = fault.says if asker.who == "target" else fault.says_judge or fault.says
    assert expected is not None
    assert expected in said, said
    assert "; " in said, "it does not say what to do"
    assert said.isprintable(), "it could move the terminal's cursor"
    assert "sk-chaos" not in said


def test_the_table_is_whole() -> None:
    """Each fault has its classes, a server that provokes it, and words for a person."""
    assert len({fault.id for fault in FAULTS}) == len(FAULTS)
    for fault in FAULTS:
        assert fault.target in TARGET, fault.id
        assert fault.judge in JUDGE, fault.id
        assert fault.by and set(fault.by) <= set(MAKERS), fault.id
        assert fault.says or fault.target == "answer", fault.id
        assert fault.says or fault.says_judge or fault.judge == "score", fault.id
        assert (fault.target == "transport") <= (fault.judge == "judge error"), fault.id
