"""The same work by every client, in rounds, in one run: who took how long."""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clients import Bout, Client, ours, prepare, raw_clients
from benchmarks.items import count_right
from benchmarks.meter import CLIENT_CORE, SERVER_CORE, CommandFailed, busy_s, measure
from benchmarks.project import CONCURRENCY
from benchmarks.results import Results, Run, now
from benchmarks.serving import Server, as_options, child_environment, mock_server

LATENCY_S = 0.05


@dataclass(frozen=True, slots=True)
class Race:
    """One size of the work and how often everybody does it."""

    count: int
    judge: bool
    rounds: int


CORE = (Race(1_000, False, 5), Race(10_000, False, 3), Race(1_000, True, 3), Race(10_000, True, 1))
CORE_QUICK = (Race(1_000, False, 2), Race(1_000, True, 1))
PEERS = (Race(1_000, False, 1), Race(10_000, False, 1), Race(1_000, True, 1))
PEERS_QUICK = (Race(200, False, 1), Race(200, True, 1))


def ideal_s(count: int, *, judge: bool) -> float:
    """Return the wall time of a client that costs nothing: full waves of requests, one after the other."""
    return math.ceil(count / CONCURRENCY) * LATENCY_S * (2 if judge else 1)


def core_contest(*, quick: bool) -> Results:
    """Return the runs of the bare clients and our own."""
    return hold("contest", [*raw_clients(), *ours()], races=CORE_QUICK if quick else CORE)


def hold(
    part: str,
    clients: Sequence[Client],
    *,
    races: Sequence[Race],
    versions: Mapping[str, str] | None = None,
) -> Results:
    """Let every client that is installed do all the work; say who is absent and why."""
    absent = {client.name: why for client in clients if (why := client.missing()) is not None}
    present = [client for client in clients if client.name not in absent]
    runs: list[Run] = []
    with (
        mock_server(*as_options(latency_ms=1000 * LATENCY_S), core=SERVER_CORE) as server,
        tempfile.TemporaryDirectory(prefix="aioncall-bench-") as name,
    ):
        _warm_up(present, server, Path(name))
        for race in races:
            able = [client for client in present if race.count <= client.most]
            late = {c.name: f"over {c.most:,} cases not run: {c.slow}" for c in present if c not in able}
            absent |= late
            for number in range(race.rounds):
                for client in _order(able, number):
                    runs.append(_run(client, race, number, server=server, folder=Path(name)))
                    _tell(runs[-1])
    return now(part, runs, absent=absent, **(versions or {}))


def _warm_up(clients: Sequence[Client], server: Server, folder: Path) -> None:
    """Run everybody once over a few cases, unmeasured: byte code, file cache."""
    for client in clients:
        _run(client, Race(32, False, 1), 0, server=server, folder=folder)


def _order(clients: Sequence[Client], number: int) -> Iterator[Client]:
    """Yield the clients, beginning with another one each round, and every second round backwards."""
    if clients:
        first = number % len(clients)
        turned = [*clients[first:], *clients[:first]]
        yield from reversed(turned) if number % 2 else turned


def _run(client: Client, race: Race, number: int, *, server: Server, folder: Path) -> Run:
    """Let one client work once; what did not do exactly the work asked for is marked invalid."""
    place = folder / "bout"
    shutil.rmtree(place, ignore_errors=True)
    bout = Bout(place, race.count, race.judge, server)
    prepare(bout)
    server.reset()
    run: Run = {"cases": race.count, "judge": race.judge, "client": client.name, "round": number}
    busy = busy_s(SERVER_CORE)
    try:
        cost = measure(
            client.command(bout), folder=place, core=CLIENT_CORE, exits=client.exits,
            env={**child_environment(), **client.env},
        )  # fmt: skip
    except CommandFailed as failed:
        return {**run, "wall_s": 0.0, "invalid": str(failed)[-1500:]}
    busy = busy_s(SERVER_CORE) - busy
    seen = server.stats()
    right = client.right(bout, cost)
    run |= {
        "wall_s": round(cost.wall_s, 3),
        "cpu_s": round(cost.cpu_s, 3),
        "peak_mib": cost.peak_mib,
        "other_s": round(cost.other_s, 2),
        "requests": seen["requests"],
        "max_in_flight": seen["max_in_flight"],
        "server_cpu_s": round(seen["cpu_s"], 3),
        "server_other_s": round(max(0.0, busy - seen["cpu_s"]), 2) if SERVER_CORE != CLIENT_CORE else 0.0,
    }
    wrong = _unequal(race, seen, right)
    return {**run, "invalid": wrong} if wrong else run


def _unequal(race: Race, seen: Mapping[str, int], right: int) -> str:
    """Return what differs from the work that was asked for, empty where nothing does."""
    expected = {
        "requests": (seen["requests"], race.count * (1 + race.judge)),
        "judge calls": (seen["judge_requests"], race.count * race.judge),
        "right": (right, count_right(race.count)),
    }
    return "; ".join(f"{name} {found}, not {due}" for name, (found, due) in expected.items() if found != due)


def _tell(run: Run) -> None:
    """Say on stderr how far it is."""
    what = f"{run['cases']:>6,} cases{', judge' if run['judge'] else ''}, round {run['round'] + 1}"
    said = f"INVALID: {run['invalid']}" if "invalid" in run else f"{run['wall_s']:.2f} s"
    print(f"  {what}: {run['client']}: {said}", file=sys.stderr, flush=True)
