"""Secrets taken out of a sample: of every text in it that a model, a server or user code wrote."""

from __future__ import annotations

from typing import Any

from ..adapters.redaction import Redactor
from ..model.sample import Output, Sample, SampleError, Score


def redacted(sample: Sample, redactor: Redactor) -> Sample:
    """Return the sample without its secrets; the same object where it has none."""
    change: dict[str, Any] = {}
    if sample.output is not None:
        output = _output(sample.output, redactor)
        if output is not sample.output:
            change["output"] = output
    if sample.error is not None:
        change["error"] = _error(sample.error, redactor)
    scores = tuple(_score(score, redactor) for score in sample.scores)
    if any(new is not old for new, old in zip(scores, sample.scores, strict=True)):
        change["scores"] = scores
    return sample.model_copy(update=change) if change else sample


def _output(output: Output, redactor: Redactor) -> Output:
    calls, documents = output.tool_calls, output.retrieved
    if calls is not None:
        calls = tuple(redactor.json(call) for call in calls)
    if documents is not None:
        documents = tuple(
            d.model_copy(update={"id": _clean(d.id, redactor), "text": _clean(d.text, redactor)})
            for d in documents
        )
    change: dict[str, Any] = {
        "text": redactor.text(output.text),
        "data": redactor.json(output.data) if output.data is not None else None,
        "tool_calls": calls,
        "retrieved": documents,
        "model": _clean(output.model, redactor),
        "finish": _clean(output.finish, redactor),
    }
    if all(getattr(output, name) == value for name, value in change.items()):
        return output
    return output.model_copy(update=change)


def _error(error: SampleError, redactor: Redactor) -> SampleError:
    change = {"message": redactor.text(error.message), "traceback": _clean(error.traceback, redactor)}
    return error.model_copy(update=change)


def _score(score: Score, redactor: Redactor) -> Score:
    change = {
        name: clean
        for name, text in (("reason", score.reason), ("error", score.error), ("label", score.label))
        if text and (clean := redactor.text(text)) != text
    }
    return score.model_copy(update=change) if change else score


def _clean(text: str | None, redactor: Redactor) -> str | None:
    return redactor.text(text) if text else text
