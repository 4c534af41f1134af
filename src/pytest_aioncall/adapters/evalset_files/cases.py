"""Raw cases to Case nouns, a thousand at a time, so that a large file never stands in memory three times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from ...model.evalset import Case, merged_slices
from ..yaml_text import Source, quoted
from ..yaml_text.words import kind_of, note_refusal, note_unknown_keys
from .includes import CaseFile
from .pieces import read_scorers
from .shapes import CASE_KEYS, REQUIRE_KEYS, SOURCE_KEYS

_CHUNK: Final = 1000
_MOST_WRONG: Final = 2_000
_CASES: Final[TypeAdapter[list[Case]]] = TypeAdapter(list[Case])
_CASE: Final[TypeAdapter[Case]] = TypeAdapter(Case)


def read_cases(file: CaseFile, *, slices: Mapping[str, str], scored: bool) -> list[Case]:
    """Return the cases of one file that are well formed; the others are noted on its source.

    slices  the evalset's defaults, below each case's own
    scored  the evalset has scorers of its own, so that a case needs none
    """
    cases: list[Case] = []
    interned: dict[frozenset[str], set[str]] = {}
    for start in range(0, len(file.raw_cases), _CHUNK):
        if len(file.source.findings) > _MOST_WRONG:
            file.source.add(f"cases[{start}]", "is wrong in so many cases that the rest is not checked")
            break
        chunk: list[dict[str, Any]] = []
        for index in range(start, min(start + _CHUNK, len(file.raw_cases))):
            raw, file.raw_cases[index] = file.raw_cases[index], None
            if _prepare(raw, index, file, slices=slices, scored=scored):
                chunk.append(raw)
        for case in _validated(chunk, file.source):
            # Most cases set the same fields; one set for all of them saves 0.7 KB a case.
            given = case.__pydantic_fields_set__
            object.__setattr__(case, "__pydantic_fields_set__", interned.setdefault(frozenset(given), given))
            cases.append(case)
    return cases


def _prepare(raw: Any, index: int, file: CaseFile, *, slices: Mapping[str, str], scored: bool) -> bool:
    """Bring one raw case into the model's form in place; return whether it is worth validating."""
    where, source = f"cases[{index}]", file.source
    if not isinstance(raw, dict):
        source.add(where, f"needs a mapping with id and input, got {kind_of(raw)}")
        return False
    if not raw.keys() <= CASE_KEYS:
        note_unknown_keys(source, where, raw, CASE_KEYS)
        for key in [key for key in raw if key not in CASE_KEYS]:
            del raw[key]
    if file.incident is not None and "source" not in raw:
        raw["source"] = file.incident
    if "source" in raw and not raw.get("must") and not raw.get("require"):
        source.add(where, "an incident case needs a must or a require, or nothing keeps it from coming back")
    elif not scored and not (raw.get("scorers") or raw.get("must") or raw.get("require")):
        source.add(where, "no scorer, must or require applies; such a case can only pass")
    for key in ("scorers", "must"):
        if key in raw:
            raw[key] = read_scorers(raw[key], f"{where}.{key}", source, named=key == "scorers")
    if "require" in raw:
        raw["require"] = _requires(raw["require"], f"{where}.require", source)
    if slices:
        own = raw.get("slices", {})
        raw["slices"] = merged_slices(slices, own) if isinstance(own, dict) else own
    raw["file"], raw["line"], raw["where"] = source.file, file.lines[index], where
    return True


def _requires(raw: Any, where: str, source: Source) -> list[Any]:
    if not isinstance(raw, list):
        hint = "; start each with '- '" if isinstance(raw, dict) else ""
        source.add(where, f"needs a list of {{scorer, at_least, in}}, got {kind_of(raw)}{hint}")
        return []
    fine: list[Any] = []
    for index, item in enumerate(raw):
        place = f"{where}[{index}]"
        if not isinstance(item, dict):
            source.add(place, f"needs a mapping {{scorer, at_least, in}}, got {kind_of(item)}")
        elif not note_unknown_keys(source, place, item, REQUIRE_KEYS):
            if isinstance(item.get("at_least"), bool):
                source.add(f"{place}.at_least", f"needs a number, got {quoted(item['at_least'])}")
            else:
                fine.append(item)
    return fine


def _validated(chunk: list[dict[str, Any]], source: Source) -> list[Case]:
    """Return the cases that the model takes, all in one call where none is refused."""
    try:
        return _CASES.validate_python(chunk)
    except ValidationError:
        pass
    cases: list[Case] = []
    for raw in chunk:
        try:
            cases.append(_CASE.validate_python(raw))
        except ValidationError as error:
            note_refusal(source, error, raw["where"], known=_known_keys)
    return cases


def _known_keys(loc: tuple[int | str, ...]) -> frozenset[str]:
    return SOURCE_KEYS if loc and loc[-1] == "source" else CASE_KEYS
