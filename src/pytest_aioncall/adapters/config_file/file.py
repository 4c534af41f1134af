"""The whole file: found upwards, read to a Config, refused with everything that is wrong in it."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from ...errors import LoadError, Problem
from ...model.config import LATER_SECTIONS, Config, Price, Provider, RedactRule
from ...model.oncall import NotifierSpec
from ...model.weakening import WeakeningEntry
from ..yaml_text import Shape, Source, parse_yaml, problems_of, quoted, read_bytes, step
from ..yaml_text.document import TEXT_MAPPING
from ..yaml_text.words import kind_of, note_epochs, note_refusal, note_truth_values, note_unknown_keys
from .delivery import MONITORS_SHAPE, NOT_A_NAME, NOTIFIERS_SHAPE, ROUTES_SHAPE, VARIABLE, note_delivery
from .oncall import ONCALL_SHAPE, note_oncall

FILE_NAME: Final = "aioncall.yaml"

_ROOT_SIGNS = (".git", "pyproject.toml")
_PROVIDER = Shape(text=frozenset({"kind", "base_url", "api_key_env"}), keys={"headers_env": TEXT_MAPPING})
_SHAPE: Final = Shape(
    text=frozenset({"store"}),
    keys={
        "providers": Shape(values=_PROVIDER),
        "prices": Shape(text=frozenset({"as_of"})),
        "defaults": Shape(text=frozenset({"on_inconclusive", "claim", "mode", "baseline_ref", "report_dir"})),
        "redact": Shape(text_items=True, items=Shape(text=frozenset({"name", "pattern", "off", "reason"}))),
        "weakening": Shape(items=Shape(text=frozenset(WeakeningEntry.model_fields))),
        "monitors": MONITORS_SHAPE,
        "oncall": ONCALL_SHAPE,
        "routes": ROUTES_SHAPE,
        "notifiers": NOTIFIERS_SHAPE,
    },
)
_KEYS: Final = frozenset(Config.model_fields) | frozenset(LATER_SECTIONS)
# Sections whose keys are names, each with an entry of this model.
_NAMED_ENTRIES: Final[dict[str, type[BaseModel]]] = {
    "providers": Provider,
    "prices": Price,
    "notifiers": NotifierSpec,
}
_PROVIDER_NAME = re.compile(r"[A-Za-z0-9_.-]{1,60}")


def find_root(start: Path) -> Path:
    """Return the project root for `start`, a file or folder.

    The folder of `aioncall.yaml` found upwards; without one, the nearest folder with `.git` or
    `pyproject.toml`; without one, `start` itself (its folder where it is a file).
    """
    start = start.absolute()
    folder = start.parent if start.is_file() else start
    upwards = (folder, *folder.parents)
    for place in upwards:
        if _is_there(place / FILE_NAME):
            return place
    return next((p for p in upwards if any(_is_there(p / sign) for sign in _ROOT_SIGNS)), folder)


def _is_there(path: Path) -> bool:
    """Tell whether there is something, a link to nothing too; nothing is where one may not look."""
    return os.path.lexists(path)


def load_config(root: Path) -> Config:
    """Return the configuration in `root`; all defaults where there is no file.

    Raises LoadError with every problem. Sections of later stages are checked to be mappings only.
    """
    raw, source = _read(root)
    if raw is None:
        return Config()
    note_unknown_keys(source, "", raw, _KEYS)
    if raw.get("format", 1) != 1 or isinstance(raw.get("format"), bool):
        source.add("format", f"this version reads format 1, got {quoted(raw.pop('format'))}")
    for section in LATER_SECTIONS:
        if not isinstance(raw.get(section, {}), dict):
            source.add(section, f"needs a mapping (key: value), got {kind_of(raw[section])}")
    known = {key: value for key, value in raw.items() if key in Config.model_fields}
    defaults: Any = known.get("defaults")
    has_epochs = isinstance(defaults, dict) and defaults.get("epochs") is not None
    if has_epochs and not note_epochs(source, "defaults.epochs", defaults["epochs"]):
        known["defaults"] = {key: value for key, value in defaults.items() if key != "epochs"}
    note_truth_values(source, Config, known)
    _note_own_rules(known, source)
    try:
        config = Config.model_validate(known)
    except ValidationError as error:
        note_refusal(source, error, "", known=_known_keys, shown=_shown)
    problems = problems_of([source])
    if problems:
        raise LoadError(problems)
    return config


def read_section(root: Path, name: str) -> dict[str, Any]:
    """Return a section of a later stage (`LATER_SECTIONS`) as plain data, {} where it is absent.

    Raises LoadError where the file cannot be read or the section is no mapping.
    """
    raw, source = _read(root)
    section = {} if raw is None else raw.get(name, {})
    if not isinstance(section, dict):
        source.add(name, f"needs a mapping (key: value), got {kind_of(section)}")
        raise LoadError(problems_of([source]))
    return section


def _read(root: Path) -> tuple[dict[str, Any] | None, Source]:
    path = root / FILE_NAME
    source = Source(path, FILE_NAME)
    if not _is_there(path):
        if _is_there(root / "aioncall.yml"):
            raise LoadError([Problem("aioncall.yml", 0, "", f"is not read; rename it to {FILE_NAME}")])
        return None, source
    document = parse_yaml(read_bytes(path, file=FILE_NAME), file=FILE_NAME, shape=_SHAPE)
    for where, message, line in document.problems:
        source.add(where, message, line=line)
    if document.data is None:
        return {}, source
    if not isinstance(document.data, dict):
        source.add("", f"needs a mapping, got {kind_of(document.data)}")
        raise LoadError(problems_of([source]))
    return document.data, source


def _note_own_rules(raw: dict[str, Any], source: Source) -> None:
    """Note what the models cannot say: no secret in the file, names of variables, patterns, dates."""
    providers = raw.get("providers")
    for name, provider in providers.items() if isinstance(providers, dict) else ():
        where = step("providers", name)
        if not _PROVIDER_NAME.fullmatch(name):
            source.add(
                where, "a provider's name is made of A-Z a-z 0-9 _ . - (models are named provider/model)"
            )
        if isinstance(provider, dict):
            _note_provider(provider, where, source)
    prices = raw.get("prices")
    if isinstance(prices, dict):
        _note_prices(prices, source)
    rules = raw.get("redact")
    if isinstance(rules, list):
        fit = [_note_redaction(rule, f"redact[{index}]", source) for index, rule in enumerate(rules)]
        raw["redact"] = [rule for rule in fit if rule is not None]
    note_oncall(raw.get("oncall"), source)
    note_delivery(raw, source)


def _note_redaction(raw: Any, where: str, source: Source) -> str | RedactRule | None:
    """Return a rule of `redact`, None where it cannot be used, which is noted."""
    from ..redaction import problem_of

    rule: str | RedactRule
    if isinstance(raw, str):
        rule = raw
    elif isinstance(raw, dict):
        try:
            rule = RedactRule.model_validate(raw)
        except ValidationError as error:
            note_refusal(source, error, where, known=lambda _loc: frozenset(RedactRule.model_fields))
            return None
    else:
        source.add(where, f"needs a pattern (text) or a mapping, got {kind_of(raw)}")
        return None
    problem = problem_of(rule)
    if problem is None:
        return rule
    key, message = problem
    source.add(f"{where}.{key}" if key else where, message)
    return None


def _note_provider(provider: dict[str, Any], where: str, source: Source) -> None:
    named = {"api_key_env": provider.get("api_key_env")}
    headers = provider.get("headers_env")
    if isinstance(headers, dict):
        named |= {f"headers_env.{header}": variable for header, variable in headers.items()}
    for key, variable in named.items():
        if isinstance(variable, str) and not VARIABLE.fullmatch(variable):
            # Never shown: what stands here may be the secret itself.
            source.add(f"{where}.{key}", NOT_A_NAME)
    url = provider.get("base_url")
    if isinstance(url, str) and not _is_address(url):
        message = "has to be an http:// or https:// address without user or password"
        source.add(f"{where}.base_url", message)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def _note_prices(prices: dict[str, Any], source: Source) -> None:
    as_of = prices.get("as_of")
    if isinstance(as_of, str):
        try:
            date.fromisoformat(as_of if re.fullmatch(r"\d{4}-\d\d-\d\d", as_of) else "")
        except ValueError:
            source.add("prices.as_of", f"needs a date, for example 2026-11-01, got {quoted(as_of)}")
            del prices["as_of"]
    flat = "models" not in prices
    models = prices if flat else prices["models"]
    for model, price in models.items() if isinstance(models, dict) else ():
        if flat and model == "as_of":
            continue
        place = step("prices" if flat else "prices.models", model)
        if "/" not in model:
            source.add(place, f"names no provider; write provider/{quoted(model)[1:-1]}")
        if flat:
            note_truth_values(source, Price, price, place)


def _known_keys(loc: tuple[int | str, ...]) -> frozenset[str]:
    """Return the keys that exist in the mapping at a model's path."""
    section = str(loc[0]) if loc else ""
    if section in _NAMED_ENTRIES:
        return frozenset(_NAMED_ENTRIES[section].model_fields)
    model: type[BaseModel] = Config
    for key in loc:
        # An index, and the name that pydantic gives a choice of types, lead no deeper.
        field = model.model_fields.get(key) if isinstance(key, str) else None
        model = (_model_in(field.annotation) if field is not None else None) or model
    return _KEYS if model is Config else frozenset(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation names, itself or in its brackets: `Rotation | None`."""
    if hasattr(annotation, "model_fields"):
        found: type[BaseModel] = annotation
        return found
    return next((one for part in get_args(annotation) if (one := _model_in(part)) is not None), None)


def _shown(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Return the path as the file has it: prices stand flat beside `as_of`."""
    return (loc[0], *loc[2:]) if loc[:2] == ("prices", "models") and len(loc) > 2 else loc
