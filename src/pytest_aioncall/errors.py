"""Everything this package raises on purpose.

AioncallError                what a user can act on; carries no traceback to the screen
|-- UsageError               bad YAML, configuration or command line: exit 4, nothing was run
|   `-- LoadError            one or many Problems found while loading files, reported all at once
|-- NotComparable            a baseline that is missing or cannot be compared with: exit 8
|-- TransportError           the request never produced an answer; retried, never scored
|-- StoreError               what a run observed cannot be written: exit 7
|-- TargetError              the target answered, but with something that is no output
|-- ScorerError              a scorer or judge could not score; an error on the sample, never a 0.0
|-- NotMeasured              a scorer has nothing to measure in this answer: no score, and no error
|-- CassetteMiss             replay was asked for and this request was never recorded
`-- DeliveryError            a page, an issue or a comment that did not arrive: exit 7, tried again next time
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class AioncallError(Exception):
    """Say what went wrong in one line a user can act on."""


class UsageError(AioncallError):
    """Refuse a configuration, file or command line before anything is run (exit 4)."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Name one thing that is wrong in a file: where, what, and what to do."""

    file: str
    line: int
    where: str
    message: str

    def __str__(self) -> str:
        # The name of a file is somebody's text too, and may hold an end of line.
        file = self.file if self.file.isprintable() else ascii(self.file)[1:-1]
        place = f"{file}:{self.line}" if self.line else file
        return f"{place}: {self.where}: {self.message}" if self.where else f"{place}: {self.message}"


class LoadError(UsageError):
    """Carry every Problem of a load, so that a user mends a file in one go."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


class NotComparable(AioncallError):
    """Say why a baseline that is required is missing or cannot be compared with (exit 8)."""


class TransportError(AioncallError):
    """Tell that no answer arrived: network, overload, time-out. `retry_after_s` is the server's wish."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class StoreError(AioncallError):
    """Tell that samples cannot be kept any more, a full disk for one; the run ends (exit 7)."""


class TargetError(AioncallError):
    """Tell that the target answered with something that cannot be an output."""


class ScorerError(AioncallError):
    """Tell that a scorer could not score this sample; the sample keeps the error, not a score.

    `cost_usd` is what asking a model in vain cost; None where none was asked or the price is unknown.
    """

    cost_usd: float | None = None


class NotMeasured(AioncallError):
    """Tell that an answer has nothing that this scorer could measure: it does not apply to this sample.

    A recorded answer has no latency and no cost of its own. Neither a pass nor a fail, and no error.
    """


class CassetteMiss(AioncallError):
    """Tell that replay was asked for and this request is in no cassette."""


class DeliveryError(AioncallError):
    """Tell that something for people did not arrive: an issue, a comment, a page (exit 7).

    status         of the HTTP answer; None where there was none
    unknown        it may have arrived: the request was sent and no answer came back
    refused        trying again would change nothing (no permission, no such repository, invalid)
    retry_after_s  the other side's wish
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        unknown: bool = False,
        refused: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        self.status = status
        self.unknown = unknown
        self.refused = refused
        self.retry_after_s = retry_after_s
        super().__init__(message)
