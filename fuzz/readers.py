"""The fuzz targets: one function of bytes for each reader of something that others wrote.

An input that stands for several files is cut at the byte 0x1e (in the order of `parts`). A target returns
where the reader took the input or refused it in its own words, and raises anything else.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import math
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal

from pytest_aioncall.adapters.baseline_store import (
    baseline_text,
    is_baseline,
    outputs_path,
    outputs_text,
    read_baseline,
)
from pytest_aioncall.adapters.cassettes import open_cassettes
from pytest_aioncall.adapters.chat_replies import chat_reply, server_message
from pytest_aioncall.adapters.config_file import load_config
from pytest_aioncall.adapters.evalset_files import line_of, lines_of, load_evalset, parts_named
from pytest_aioncall.adapters.flat_scores import read_flat_scores
from pytest_aioncall.adapters.net import make_wire, retry_after_s
from pytest_aioncall.adapters.net.wishes import LONGEST_RESET_S, reset_after_s
from pytest_aioncall.adapters.redaction import Redactor
from pytest_aioncall.adapters.results.sources import read_side
from pytest_aioncall.adapters.run_store import RUN_FILE, SAMPLES_FILE, mend_samples, read_run, read_samples
from pytest_aioncall.adapters.scorers.judge_prompt import Marks
from pytest_aioncall.adapters.scorers.judge_reply import LONGEST_REASON, read_verdict
from pytest_aioncall.adapters.targets.replay import replay
from pytest_aioncall.adapters.templates import LONGEST, JsonTemplate, Template, read_prompt
from pytest_aioncall.adapters.yaml_text import Source, parse_yaml
from pytest_aioncall.adapters.yaml_text.json_lines import json_rows
from pytest_aioncall.model.config import Config
from pytest_aioncall.model.evalset import Case
from pytest_aioncall.model.sample import Sample
from pytest_aioncall.protocols import PieceContext, Reply

from .oracle import one_printable_line, promise, refusals

CUT = b"\x1e"
NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reader:
    """A target. `syntax` is what its inputs are made of, for mutations that keep them whole."""

    name: str
    run: Callable[[bytes], None]
    syntax: Literal["yaml", "json", "text"]
    parts: int = 1


@cache
def scratch() -> Path:
    """Return a folder of this process, in memory where the system has such a place."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="aioncall-fuzz-", dir=memory if memory.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _folder(name: str, files: Mapping[str, bytes]) -> Path:
    folder = scratch() / name
    folder.mkdir(exist_ok=True)
    for file, raw in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    return folder


def _parts(raw: bytes, count: int) -> list[bytes]:
    found = raw.split(CUT, count - 1)
    return found + [b""] * (count - len(found))


def read_an_evalset(raw: bytes) -> None:
    """Load an evalset with cases in JSON lines and an incident file beside it."""
    own, lines, incident = _parts(raw, 3)
    folder = _folder(
        "evalset",
        {"e.eval.yaml": own, "cases.jsonl": lines, "incidents/e/2026-11-01.yaml": incident},
    )
    path = folder / "e.eval.yaml"
    with refusals(files=("e.eval.yaml", "cases.jsonl", "2026-11-01.yaml")):
        evalset = load_evalset(path, root=folder)
        promise(evalset.cases, "an evalset without a case was loaded")
        for case in evalset.cases:
            promise(case.line >= 1, "a case without a line")
            promise(len(case.digest) == 16, "a case without a digest")
        again = load_evalset(path, root=folder)
        promise(evalset == again, "the same file loads as two evalsets")
    for file in (path, folder / "cases.jsonl"):
        promise(line_of(file, "cases[0].id") >= 1, "a line below one")
    promise(set(lines_of(path, ["cases", ""])) == {"cases", ""}, "a line that was asked for is missing")
    parts_named(path)


def read_a_config(raw: bytes) -> None:
    """Load `aioncall.yaml`."""
    folder = _folder("config", {"aioncall.yaml": raw})
    with refusals(files=("aioncall.yaml",)):
        config = load_config(folder)
        again = Config.model_validate_json(config.model_dump_json(by_alias=True))
        promise(again == config, "a configuration that was written is another when read")


