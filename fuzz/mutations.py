"""Changes to an input that keep it mostly whole, so that what comes after the parser is reached too."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, Literal

CUT = b"\x1e"

# fmt: off
WORDS: dict[str, tuple[str, ...]] = {
    "evalset": (
        *(
            "evalset owner target scorers cases include gates defaults slices epochs errors id input "
            "expected must require scorer in at_least source incident subject files labels weakening "
            "format exact contains cluster cases.jsonl *.jsonl incidents/e/*.yaml max_rate margin min "
            "max as 1/2 concurrency timeout_s on_inconclusive claim outputs note opened url "
        ).split(),
    ),
    "config": (
        *(
            "providers prices as_of kind openai anthropic base_url api_key_env redact models defaults "
            "alpha margin epochs min max mode replay store format headers_env weakening monitors "
            "requests_per_minute tokens_per_minute a/b input output http://localhost/v1 2026-11-01 "
            "keep_runs baseline_ref report_dir "
        ).split(),
    ),
    "yaml": (
        *(
            "cases a b "
        ).split(),
    ),
    "json-lines": (
        *(
            "a format "
        ).split(),
    ),
    "run": (
        *(
            "format id evalsets created_at fingerprint complete totals planned plan evalset case "
            "digest epoch slices cluster output text data scores scorer scale value passed label "
            "reason error kind type message transport user traceback attempts started_at gates floors "
            "epochs cases "
        ).split(),
    ),
    "baseline": (
        *(
            "format evalset accepted_by accepted_at reason commit run instrument subject scorers "
            "accepts ticket slice dirty outputs count sha256 rejudged case digest slices cluster "
            "scores labels latency_s cost_usd errors epoch tokens_in tokens_out retrieved tool_calls "
            "cut data text hash parts scale "
        ).split(),
    ),
    "flat-scores": (
        *(
            "case_id epoch scorer scale score error slices cluster evalset "
        ).split(),
    ),
    "replay-file": (
        *(
            "case epoch digest latency_s recorded_at text data retrieved tool_calls tokens_in tokens_out "
            "cost_usd model finish evalset output error message started_at replayed id a b "
        ).split(),
    ),
    "judge-reply": (
        *(
            "score label reason yes no partly 0.3 "
        ).split(),
        "weiss nicht", "```json\n", "```",
    ),
    "retry-after": (
        *(
            "120 1e3 inf nan -1 1e400 0x10 1_000 "
        ).split(),
        "Wed, 21 Oct 2026 07:28:00 GMT", "Sun, 22 Nov 2026 04:31:00 -0000",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "+9999",
    ),
    "cassette": (
        *(
            "format key epoch question asked_sha256 status headers json text base64 latency_s "
            "recorded_at content-type "
        ).split(),
        "<<<<<<< HEAD", "=======", ">>>>>>> x",
    ),
    "results": (
        *(
            "results version stats evalId prompts vars gradingResult componentResults score pass "
            "reason assertion namedScores latencyMs samples eval status testCases metricsData name "
            "success cases scores assertions value failures success "
        ).split(),
        "<testsuite>", "<testcase name='a'>", "</testsuite>", "<failure/>", "<!DOCTYPE a>", "&#0;",
    ),
    "chat-reply": (
        *(
            "choices message content refusal tool_calls function name arguments usage prompt_tokens "
            "completion_tokens model finish_reason type text tool_use input stop_reason end_turn "
            "input_tokens output_tokens error detail id parts "
        ).split(),
    ),
    "redaction": (
        *(
            "hunter2-hunter2 sk-abcdefghij0123456789 eyJhbGciOi.eyJzdWIiOi.x AKIAABCDEFGHIJKLMNOP "
            "[REDACTED:api-key] ghp_ AIza glpat- xoxb- hooks.slack.com/services/ hf_ npm_ "
        ).split(),
        "Bearer ", "api_key=", "@", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----",
        "https://u:pw@h/",
    ),
    "template": (
        *(
            "loop ** // expected.a[1] __class__ "
        ).split(),
        "{{ input }}", "{{", "}}", "{%", "%}", "{% for x in items %}", "{% endfor %}", "{% if n %}",
        "{% endif %}", "{% set a = 1 %}", "{% raw %}", "{#", "#}", "| tojson", "|center(99)",
        "|format(1)", "## system\n", "## user\n", "## assistant\n", "~", "|map('upper')",
        "{% macro m() %}", "{% endmacro %}", "{% include 'a' %}", "|items", "|attr('x')", "%",
    ),
}
"""What each target's inputs speak of."""

