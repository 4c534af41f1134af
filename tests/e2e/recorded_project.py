"""A project whose model numbers its answers, with the means to record and to replay it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from model_server import Answer, Asked, ModelServer, model_server

from eval_project import Project

CASES = {f"case-{n}": (f"q{n}", f"Q{n}") for n in range(4)}
KEY = "k-just-for-this-test-1"


class Recorded:
    """A project whose model numbers its answers: the same question never gets the same answer twice."""

    def __init__(self, project: Project, server: ModelServer) -> None:
        self.project, self.server = project, server
        self.seen: Counter[str] = Counter()
        server.answer = self.numbered
        provider = {"kind": "openai", "base_url": f"{server.url}/v1", "api_key_env": "TEST_MODEL_KEY"}
        project.config(
            providers={"main": {**provider, "max_attempts": 1}},
            prices={"main/answers-1": {"input": 2.0, "output": 10.0}},
        )
        self.write_evalset()

    def write_evalset(self, prompt: str = "{{ input }}", **keys: Any) -> None:
        target = {"chat": {"model": "main/answers-1", "prompt": prompt}}
        self.project.evalset(
            **{"target": target, "cases": CASES, "epochs": 3, "scorers": ["contains"], **keys}
        )

    def numbered(self, asked: Asked) -> Answer:
        self.seen[asked.question] += 1
        return f"{asked.question.upper()} answer {self.seen[asked.question]}"

    @property
    def file(self) -> Path:
        return self.project.path / "evalsets" / "cassettes" / "demo.jsonl"

    @property
    def cassette(self) -> bytes:
        return self.file.read_bytes()

    def outputs(self) -> dict[tuple[str, int], str]:
        return {(s["case"], s["epoch"]): s["output"]["text"] for s in self.project.last_samples()}

    def record(self, *arguments: str) -> pytest.RunResult:
        return self.project.run("--aioncall-record", *arguments)

    def replay(self, *arguments: str) -> pytest.RunResult:
        return self.project.run("--aioncall-replay", *arguments)


@pytest.fixture
def recorded(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    monkeypatch.setenv("TEST_MODEL_KEY", KEY)
    with model_server() as server:
        yield Recorded(project, server)
