"""The other tools as clients: where they are installed, what runs them, what they found."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

from benchmarks.clients import OURS, OURS_FAST, RAW, Bout, Client, ours, printed_right, raw_clients, worker
from benchmarks.contest import PEERS, PEERS_QUICK, hold
from benchmarks.items import RUBRIC
from benchmarks.meter import Cost
from benchmarks.project import CONCURRENCY
from benchmarks.results import Results
from benchmarks.serving import ROOT

HOME = Path(os.environ.get("BENCH_PEERS") or ROOT / ".venv-peers")
PYTHON = HOME / "bin" / "python"
PROMPTFOO = HOME / "node" / "node_modules" / ".bin" / "promptfoo"
ABSENT = "not installed (`make bench-peers`)"


def peer_contest(*, quick: bool) -> Results:
    """Return the runs of the other tools, with a bare client and our own beside them."""
    beside = [one for one in [*raw_clients(), *ours()] if one.name in (RAW, "raw aiohttp", OURS, OURS_FAST)]
    versions = {name: found for name, found in _versions().items() if found}
    return hold("peers", [*beside, *peers()], races=PEERS_QUICK if quick else PEERS, versions=versions)


def peers() -> list[Client]:
    """Return every tool that is known here, installed or not."""
    found = [
        Client(
            name=name,
            command=worker(f"benchmarks.peers.{module}", python=str(PYTHON)),
            right=printed_right,
            missing=_missing(name),
        )
        for name, module in (
            ("pydantic-evals", "with_pydantic_evals"),
            ("deepeval", "with_deepeval"),
            ("inspect-ai", "with_inspect"),
        )
    ]
    return [*found, promptfoo(), pytest_evals()]


def promptfoo() -> Client:
    """Return promptfoo: its own contains and llm-rubric, nothing written but the results, no cache."""

    def command(bout: Bout) -> list[str]:
        (bout.folder / "promptfoo.json").write_text(json.dumps(_promptfoo_config(bout)), encoding="utf-8")
        quiet = ["--no-write", "--no-cache", "--no-table", "--no-progress-bar", "-j", str(CONCURRENCY)]
        return [str(PROMPTFOO), "eval", "-c", "promptfoo.json", "-o", "out.json", *quiet]

    def right(bout: Bout, _: Cost) -> int:
        told = json.loads((bout.folder / "out.json").read_text(encoding="utf-8"))
        successes: int = told["results"]["stats"]["successes"]
        return successes

    off = ("PROMPTFOO_DISABLE_TELEMETRY", "PROMPTFOO_DISABLE_UPDATE", "PROMPTFOO_DISABLE_REMOTE_GENERATION")
    env = {**dict.fromkeys(off, "1"), "PROMPTFOO_CONFIG_DIR": "config", "OPENAI_API_KEY": "none"}
    # 100 is its exit code for tests that failed, as 5 % do.
    return Client("promptfoo", command, right, _missing("promptfoo"), env=env, exits=(0, 100))


def _promptfoo_config(bout: Bout) -> dict[str, object]:
    def provider(model: str) -> dict[str, object]:
        settings = {"apiBaseUrl": bout.server.base_url, "temperature": 0}
        return {"id": f"openai:chat:{model}", "config": settings}

    tests = []
    for line in bout.cases.read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        asserts = [{"type": "contains", "value": one["expected"]}]
        if bout.judge:
            asserts.append({"type": "llm-rubric", "value": f"{RUBRIC} The code is {one['expected']}."})
        tests.append({"description": one["id"], "vars": {"q": one["input"]["question"]}, "assert": asserts})
    return {
        "description": "bench",
        "prompts": ["{{q}}"],
        "providers": [provider("mock-1")],
        "defaultTest": {"options": {"provider": provider("judge-1")}},
        "tests": tests,
    }


def pytest_evals() -> Client:
    """Return pytest-evals, which runs one case after the other: its size is bounded here for that reason."""

    def command(bout: Bout) -> list[str]:
        suite = Path(__file__).with_name("suite_pytest_evals.py").read_text(encoding="utf-8")
        (bout.folder / "test_suite.py").write_text(suite, encoding="utf-8")
        said = {"BENCH_URL": bout.server.chat_url, "BENCH_JUDGE": "1" if bout.judge else ""}
        (bout.folder / "conftest.py").write_text(f"import os\n\nos.environ |= {said!r}\n", encoding="utf-8")
        quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:deepeval", "-p", "no:anyio"]
        return [str(PYTHON), "-m", "pytest", *quiet, "--run-eval", "--run-eval-analysis", "test_suite.py"]

    def right(bout: Bout, _: Cost) -> int:
        told: int = json.loads((bout.folder / "right.json").read_text(encoding="utf-8"))["right"]
        return told

    return Client(
        "pytest-evals", command, right, _missing("pytest-evals"), most=1_000, slow="it runs them one by one"
    )


def _missing(name: str) -> Callable[[], str | None]:
    return lambda: None if _versions().get(name) else ABSENT


@cache
def _versions() -> dict[str, str]:
    """Return the version of each tool that is installed."""
    names = ["pydantic-evals", "deepeval", "inspect-ai", "pytest-evals"]
    found: dict[str, str] = {}
    if PYTHON.exists():
        code = (
            "import json; from importlib.metadata import distributions; "
            "print(json.dumps({d.name.lower().replace('_', '-'): d.version for d in distributions()}))"
        )
        listed = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True)
        every = json.loads(listed.stdout)
        found = {name: every[name] for name in names if name in every}
    package = PROMPTFOO.parent.parent / "promptfoo" / "package.json"
    if PROMPTFOO.exists() and package.is_file():
        found["promptfoo"] = json.loads(package.read_text(encoding="utf-8"))["version"]
    return found
