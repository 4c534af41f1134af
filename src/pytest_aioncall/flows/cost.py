"""What a run may cost: an estimate before the first call, and the cap it is held against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from ..errors import UsageError
from ..model.config import Config
from ..model.frozen import canonical_json
from ..settings import Settings
from .prepare import Prepared, subject_files

DEFAULT_CAP_USD = 5.0
CHARACTERS_A_TOKEN = 4
TOKENS_OUT_UNSAID = 300
"""Answer length that an estimate assumes where `max_tokens` is not set."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calls of models that a run will make, and their price where it is known (US dollars).

    With adaptive epochs these are the first round's, and `most_calls`, `most_usd` those of all rounds.
    """

    calls: int = 0
    cost_usd: float = 0.0
    unpriced: tuple[str, ...] = ()
    most_calls: int = 0
    most_usd: float = 0.0

    def line(self, cap_usd: float | None, *, shards: int = 1) -> str:
        """Return what the header says; empty where no model is called.

        shards  how many sessions like this one there are: each has a cap of its own
        """
        if not self.calls:
            return ""
        unknown = f"; cost unknown: add prices for {', '.join(self.unpriced)}" if self.unpriced else ""
        cap = f", cap ${cap_usd:g}" if cap_usd is not None else ""
        if cap and shards > 1:
            cap += f" for this shard alone (all {shards} together: ${shards * (cap_usd or 0):g})"
        calls, cost = f"{self.calls}", f"${self.cost_usd:.2f}"
        if self.most_calls > self.calls:
            calls, cost = f"{calls} to {self.most_calls}", f"{cost} to ${self.most_usd:.2f}"
        return f"{calls} model calls, about {cost}{cap}{unknown}"


def estimate(prepared: Iterable[Prepared], settings: Settings) -> Estimate:
    """Estimate the calls and cost of a run from prompt files, inputs, `max_tokens` and the price table."""
    if settings.mode == "replay":
        return Estimate()
    calls, cost, unpriced = 0, 0.0, dict[str, None]()
    for one in prepared:
        samples = sum(job.epochs for job in one.jobs)
        characters = sum(len(canonical_json(job.case.input)) * job.epochs for job in one.jobs)
        prompt = sum(path.stat().st_size for path in subject_files(one, settings.root)[:4])
        asked: list[tuple[str, Any]] = []
        options = one.evalset.target.options
        if one.evalset.target.kind == "chat":
            asked.append((str(options.get("model", "")), options.get("params") or {}))
        for scorer in one.scorers.values():
            asked += [(model, {}) for model in scorer.traits.models]
        for model, params in asked:
            calls += samples
            price = price_of(model, settings.config)
            if price is None:
                unpriced[model] = None
                continue
            tokens_in = (characters + prompt * samples) / CHARACTERS_A_TOKEN
            tokens_out = samples * float(
                params.get("max_tokens") or params.get("max_completion_tokens") or TOKENS_OUT_UNSAID
            )
            cost += (tokens_in * price[0] + tokens_out * price[1]) / 1e6
    return Estimate(calls, cost, tuple(unpriced))


def price_of(model: str, config: Config) -> tuple[float, float] | None:
    """Return US dollars per million tokens (in, out); a loopback provider costs nothing; None is unknown."""
    price = config.prices.models.get(model)
    if price is not None:
        return price.input, price.output
    provider = config.providers.get(model.partition("/")[0])
    if provider is not None and provider.base_url and is_loopback(provider.base_url):
        return 0.0, 0.0
    return None


def is_loopback(url: str) -> bool:
    """Tell whether a URL stays on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def cap_of(expected: Estimate, settings: Settings, *, option: str = "--aioncall-max-cost") -> float | None:
    """Return the cap that holds, after refusing a run that cannot stay under it; `option` raises it."""
    asked = settings.max_cost_usd
    if asked is None:
        asked = settings.config.defaults.max_cost_usd
    if asked is not None and expected.unpriced:
        raise UsageError(
            f"a cost cap of ${asked:g} was asked for, and the price of {', '.join(expected.unpriced)} is "
            f"unknown; add it to prices in aioncall.yaml, or drop {option}"
        )
    cap = asked if asked is not None else DEFAULT_CAP_USD
    if expected.cost_usd > cap:
        raise UsageError(
            f"this run is estimated at ${expected.cost_usd:.2f}, above the cap of ${cap:g}; nothing was "
            f"spent. Allow it with {option} {expected.cost_usd * 1.2:.2f}"
        )
    return cap_in_force(expected, settings)


def cap_in_force(expected: Estimate, settings: Settings) -> float | None:
    """Return the cap in US dollars: one that somebody set, or the default where models are called."""
    asked = settings.max_cost_usd
    if asked is None:
        asked = settings.config.defaults.max_cost_usd
    if asked is not None:
        # It holds for what python targets say they cost, too.
        return asked
    return DEFAULT_CAP_USD if expected.calls else None
