"""A row of the bench counts only where its client did the work; the server answers and fails as it says."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

from benchmarks.clients import OURS, RAW, Client, ours, printed_right, raw_clients
from benchmarks.contest import Race, hold
from benchmarks.faults import KINDS, FaultPlan
from benchmarks.items import count_right
from benchmarks.keeping import kill_near_the_end, resume
from benchmarks.peers.taking_part import peers
from benchmarks.serving import Server, as_options, mock_server

LIAR = f"print('{{\"right\": {count_right(64)}}}')"


def lying(name: str, code: str, missing: str | None = None) -> Client:
    """Return a client that runs some code in place of the work."""
    return Client(name, lambda _: [sys.executable, "-c", code], printed_right, missing=lambda: missing)


def test_a_row_counts_only_where_its_client_did_the_work() -> None:
    """One round of 64 cases with a judge: two are honest, one lies, one fails, one is not there."""
    honest = [client for client in [*raw_clients(), *ours()] if client.name in (RAW, OURS)]
    others = [lying("asks nobody", LIAR), lying("fails", "raise SystemExit(3)")]
    absent = lying("absent", "", missing="no npm")
    found = hold("contest", [*honest, *others, absent], races=[Race(64, True, 1)])
    runs = {run["client"]: run for run in found.runs}
    for client in (RAW, OURS):
        assert "invalid" not in runs[client]
        assert runs[client]["requests"] == 128  # once a case, and once for each judgement
        assert 1 < runs[client]["max_in_flight"] <= 32
    assert runs["asks nobody"]["invalid"] == "requests 0, not 128; judge calls 0, not 64"
    assert "exited 3" in runs["fails"]["invalid"]
    assert found.absent == {"absent": "no npm"}


def test_other_tools_are_absent_by_name_where_they_are_not_installed() -> None:
    names = [peer.name for peer in peers()]
    assert names == ["pydantic-evals", "deepeval", "inspect-ai", "promptfoo", "pytest-evals"]
    assert all(why is None or "make bench-peers" in why for why in (peer.missing() for peer in peers()))


def test_faults_are_drawn_alike_in_every_run_and_in_the_share_asked_for() -> None:
    drawn = Counter(FaultPlan(0.05).fault_of(number) for number in range(20_000))
    assert drawn == Counter(FaultPlan(0.05).fault_of(number) for number in range(20_000))
    assert set(drawn) == {None, *KINDS}
    assert 0.045 < 1 - drawn[None] / 20_000 < 0.055
    assert max(drawn[kind] for kind in KINDS) < 1.5 * min(drawn[kind] for kind in KINDS)
    assert drawn != Counter(FaultPlan(0.05, seed=2).fault_of(number) for number in range(20_000))


def asked_once(server: Server) -> str:
    """Ask about one item and return what came: ok, half, reset, or the status."""
    message = {"role": "user", "content": "item #1"}
    body = json.dumps({"model": "mock-1", "messages": [message]}).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(server.chat_url, body), timeout=10) as reply:
            text = reply.read()
    except urllib.error.HTTPError as error:
        after = error.headers["retry-after"]
        return str(error.code) + (f" after {after}" if after else "")
    except (OSError, urllib.error.URLError):
        return "reset"
    try:
        json.loads(text)
    except ValueError:
        return "half"
    return "ok"


def test_the_server_fails_in_the_ways_that_it_counts() -> None:
    with mock_server(*as_options(latency_ms=0, faults=0.9, retry_after=7)) as server:
        found = Counter(asked_once(server) for _ in range(30))
        counted = server.stats()["faults"]
    assert found["429 after 7"] == counted["too_many"] > 0
    assert found["500"] == counted["http_500"] > 0
    assert found["reset"] == counted["reset"] > 0
    assert found["half"] == counted["truncated"] > 0
    assert found["ok"] == 30 - sum(counted.values()) + counted["slow"]


def test_resuming_a_killed_run_is_measured_only_if_nothing_finished_was_asked_again(tmp_path: Path) -> None:
    """The bench kills a run with SIGKILL before its last answer; what goes on asks for that one alone."""
    kept = kill_near_the_end(tmp_path / "killed", count=60)
    assert kept == 59
    assert resume(tmp_path / "killed", count=60, kept=kept).wall_s > 0
    assert (tmp_path / "killed" / "calls.txt").read_text() == "."
