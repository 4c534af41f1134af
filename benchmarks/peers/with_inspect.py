"""The work by inspect-ai: `eval` of a task with its own solver and scorers, its log kept lean."""

from __future__ import annotations

import os

from benchmarks.peers.asking import read_work, say

work = read_work()
os.environ |= {"BENCH_BASE_URL": work.url, "BENCH_API_KEY": "none"}

from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes, model_graded_qa
from inspect_ai.solver import generate

samples = [
    Sample(id=one["id"], input=one["input"]["question"], target=one["expected"], metadata=one["slices"])
    for one in work.cases
]
scorers = [includes(), *([model_graded_qa(model="openai-api/bench/judge-1")] if work.judge else [])]
logs = eval(
    Task(dataset=samples, solver=generate(), scorer=scorers),
    model="openai-api/bench/mock-1",
    max_connections=work.concurrency,
    max_samples=work.concurrency,
    display="none",
    log_dir="logs",
    log_realtime=False,
    log_model_api=False,
    score_display=False,
)
say(sum(all(score.value == "C" for score in one.scores.values()) for one in logs[0].samples))
