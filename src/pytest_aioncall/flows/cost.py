"""What a run may cost: an estimate before the first call, and the cap it is held against."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from ..errors import UsageError
from ..model.config import Config
from ..model.frozen import canonical_json
from ..settings import Settings
from .prepare import Prepared, subject_files
from .recordings import Gap, Walk

DEFAULT_CAP_USD = 5.0
CHARACTERS_A_TOKEN = 4
TOKENS_OUT_UNSAID = 300
"""Answer length that an estimate assumes where `max_tokens` is not set."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calls of models that a run will make, and their price where it is known (US dollars).

    `most_calls` and `most_usd` are what it may come to: with adaptive epochs all rounds, and with recordings
    those calls of which nobody knows yet whether they are recorded. `recorded` calls are not made.
    """

    calls: int = 0
    cost_usd: float = 0.0
    unpriced: tuple[str, ...] = ()
    most_calls: int = 0
    most_usd: float = 0.0
    recorded: int = 0

    def plus(self, other: Estimate) -> Estimate:
        """Return both together."""
        unpriced = tuple(dict.fromkeys((*self.unpriced, *other.unpriced)))
        return replace(
            self,
            calls=self.calls + other.calls,
            cost_usd=self.cost_usd + other.cost_usd,
            unpriced=unpriced,
            recorded=self.recorded + other.recorded,
        )

    def up_to(self, most: Estimate) -> Estimate:
        """Return this estimate with what it may come to."""
        return replace(
            self,
            unpriced=most.unpriced,
            most_calls=max(most.calls, most.most_calls),
            most_usd=max(most.cost_usd, most.most_usd),
        )

    def line(self, cap_usd: float | None, *, shards: int = 1) -> str:
        """Return what the header says; empty where no model is called.

        shards  how many sessions like this one there are: each has a cap of its own
        """
        if not (self.calls or self.most_calls):
            return ""
        unknown = f"; cost unknown: add prices for {', '.join(self.unpriced)}" if self.unpriced else ""
        cap = f", cap ${cap_usd:g}" if cap_usd is not None else ""
        if cap and shards > 1:
            cap += f" for this shard alone (all {shards} together: ${shards * (cap_usd or 0):g})"
        calls, cost = f"{self.calls}", f"${self.cost_usd:.2f}"
        if self.most_calls > self.calls:
            calls, cost = f"{calls} to {self.most_calls}", f"{cost} to ${self.most_usd:.2f}"
        recorded = f"; {self.recorded} more are recorded" if self.recorded else ""
        return f"{calls} model calls, about {cost}{cap}{unknown}{recorded}"


def estimate(
    prepared: Iterable[Prepared],
    settings: Settings,
    *,
    missing: Callable[[Prepared], Walk | None] = lambda _one: None,
) -> Estimate:
    """Estimate the calls and cost of a run from prompt files, inputs, `max_tokens` and the price table.

    missing  what of an evalset is not recorded, where only that is asked; None: all of it is asked
    """
    if settings.mode == "replay":
        return Estimate()
    sure, perhaps = Estimate(), Estimate()
    for one in prepared:
        walk = missing(one)
        if walk is None:
            sure = sure.plus(_estimated(one, settings, walk=None))
        elif walk.unknown:
            perhaps = perhaps.plus(_estimated(one, settings, walk=None))
        else:
            sure = sure.plus(_estimated(one, settings, walk=walk))
    return sure.up_to(sure.plus(perhaps)) if perhaps.calls else sure


def _estimated(one: Prepared, settings: Settings, *, walk: Walk | None) -> Estimate:
    calls, recorded, cost, unpriced = 0, 0, 0.0, dict[str, None]()
    samples = sum(job.epochs for job in one.jobs)
    everything = Gap(samples, sum(len(canonical_json(job.case.input)) * job.epochs for job in one.jobs))
    prompt = sum(path.stat().st_size for path in subject_files(one, settings.root)[:4])
    for scorer, model, params in _models_asked(one):
        gap = everything if walk is None else walk.gap(scorer)
        calls += gap.calls
        recorded += samples - gap.calls if walk is not None else 0
        price = price_of(model, settings.config)
        if price is None and gap.calls:
            unpriced[model] = None
        if price is None:
            continue
        tokens_in = (gap.characters + prompt * gap.calls) / CHARACTERS_A_TOKEN
        tokens_out = gap.calls * float(
            params.get("max_tokens") or params.get("max_completion_tokens") or TOKENS_OUT_UNSAID
        )
        cost += (tokens_in * price[0] + tokens_out * price[1]) / 1e6
    return Estimate(calls, cost, tuple(unpriced), recorded=recorded)


def _models_asked(one: Prepared) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield each model that is asked once a sample, by which scorer ('': the target), and how."""
    options = one.evalset.target.options
    if one.evalset.target.kind == "chat":
        yield "", str(options.get("model", "")), options.get("params") or {}
    for name, scorer in one.scorers.items():
        for model in scorer.traits.models:
            yield name, model, {}


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
    return DEFAULT_CAP_USD if expected.calls or expected.most_calls else None