def read_some_yaml(raw: bytes) -> None:
    """Read one YAML document; JSON that means something is read as the same."""
    with refusals(files=("x.yaml",)):
        document = parse_yaml(raw, file="x.yaml")
        for where, message, line in document.problems:
            one_printable_line(f"x.yaml:{line}: {where}: {message}")
        text = json.dumps(document.data)
        if "\\u" not in text and "1e" not in text and not document.problems:
            promise(parse_yaml(text.encode(), file="x.yaml").data == document.data, "its JSON means another")


def read_json_lines(raw: bytes) -> None:
    """Read JSON lines; what is taken is what `json` takes, and can be written."""
    source = Source(Path("x.jsonl"), "x.jsonl")
    rows = list(json_rows(raw, source))
    for finding in source.findings:
        one_printable_line(f"x.jsonl:{finding.line}: {finding.message}")
    lines = raw.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for line, row in rows:
        promise(row == json.loads(lines[line - 1]), "a row is not what stands in its line")
        json.dumps(row, ensure_ascii=False, allow_nan=False).encode("utf-8")


def read_a_run(raw: bytes) -> None:
    """Read a run folder; every whole line before a torn end is kept, and comes back as it was written."""
    run_json, samples = _parts(raw, 2)
    folder = _folder("run", {RUN_FILE: run_json, SAMPLES_FILE: samples})
    with refusals(files=(RUN_FILE,)):
        run = read_run(folder)
        (folder / RUN_FILE).write_text(run.model_dump_json(), encoding="utf-8")
        promise(read_run(folder) == run, "a run that was written is another when read")
    with refusals(files=(SAMPLES_FILE,)):
        found = [_written(sample) for sample in read_samples(folder)]
        whole = b"".join(found)
        for torn in (whole, whole + whole[: len(whole) // 2].rpartition(b"\n")[2], whole[:-1]):
            (folder / SAMPLES_FILE).write_bytes(torn)
            kept = [_written(sample) for sample in read_samples(folder)]
            count = len(found) - (1 if torn == whole[:-1] and found else 0)
            promise(kept == found[:count], "a sample that was written is another when read")
    _mend_a_run(folder, samples)


def _mend_a_run(folder: Path, samples: bytes) -> None:
    """Mend what is torn: every whole line is kept as it is, everything else is put aside, once."""
    (folder / SAMPLES_FILE).write_bytes(samples)
    (folder / "samples.torn").unlink(missing_ok=True)
    whole = [line for line in samples.split(b"\n")[:-1] if _is_sample(line.lstrip(b"\0"))]
    kept = mend_samples(folder)
    after = (folder / SAMPLES_FILE).read_bytes()
    promise(after == b"".join(line.lstrip(b"\0") + b"\n" for line in whole), "mending lost a whole line")
    promise(len(whole) >= len(kept), "more samples than lines")
    promise(len(list(read_samples(folder))) == len(whole), "a mended run cannot be read")
    promise(mend_samples(folder).torn == 0, "mending twice finds something to mend")
    promise((folder / SAMPLES_FILE).read_bytes() == after, "mending twice changes the file")


def _is_sample(line: bytes) -> bool:
    try:
        Sample.model_validate_json(line)
    except ValueError:
        return False
    return True


def _written(sample: Sample) -> bytes:
    return sample.model_dump_json().encode() + b"\n"


def read_a_baseline(raw: bytes) -> None:
    """Read a baseline and its outputs; what is written back is the same baseline."""
    baseline, outputs = _parts(raw, 2)
    folder = _folder("baseline", {"b.jsonl": baseline, "b.outputs.jsonl": outputs})
    path = folder / "b.jsonl"
    is_baseline(path)
    with refusals(files=("b.jsonl", "b.outputs.jsonl")):
        found = read_baseline(path)
        kept = found.outputs()
        texts = found.texts_of({row.case for row in found.rows})
        promise(all(len(texts[case]) >= 1 for case in texts), "a case with outputs has none")
        text, beside = baseline_text(found.header, found.rows), outputs_text(kept)
        path.write_text(text, encoding="utf-8", newline="\n")
        outputs_path(path).write_text(beside, encoding="utf-8", newline="\n")
        again = read_baseline(path)
        promise(again.header == found.header, "a header that was written is another when read")
        rows = tuple(sorted(found.rows, key=lambda row: row.case))
        promise(again.rows == rows, "rows that were written are others when read")
        promise(baseline_text(again.header, again.rows) == text, "writing again changes the file")
        if again.mismatch is None:
            written = sorted(kept, key=lambda output: (output.case, output.epoch))
            promise(again.outputs() == written, "outputs that were written are others when read")


def read_flat(raw: bytes) -> None:
    """Read flat scores; every score lies on its scorer's scale."""
    path = _folder("flat", {"s.jsonl": raw}) / "s.jsonl"
    with refusals(files=("s.jsonl",)):
        scorers, rows = read_flat_scores(path)
        promise(scorers and rows, "a table without a score")
        for row in rows:
            for name, values in row.scores.items():
                low, high = scorers[name].scale
                promise(all(v is None or low <= v <= high for v in values), "a score off its scale")


def read_a_replay_file(raw: bytes) -> None:
    """Read the file of a `replay` target; each answer is an output that can be kept."""
    path = _folder("replay", {"out.jsonl": raw}) / "out.jsonl"
    wire = make_wire(Config(), concurrency=1)
    context = PieceContext(path.parent, path.parent, "e", Config(), {}, wire)
    with refusals(files=("out.jsonl",)):
        target = replay("out.jsonl", context=context)
        promise(json.dumps(target.fingerprint()), "a target without a fingerprint")
        for case in ("a", "b"):
            with refusals(files=("out.jsonl",)):
                output = asyncio.run(target.answer(Case(id=case, input=1), epoch=0))
                promise(output.replayed, "an answer that looks fresh")
                latency_s = output.latency_s
                promise(latency_s is None or 0 <= latency_s < math.inf, "a latency that is no number")


def read_a_judges_reply(raw: bytes) -> None:
    """Read a judge's reply: a verdict on the scale, or a ScorerError."""
    text = raw[1:].decode("utf-8", "surrogateescape" if raw[:1] > b"\x7f" else "replace")
    marks = _MARKS[raw[0] % len(_MARKS)] if raw else _MARKS[0]
    with refusals():
        value, label, reason = read_verdict(text, marks)
        promise(math.isfinite(value) and marks.low <= value <= marks.high, "a verdict off the scale")
        if marks.labels is None:
            steps = (value - marks.low) / marks.step
            promise(abs(steps - round(steps)) < 1e-6, "a verdict between two steps")
        else:
            promise(label is not None and marks.labels[label] == value, "a label that has another value")
        if reason is not None:
            one_printable_line(reason)
            promise(len(reason) <= LONGEST_REASON, "a reason without end")


_MARKS = (
    Marks(1.0, 5.0),
    Marks(0.0, 1.0, 0.1),
    Marks(0.0, 1.0, 1.0, {"no": 0.0, "yes": 1.0}),
    Marks(0.0, 1.0, 1.0, {"Weiß nicht": 0.0, "partly": 0.5, "STRASSE": 1.0}),
)


def read_retry_after(raw: bytes) -> None:
    """Read how long a server asks to wait: seconds from zero up, or nothing."""
    milliseconds, seconds = (part.decode("latin-1") for part in _parts(raw, 2))
    for headers in (
        {"retry-after": seconds},
        {"retry-after-ms": milliseconds},
        {"retry-after-ms": milliseconds, "retry-after": seconds},
    ):
        wait = retry_after_s(headers, now=NOW)
        promise(wait is None or (math.isfinite(wait) and wait >= 0), f"waits {wait} s")
    for kind in ("anthropic-ratelimit-tokens-{}", "x-ratelimit-{}-requests", "ratelimit-{}"):
        resets = {kind.format("remaining"): "0", kind.format("reset"): seconds}
        reset = reset_after_s(resets, now=NOW)
        promise(reset is None or 0 <= reset <= LONGEST_RESET_S, f"waits {reset} s for a reset")


def read_a_cassette(raw: bytes) -> None:
    """Replay from a cassette: a recorded reply, a miss, or a refusal that names the file."""
    file = _folder("cassettes", {"e.jsonl": raw}) / "e.jsonl"
    wire = make_wire(Config(), concurrency=1)
    cassettes = open_cassettes(
        wire, mode="replay", folder=file.parent, evalset="e", redact=Redactor(), today=NOW.date()
    )
    with refusals(files=("e.jsonl",)):
        cassettes.check()
    with refusals(files=("e.jsonl",)):
        reply = cassettes.recall({"json": {"a": 1}}, epoch=0)
        promise(isinstance(reply.body, bytes) and reply.replayed, "a recording without a body or a day")
        promise(math.isfinite(reply.latency_s) and reply.latency_s >= 0, "a latency that is no number")
        promise(all(isinstance(v, str) for v in reply.headers.values()), "a header that is no text")


def read_results(raw: bytes) -> None:
    """Read a result file of another tool, told by what it holds."""
    ending = (".json", ".jsonl", ".xml", ".eval")[raw[0] % 4] if raw else ".json"
    path = _folder("results", {f"r{ending}": raw[1:]}) / f"r{ending}"
    with refusals(files=(path.name,)):
        for results in read_side([str(path)], "auto"):
            promise(results.reading.observed, "results without a sample")
            for one in results.reading.observed:
                promise(one.case and one.case.isprintable(), f"a case that nobody can name: {one.case!r}")
                for score in one.scores:
                    value = score.value
                    promise(value is None or math.isfinite(value), "a score that is no number")
                    promise((value is None) == (score.error is not None), "a score and an error")


def read_a_chat_reply(raw: bytes) -> None:
    """Read what a chat server sent: an answer in our types, a TransportError or a TargetError."""
    kind: Literal["openai", "anthropic"] = "anthropic" if raw[:1] and raw[0] & 1 else "openai"
    status = (200, 201, 204, 400, 401, 404, 422, 500)[raw[0] >> 1 & 7] if raw else 200
    headers = {"content-type": "text/html" if raw[:1] > b"\x80" else "application/json"}
    body = raw[1:]
    said = server_message(body)
    if said:
        one_printable_line(said)
    with refusals():
        reply = chat_reply(kind, Reply(status, headers, body, 0.1), name="p/m", key_env="P_KEY")
        promise(isinstance(reply.text, str), f"a text that is {type(reply.text).__name__}")
        for word in (reply.finish, reply.model, reply.refusal):
            promise(word is None or isinstance(word, str), f"a word that is {type(word).__name__}")
        for number in (reply.tokens_in, reply.tokens_out):
            promise(number is None or (type(number) is int and number >= 0), f"{number!r} tokens")
        for call in reply.tool_calls or ():
            promise(isinstance(call["name"], str), "a tool without a name")


def render_a_template(raw: bytes) -> None:
    """Compile and render a prompt and a JSON body; what comes out is bounded."""
    text, given = (part.decode("utf-8", "replace") for part in _parts(raw, 2))
    variables = {"input": given, "expected": {"a": [1, given], "b": None}, "n": 3, "items": [1, 2, given]}
    with refusals(files=("p.md",)):
        promise(len(Template(text, where="p.md").render(variables)) <= LONGEST, "a text without end")
    with refusals(files=("p.md",)):
        for message in read_prompt(text, where="p.md"):
            message.template.render(variables)
    with refusals(files=("p.md",)):
        JsonTemplate({"a": [text], text[:20]: "x"}, where="p.md").render(variables)


def redact_text(raw: bytes) -> None:
    """Take secrets out of a text: what has been redacted redacts to itself."""
    text = raw.decode("utf-8", "replace")
    once = _REDACTOR.text(text)
    promise(_REDACTOR.text(once) == once, "a redacted text is redacted again")
    promise("hunter2-hunter2" not in once, "a secret that was named stands in the text")


_REDACTOR = Redactor(["hunter2-hunter2"])

READERS: Mapping[str, Reader] = {
    reader.name: reader
    for reader in (
        Reader("evalset", read_an_evalset, "yaml", parts=3),
        Reader("config", read_a_config, "yaml"),
        Reader("yaml", read_some_yaml, "yaml"),
        Reader("json-lines", read_json_lines, "json"),
        Reader("run", read_a_run, "json", parts=2),
        Reader("baseline", read_a_baseline, "json", parts=2),
        Reader("flat-scores", read_flat, "json"),
        Reader("replay-file", read_a_replay_file, "json"),
        Reader("judge-reply", read_a_judges_reply, "json"),
        Reader("retry-after", read_retry_after, "text", parts=2),
        Reader("cassette", read_a_cassette, "json"),
        Reader("results", read_results, "json"),
        Reader("chat-reply", read_a_chat_reply, "json"),
        Reader("redaction", redact_text, "text"),
        Reader("template", render_a_template, "text", parts=2),
    )
}
