"""What holds in a session: defaults < aioncall.yaml < environment < flags. Only this reads `os.environ`."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

from .errors import LoadError, Problem
from .model.config import Config
from .model.evalset import EpochRange, Evalset
from .model.github import GitHub

Mode = Literal["live", "record", "replay", "fallback", "extend"]
"""live      ask; look at no recording and make none
record    ask, and keep every answer
replay    answer from recordings only
fallback  answer from recordings, ask for what is missing, keep nothing
extend    answer from recordings, ask for what is missing, and keep that
"""

WithoutKeys = Literal["refuse", "fork", "neutral"]

PREFIX: Final = "AIONCALL_"
_MAX_EPOCHS: Final = 1000
_MAX_CONCURRENCY: Final = 4096
_MAX_SHARDS: Final = 1000
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
# What says how model calls are answered: flags and variables, each yes or no; together they make a mode.
_ANSWERING: Final = ("replay", "fallback", "record")
_TAKEN_BACK_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "replay": ("replay",),
    "record": ("record",),
    "fallback": ("replay", "fallback"),
    "extend": ("replay", "record"),
}
"""Which variables, set to 0, take back the mode that the file names."""
# A variable nearer than this to one of ours is a slip of the pen; one farther off is somebody else's.
_TYPO: Final = 0.88
# What a notifier reads whose entry names no variable.
_DEFAULT_VARIABLES: Final = ("SLACK_WEBHOOK_URL", "PAGERDUTY_ROUTING_KEY", "AIONCALL_HEARTBEAT_URL")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a door was told, merged; the configuration stands beside it.

    epochs, concurrency  what environment or flag say for the whole session; None leaves it to each evalset
    max_cost_usd         a cap that somebody set; None: the default cap holds
    strict               flag or environment: every inconclusive gate fails. Not said here, each gate's
                         `on_inconclusive` decides, and for gates that have none the configuration's
    resume, run_id       go on with a run that stopped: the one named, else the latest unfinished one
    changed              a git ref: run only the evalsets that a change since it can affect; None: all
    daily                where the base's daily runs are kept: a git branch or a folder; None: the history
                         branch of the configuration, where a base is given and git has it here
    without_keys         what becomes of an evalset whose key is not set: `refuse` it (nothing is run), or
                         leave out what has no recording, as neutral: `fork` where GitHub gives a run no
                         secrets, `neutral` everywhere
    shard                (K, N): run shard K of N only, to be judged with the others; None: all cases
    now                  the clock of this session, aware; None: the real one
    color                False where NO_COLOR forbids it; whether there is a terminal is the door's to know
    secrets              value of each environment variable that the configuration names and that is set
    """

    config: Config
    root: Path
    epochs: int | None = None
    concurrency: int | None = None
    mode: Mode = "live"
    require_baseline: bool = False
    strict: bool = False
    max_cost_usd: float | None = None
    baseline_ref: str | None = None
    changed: str | None = None
    daily: str | None = None
    report_dir: Path | None = None
    without_keys: WithoutKeys = "refuse"
    shard: tuple[int, int] | None = None
    resume: bool = False
    run_id: str | None = None
    ci: bool = False
    color: bool = True
    now: datetime | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    github: GitHub = field(default_factory=GitHub)

    def epochs_of(self, evalset: Evalset) -> EpochRange:
        """Return how often each case runs: by this session, the evalset, `defaults.epochs`, else 3 times.

        A plain number is a range of one.
        """
        asked: int | EpochRange = evalset.epochs
        default = self.config.defaults.epochs
        if self.epochs is not None:
            asked = self.epochs
        elif default is not None and "epochs" not in evalset.model_fields_set:
            asked = default
        return EpochRange(min=asked, max=asked) if isinstance(asked, int) else asked

    def concurrency_of(self, evalset: Evalset) -> int:
        """Return how many samples of an evalset run at once; its own number is a ceiling nobody lifts."""
        wanted = self.concurrency or self.config.defaults.concurrency
        return min(wanted, evalset.concurrency) if evalset.concurrency else wanted


