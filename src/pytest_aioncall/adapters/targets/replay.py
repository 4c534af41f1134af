"""The target `replay`: outputs recorded before, from a JSONL file or a run's samples; nothing is called."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ...errors import CassetteMiss, TargetError, UsageError
from ...model.evalset import Case
from ...model.frozen import digest_of
from ...model.sample import Output
from ...protocols import PieceContext, Target
from ..text import did_you_mean, one_line
from ..yaml_text import open_file, quoted
from ..yaml_text.json_lines import MAX_BYTES
from .outputs import KEYS, to_output

_ROW_KEYS = ("case", "epoch", "digest", "latency_s", "recorded_at", *KEYS)


def replay(file: str, *, match: Literal["digest", "id"] = "digest", context: PieceContext) -> Target:
    """Make a target that answers from `file`: rows `{case, epoch, text, ...}`, or a run's `samples.jsonl`.

    Rows of a case without `epoch` are its epochs in order. A row with a `digest` only answers a case of that
    digest, since another one was asked something else; `match: id` takes it all the same.
    """
    places = [base / file for base in (context.root, context.folder)]
    # Not Path.is_file: it raises where a text is no name that a file can have.
    path = next((place for place in places if os.path.isfile(place)), None)  # noqa: PTH113
    if path is None:
        raise UsageError(f"no file {one_line(file, 100)}; paths start at the project root")
    rows = _read_rows(path, file, evalset=context.evalset)
    return ReplayTarget(rows, file=file, match=match)


class ReplayTarget:
    """Answer with the recorded output of (case, epoch)."""

    def __init__(
        self,
        rows: Mapping[tuple[str, int], dict[str, Any]],
        *,
        file: str,
        match: Literal["digest", "id"],
    ) -> None:
        self._rows, self._file, self._match = rows, file, match

    async def answer(self, case: Case, *, epoch: int) -> Output:
        row = self._rows.get((case.id, epoch))
        if row is None:
            raise CassetteMiss(
                f"no output of case {case.id!r} epoch {epoch} in {self._file}; add a row for it"
            )
        if self._match == "digest" and row["digest"] is not None and row["digest"] != case.digest:
            raise CassetteMiss(
                f"the output of case {case.id!r} in {self._file} was recorded for another version of "
                "the case; record it again, or set match: id"
            )
        if row["output"] is None:
            raise CassetteMiss(
                f"case {case.id!r} epoch {epoch} has no output in {self._file}: {row['error']}"
            )
        output: Output = row["output"]
        return output

    def fingerprint(self) -> Mapping[str, Any]:
        outputs = [
            [case, epoch, row["output"] and row["output"].text]
            for (case, epoch), row in sorted(self._rows.items())
        ]
        return {"replay": digest_of(outputs)}


def _read_rows(path: Path, shown: str, *, evalset: str) -> dict[tuple[str, int], dict[str, Any]]:
    """Read both forms; UsageError names file and line of what is wrong."""
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    seen: dict[str, int] = {}
    changed_on = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    with open_file(path, file=shown, limit=MAX_BYTES) as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            where = f"{shown}:{number}"
            try:
                data = json.loads(line)
            except (ValueError, RecursionError):
                raise UsageError(f"{where}: is no JSON; write one row a line") from None
            if not isinstance(data, dict) or not isinstance(data.get("case"), str):
                raise UsageError(f'{where}: names no case; write {{"case": "id", "text": "..."}}')
            if data.get("evalset", evalset) != evalset:
                continue
            case = data["case"]
            epoch = data.get("epoch", seen.get(case, 0))
            if isinstance(epoch, bool) or not isinstance(epoch, int):
                raise UsageError(f"{where}: epoch {quoted(epoch)} is no whole number")
            if (case, epoch) in rows and "output" not in data:
                told = f"case {quoted(case)} epoch {quoted(epoch)}"
                raise UsageError(f"{where}: {told} is there twice; remove one")
            seen[case] = epoch + 1
            rows[case, epoch] = _row(data, where=where, changed_on=changed_on)
    return rows


def _row(data: dict[str, Any], *, where: str, changed_on: str) -> dict[str, Any]:
    if "output" in data:  # a sample of a run
        error = data.get("error")
        said = one_line(str(error.get("message", "")), 120) if isinstance(error, dict) else "nothing was kept"
        output = None
        if isinstance(data["output"], dict):
            day = str(data.get("started_at") or changed_on)[:10]
            try:
                output = Output.model_validate(data["output"])
            except ValueError:
                raise UsageError(f"{where}: its output is none of ours; is it a samples.jsonl?") from None
            output = output.model_copy(update={"replayed": output.replayed or day})
        return {"digest": data.get("digest"), "output": output, "error": said}
    for key in data:
        if key not in _ROW_KEYS and key != "evalset":
            near = did_you_mean(key, _ROW_KEYS)
            hint = f"did you mean {near!r}?" if near else f"known are {', '.join(_ROW_KEYS)}"
            raise UsageError(f"{where}: unknown key {one_line(key, 40)!r}; {hint}")
    latency_s = data.get("latency_s")
    try:
        if latency_s is not None and not 0 <= float(latency_s) < math.inf:
            raise ValueError
        output = to_output(
            {key: value for key, value in data.items() if key in KEYS},
            latency_s=float(latency_s) if latency_s is not None else None,
            who=where,
        )
    except (ValueError, TypeError, OverflowError):
        raise UsageError(f"{where}: latency_s {quoted(latency_s)} is no number of seconds") from None
    except TargetError as error:
        raise UsageError(str(error)) from None
    day = str(data.get("recorded_at") or changed_on)[:10]
    return {
        "digest": data.get("digest"),
        "output": output.model_copy(update={"replayed": day}),
        "error": "",
    }
