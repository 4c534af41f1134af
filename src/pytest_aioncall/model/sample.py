"""What a run observes: outputs, scores, errors, and the sample that holds them."""

from __future__ import annotations

from typing import Any, Final, Literal

from .frozen import Frozen

ErrorKind = Literal["transport", "user", "target", "cassette_miss", "cancelled"]


NOT_RECORDED: Final = "not recorded: "
"""How the error of a score begins whose judge replay had no recording for."""


class Document(Frozen):
    """One retrieved document: its id, and its text where the target told it."""

    id: str
    text: str | None = None


class Output(Frozen):
    """What the target answered. `latency_s` in seconds, `cost_usd` in US dollars.

    `replayed` is the UTC day (YYYY-MM-DD) of the recording when the answer came from a cassette: its
    latency and cost are the recording's and take no part in latency and cost comparisons.
    """

    text: str
    data: Any = None
    retrieved: tuple[Document, ...] | None = None
    tool_calls: tuple[dict[str, Any], ...] | None = None
    latency_s: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None
    model: str | None = None
    finish: str | None = None
    replayed: str | None = None


class Score(Frozen):
    """One scorer's judgement of one sample.

    `value` lies on `scale`; higher is better. Unscored is `value=None` with `error` set: never NaN, never 0.
    `value=None` without an error: there was nothing to measure (`reason` says why), so the scorer does not
    apply to this sample.
    `cost_usd` is what asking a model for it cost; None where none was asked or the price is unknown.
    """

    scorer: str
    scale: tuple[float, float] = (0.0, 1.0)
    value: float | None = None
    passed: bool | None = None
    label: str | None = None
    reason: str | None = None
    error: str | None = None
    cost_usd: float | None = None

    @property
    def not_measured(self) -> bool:
        """Tell whether the scorer found nothing to measure: neither a score nor an error."""
        return self.value is None and self.passed is None and self.error is None


class SampleError(Frozen):
    """Why a sample has no output: who failed (`kind`), the exception's type and its one-line message."""

    kind: ErrorKind
    type: str
    message: str
    traceback: str | None = None


class Sample(Frozen):
    """One (case, epoch): output, scores, error. `started_at` is RFC 3339 in UTC.

    The scores of a case's `must` scorers are named `must[i]:kind`.
    """

    format: Literal[1] = 1
    evalset: str
    case: str
    digest: str
    epoch: int
    slices: dict[str, str] = {}
    cluster: str | None = None
    output: Output | None = None
    scores: tuple[Score, ...] = ()
    error: SampleError | None = None
    attempts: int = 1
    started_at: str = ""

    @property
    def not_recorded(self) -> bool:
        """Tell whether replay had no recording: of the answer, or of a judge's reading of it."""
        if self.error is not None:
            return self.error.kind == "cassette_miss"
        return any((score.error or "").startswith(NOT_RECORDED) for score in self.scores)