ODD_TEXT = (
    "", " ", "\x00", "\x1b[31m", "\u202e", "\ud800", "\ufeff", "\u2028", "\x85", "\r", "::error::",
    "a" * 300, "1/2", "0/0", "../x", "<<", "null", "~", "true", "1e999", "9" * 500, "-0", ".nan",
    "\\ud800", "İ", "ß",
)
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 0.5, 1e+308, -1e-320, 10**30, 10**400, [], {}, [[]], [None],
    {'': 0}, [0, 1], [1, 0], {'a': {'b': 1}}, {'min': 1, 'max': 2},
)
SCRAPS = (
    "\n", "\r\n", "\t", " ", "  ", ": ", "- ", "? ", "[", "]", "{", "}", ",", '"', "'", "|\n", ">\n",
    "#", "&a ", "*a", "<<: ", "<<: *a", "!!str ", "!x ", "---\n", "...\n", "%YAML 1.1\n", "\ufeff",
    "\x00", "\\", '\\"', "\\u0000", "\\ud800", "NaN", "Infinity", "1e999", "0x1f", "0o7", "12:30",
    "=", "@", "`", "\x7f",
)
# fmt: on


def mutated(raw: bytes, *, rng: random.Random, name: str, syntax: Literal["yaml", "json", "text"]) -> bytes:
    """Return `raw` changed in one to three places, by what its syntax makes of it."""
    words = WORDS.get(name, ()) + SCRAPS
    parts = raw.split(CUT)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(parts))
        change = rng.choice(_CHANGES[syntax])
        parts[at] = change(parts[at], rng, words)
    return CUT.join(parts)


def _a_line(raw: bytes, rng: random.Random, _words: tuple[str, ...]) -> bytes:
    """Repeat, drop, swap or cut a line."""
    lines = raw.split(b"\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(5)
    if kind == 0:
        lines.insert(other, lines[at])
    elif kind == 1:
        del lines[at]
    elif kind == 2:
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == 3:
        lines[at] = b"  " * rng.randrange(4) + lines[at].lstrip()
    else:
        lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
    return b"\n".join(lines)


def _a_word(raw: bytes, rng: random.Random, words: tuple[str, ...]) -> bytes:
    """Put a word, a scrap or an odd text somewhere, instead of what stood there or beside it."""
    word = rng.choice(words if rng.random() < 0.8 else ODD_TEXT).encode("utf-8", "surrogatepass")
    at = rng.randrange(len(raw) + 1)
    end = at if rng.random() < 0.5 else min(len(raw), at + rng.randrange(1, 12))
    return raw[:at] + word + raw[end:]


def _a_piece(raw: bytes, rng: random.Random, _words: tuple[str, ...]) -> bytes:
    """Repeat a piece of the input, or nest it deep."""
    at = rng.randrange(len(raw) + 1)
    piece = raw[at : at + rng.randrange(1, 40)]
    if rng.random() < 0.3:
        piece = rng.choice((b"[", b"{a: ", b'{"a":', b"- ", b"(", b"<a>")) * rng.randrange(2, 300)
        return raw[:at] + piece + raw[at:]
    return raw[:at] + piece * rng.randrange(2, 20) + raw[at:]


def _a_value(raw: bytes, rng: random.Random, words: tuple[str, ...]) -> bytes:
    """Change a value or a key in JSON, or in one of its lines."""
    lines = raw.split(b"\n")
    whole = _json(raw)
    at = rng.randrange(len(lines))
    value = whole if whole is not None else _json(lines[at])
    if value is None:
        return _a_word(raw, rng, words)
    changed = json.dumps(_with_change(value, rng, words), ensure_ascii=rng.random() < 0.7)
    written = changed.encode("utf-8", "surrogatepass")
    if whole is not None:
        return written
    lines[at] = written
    return b"\n".join(lines)


def _a_yaml_value(raw: bytes, rng: random.Random, words: tuple[str, ...]) -> bytes:
    """Change what stands after a colon or a dash."""
    lines = raw.split(b"\n")
    at = rng.randrange(len(lines))
    head, colon, _ = lines[at].partition(b": ")
    if not colon:
        head, colon, _ = lines[at].partition(b"- ")
    odd = rng.choice((*ODD, *ODD_TEXT, *words))
    lines[at] = head + colon + json.dumps(odd).encode()
    return b"\n".join(lines)


def _with_change(value: Any, rng: random.Random, words: tuple[str, ...]) -> Any:
    """Walk down to somewhere in a JSON value; put something odd there, take it away, or rename its key."""
    root = [value]
    holder: Any = root
    key: Any = 0
    while isinstance(holder[key], dict | list) and holder[key] and rng.random() < 0.85:
        holder = holder[key]
        key = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
    kind = rng.randrange(5)
    if kind == 0 and holder is not root:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[rng.choice((*words, *ODD_TEXT))] = holder.pop(key)
    elif kind == 2 and isinstance(holder, list):
        holder.append(holder[key])
    else:
        holder[key] = rng.choice((*ODD, *ODD_TEXT, *words))
    return root[0] if root else None


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


Change = Callable[[bytes, random.Random, tuple[str, ...]], bytes]
_CHANGES: dict[str, tuple[Change, ...]] = {
    "yaml": (_a_line, _a_word, _a_piece, _a_yaml_value, _a_yaml_value, _a_value),
    "json": (_a_line, _a_word, _a_piece, _a_value, _a_value, _a_value),
    "text": (_a_line, _a_word, _a_word, _a_piece),
}
