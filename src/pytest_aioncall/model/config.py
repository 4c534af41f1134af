"""`aioncall.yaml`: providers, prices, defaults. No secret is ever written in it, only names of variables."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from .evalset import Claim, EpochRange
from .frozen import Frozen
from .oncall import Monitors, NotifierSpec, OnCall, Routes
from .weakening import WeakeningEntry

# Sections that the commands which need them read and check themselves.
LATER_SECTIONS: Final = ("slos",)


class Provider(Frozen):
    """One model server. `api_key_env` names the environment variable that holds the key.

    `concurrency` and the two limits a minute are ceilings; less is asked where the server is overloaded.
    """

    kind: Literal["openai", "anthropic"] = "openai"
    base_url: str | None = None
    api_key_env: str | None = None
    concurrency: int | None = Field(default=None, ge=1, le=4096)
    requests_per_minute: float | None = Field(default=None, gt=0)
    tokens_per_minute: float | None = Field(default=None, gt=0)
    headers_env: dict[str, str] = {}
    timeout_s: float = Field(default=60.0, gt=0)
    max_attempts: int = Field(default=4, ge=1, le=20)
    http2: bool = False

    @model_validator(mode="after")
    def _http2_needs_tls(self) -> Provider:
        if self.http2 and (self.base_url or "").lower().startswith("http://"):
            raise ValueError("http2 needs an https:// base_url: HTTP/2 is agreed on with TLS; remove http2")
        return self


class Price(Frozen):
    """US dollars per million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class Prices(Frozen):
    """Price table: `models["provider/model-id"]`, checked on the day `as_of`."""

    as_of: date | None = None
    models: dict[str, Price] = {}

    @model_validator(mode="before")
    @classmethod
    def _flat_keys_are_models(cls, value: Any) -> Any:
        if isinstance(value, dict) and "models" not in value:
            return {
                "as_of": value.get("as_of"),
                "models": {k: v for k, v in value.items() if k != "as_of"},
            }
        return value


class Defaults(Frozen):
    """What holds unless an evalset, a gate, the environment or a flag says otherwise.

    `epochs` is for evalsets that name none; `claim`, `margin`, `min`, `alpha` and `on_inconclusive` are for
    gates that name none. One `margin` and one `min` have to fit every scale, so here they are shares of its
    span: margin .05 is .05 on 0-1 and .2 on 1-5, and min .9 is nine tenths of the way up, .9 and 4.6.
    """

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    on_inconclusive: Literal["warn", "fail"] = "warn"
    claim: Claim = "auto"
    margin: float | None = Field(default=None, ge=0, le=1)
    min: float | None = Field(default=None, ge=0, le=1)
    baseline_max_age_days: int = Field(default=30, ge=1)
    latency_p95_ratio: float = Field(default=2.0, gt=1)
    cost_ratio: float = Field(default=2.0, gt=1)
    tokens_ratio: float = Field(default=2.0, gt=1)
    retrieved_ratio: float = Field(default=2.0, gt=1)
    max_cost_usd: float | None = Field(default=None, ge=0)
    concurrency: int = Field(default=16, ge=1, le=4096)
    keep_runs: int = Field(default=20, ge=1)
    epochs: Annotated[int, Field(ge=1, le=1000)] | EpochRange | None = None
    mode: Literal["live", "record", "replay", "fallback", "extend"] = "live"
    require_baseline: bool = False
    baseline_ref: str | None = Field(default=None, min_length=1)
    report_dir: str | None = Field(default=None, min_length=1)
    http_client: Literal["auto", "httpx", "aiohttp"] = "auto"


class RedactRule(Frozen):
    """One entry of `redact` that is more than a pattern: a named pattern, a kind off, or kinds on.

    name, pattern  what the pattern matches becomes `[REDACTED:name]`
    off, reason    a built-in kind of secret that is left in texts, and why
    kinds          kinds of personal data that are taken out of everything stored
    """

    name: str | None = None
    pattern: str | None = None
    off: str | None = None
    reason: str | None = None
    kinds: tuple[str, ...] = ()


class Config(Frozen):
    """The whole file. Every section is optional; without a file all defaults hold.

    The section of a later stage (slos) is read by the commands that use it.
    """

    format: Literal[1] = 1
    providers: dict[str, Provider] = {}
    prices: Prices = Prices()
    defaults: Defaults = Defaults()
    redact: tuple[str | RedactRule, ...] = ()
    weakening: tuple[WeakeningEntry, ...] = ()
    store: str = ".aioncall"
    monitors: Monitors = Monitors()
    oncall: OnCall = OnCall()
    routes: Routes = Routes()
    notifiers: dict[str, NotifierSpec] = {}