def merge_settings(
    config: Config,
    *,
    root: Path,
    flags: Mapping[str, Any],
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings of this session. `flags` by field name; None is a flag that was not given.

    `mode` may also be given as the flags `replay`, `fallback` and `record`. Raises LoadError with all that is
    wrong.
    """
    env = os.environ if environ is None else environ
    named = _named_variables(config)
    said = _Said(env, flags, named=named)
    defaults = config.defaults
    from_file = None if defaults.report_dir is None else root / defaults.report_dir
    strict = said.value("strict")
    if strict is not None:
        defaults = defaults.model_copy(update={"on_inconclusive": "fail" if strict else "warn"})
    http_client = said.value("http_client")
    if http_client is not None:
        defaults = defaults.model_copy(update={"http_client": http_client})
    settings = Settings(
        config=config.model_copy(update={"defaults": defaults}),
        root=root,
        epochs=said.value("epochs"),
        concurrency=said.value("concurrency"),
        mode=said.mode(default=defaults.mode),
        require_baseline=said.value("require_baseline", default=defaults.require_baseline),
        strict=bool(strict),
        max_cost_usd=said.value("max_cost_usd", default=defaults.max_cost_usd),
        baseline_ref=said.value("baseline_ref", default=defaults.baseline_ref),
        changed=said.value("changed"),
        daily=said.value("daily"),
        report_dir=said.value("report_dir", default=from_file),
        without_keys=said.value("without_keys", default="refuse"),
        shard=said.value("shard"),
        resume=bool(said.value("resume")),
        run_id=said.value("run_id"),
        ci=env.get("CI", "").strip().lower() not in {"", *_FALSE},
        color=not env.get("NO_COLOR") if flags.get("color") is None else bool(flags["color"]),
        now=said.value("now"),
        secrets=read_variables(named, environ=env),
        github=_github(env),
    )
    if settings.shard is not None and settings.mode in ("record", "extend"):
        message = "a cassette is recorded by one session; leave --aioncall-record or AIONCALL_RECORD away"
        said.problems.append(Problem("--aioncall-shard", 0, "", message))
    if settings.run_id is not None and not settings.resume:
        said.problems.append(
            Problem("--aioncall-run", 0, "", "says which run --aioncall-resume goes on with; add that option")
        )
    said.refuse_problems()
    return settings


def read_variables(names: Iterable[str], *, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return those of the environment variables `names` that are set and not empty."""
    env = os.environ if environ is None else environ
    return {name: env[name] for name in sorted(set(names)) if env.get(name)}


def environment() -> dict[str, str]:
    """Return a copy of the environment, for a program that is given more than it."""
    return dict(os.environ)


def _named_variables(config: Config) -> set[str]:
    named = {provider.api_key_env for provider in config.providers.values()}
    for provider in config.providers.values():
        named.update(provider.headers_env.values())
    for notifier in config.notifiers.values():
        named.update((notifier.url_env, notifier.key_env))
    named.update(_DEFAULT_VARIABLES)
    named.add(config.monitors.heartbeat_url_env)
    return {name for name in named if name}


def _github(env: Mapping[str, str]) -> GitHub:
    """Read what the runner of GitHub Actions sets. Source: GitHub's list of default environment variables."""

    def said(name: str) -> str:
        return env.get(name, "").strip()

    def place(name: str) -> Path | None:
        return Path(said(name)) if said(name) else None

    attempt = said("GITHUB_RUN_ATTEMPT")
    return GitHub(
        repository=said("GITHUB_REPOSITORY"),
        token=said("GITHUB_TOKEN") or said("GH_TOKEN"),
        actor=said("AIONCALL_ACTOR") or "github-actions[bot]",
        api_url=(said("GITHUB_API_URL") or "https://api.github.com").rstrip("/"),
        server_url=(said("GITHUB_SERVER_URL") or "https://github.com").rstrip("/"),
        event_name=said("GITHUB_EVENT_NAME"),
        event_path=place("GITHUB_EVENT_PATH"),
        sha=said("GITHUB_SHA"),
        ref=said("GITHUB_REF"),
        base_ref=said("GITHUB_BASE_REF"),
        run_id=said("GITHUB_RUN_ID"),
        run_attempt=int(attempt) if attempt.isascii() and attempt.isdigit() and len(attempt) < 6 else 1,
        summary=place("GITHUB_STEP_SUMMARY"),
        output=place("GITHUB_OUTPUT"),
    )


class _Said:
    """What environment and flags say, a flag over a variable; keeps what is wrong until all is asked."""

    def __init__(self, env: Mapping[str, str], flags: Mapping[str, Any], *, named: Set[str]) -> None:
        unknown = sorted(set(flags) - set(_READERS) - {"mode", *_ANSWERING, "color"})
        if unknown:
            raise TypeError(f"no such setting: {', '.join(unknown)}")
        self.env = env
        self.flags = flags
        self.problems = list(_misspelled(env, named))

    def value(self, name: str, *, default: Any = None) -> Any:
        """Return the setting `name`; `default` where nobody says anything, or nonsense, which is noted."""
        suffix, read = _READERS[name]
        given = self.flags.get(name)
        place = "--now" if name == "now" else f"--aioncall-{suffix.lower().replace('_', '-')}"
        if given is None:
            place = PREFIX + suffix
            given = self.env.get(place, "").strip() or None
        if given is None:
            return default
        try:
            return read(given)
        except ValueError as error:
            self.problems.append(Problem(place, 0, "", f"{error}, got {str(given)[:80]!a}"))
            return default

    def mode(self, *, default: Mode) -> Mode:
        """Return how model calls are answered, by the flags; where none is given, by the variables."""
        flag: Mode | None = self.flags.get("mode")
        if flag is not None:
            if flag not in get_args(Mode):
                raise TypeError(f"no such mode: {flag}")
            return flag
        flags = {name: self.flags.get(name) or None for name in _ANSWERING}
        variables = {name: self._truth(PREFIX + name.upper()) for name in _ANSWERING}
        for said in (flags, variables):
            if said["record"]:
                return "extend" if said["replay"] or said["fallback"] else "record"
            if said["fallback"]:
                return "fallback"
            if said["replay"]:
                return "replay"
        denied = any(variables[name] is False for name in _TAKEN_BACK_BY.get(default, ()))
        return "live" if denied else default

    def refuse_problems(self) -> None:
        """Raise LoadError where anything was noted."""
        if self.problems:
            raise LoadError(self.problems)

    def _truth(self, variable: str) -> bool | None:
        text = self.env.get(variable, "").strip()
        try:
            return _truth(text) if text else None
        except ValueError as error:
            self.problems.append(Problem(variable, 0, "", f"{error}, got {text[:80]!a}"))
            return None


def _whole(top: int) -> Callable[[Any], int]:
    def read(given: Any) -> int:
        text = str(given).strip()
        if isinstance(given, bool) or not (text.isascii() and text.isdigit() and len(text) < 10):
            raise ValueError(f"needs a whole number from 1 to {top}")
        if not 1 <= int(text) <= top:
            raise ValueError(f"needs a whole number from 1 to {top}")
        return int(text)

    return read


def _truth(given: Any) -> bool:
    if isinstance(given, bool):
        return given
    text = str(given).strip().lower()
    if text not in _TRUE | _FALSE:
        raise ValueError("needs 1 or 0 (true or false)")
    return text in _TRUE


def _dollars(given: Any) -> float:
    try:
        number = float(given)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(given, bool) or not (math.isfinite(number) and number >= 0):
        raise ValueError("needs an amount in US dollars, for example 2.50")
    return number


def _ref(given: Any) -> str:
    """A git ref; never one that git could take for an option."""
    text = str(given)
    if text.startswith("-") or not text.isprintable() or " " in text or not text:
        raise ValueError("needs a git ref, for example origin/main")
    return text


def _folder(given: Any) -> Path:
    text = str(given)
    if not text.strip() or "\0" in text:
        raise ValueError("needs a folder")
    return Path(text)


def _place(given: Any) -> str:
    """A git branch or a folder; never what git could take for an option."""
    text = str(given).strip()
    if text.startswith("-") or not text.isprintable() or not text:
        raise ValueError("needs a branch or a folder, for example origin/aioncall-history")
    return text


def _name(given: Any) -> str:
    text = str(given).strip()
    if not text.isprintable() or not text:
        raise ValueError("needs the id of a run, see: aioncall runs list")
    return text


def _shard(given: Any) -> tuple[int, int]:
    """K/N, counted from 1, with no more shards than a matrix of machines has."""
    index, slash, count = str(given).strip().partition("/")
    if not (slash and all(n.isascii() and n.isdigit() and len(n) < 6 for n in (index, count))):
        raise ValueError("needs K/N, for example 2/4 for the second of four shards")
    if not 1 <= int(count) <= _MAX_SHARDS:
        raise ValueError(f"needs K/N with N from 1 to {_MAX_SHARDS}")
    if not 1 <= int(index) <= int(count):
        raise ValueError(f"needs K/N with K from 1 to N, here from 1 to {int(count)}")
    return int(index), int(count)


def _without_keys(given: Any) -> str:
    text = str(given).strip().lower()
    if text not in get_args(WithoutKeys):
        raise ValueError("needs refuse, fork or neutral")
    return text


def _client(given: Any) -> str:
    text = str(given).strip().lower()
    if text not in {"auto", "httpx", "aiohttp"}:
        raise ValueError("needs auto, httpx or aiohttp")
    return text


def _clock(given: Any) -> datetime:
    try:
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(str(given).strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("needs a time with its offset (RFC 3339), for example 2026-11-21T14:00:00Z")
    return moment


# Field of Settings: the variable without its prefix (the flag is spelled alike), and what reads either.
_READERS: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "epochs": ("EPOCHS", _whole(_MAX_EPOCHS)),
    "concurrency": ("CONCURRENCY", _whole(_MAX_CONCURRENCY)),
    "require_baseline": ("REQUIRE_BASELINE", _truth),
    "strict": ("STRICT", _truth),
    "max_cost_usd": ("MAX_COST", _dollars),
    "baseline_ref": ("BASELINE_REF", _ref),
    "changed": ("CHANGED", _ref),
    "daily": ("DAILY", _place),
    "report_dir": ("REPORT", _folder),
    "without_keys": ("WITHOUT_KEYS", _without_keys),
    "shard": ("SHARD", _shard),
    "resume": ("RESUME", _truth),
    "run_id": ("RUN", _name),
    "http_client": ("HTTP_CLIENT", _client),
    "now": ("NOW", _clock),
}
_VARIABLES: Final = frozenset(
    {PREFIX + suffix for suffix, _ in _READERS.values()}
    | {PREFIX + name.upper() for name in _ANSWERING}
    | {"AIONCALL_ACTOR", "AIONCALL_HEARTBEAT_URL"}
)


def _misspelled(env: Mapping[str, str], named: Set[str]) -> Iterable[Problem]:
    """Yield a problem for each variable that is almost one of ours: it would change nothing, in silence."""
    for name in sorted(env):
        if name.startswith(PREFIX) and name not in _VARIABLES | named:
            near = difflib.get_close_matches(name, _VARIABLES, n=1, cutoff=_TYPO)
            if near:
                yield Problem(name, 0, "", f"unknown variable; did you mean {near[0]}?")
