"""What is shown holds no secret and no command; logs, reports and screens keep all else."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_corpus import HOSTILE, assert_may_stand_in_a_file, assert_may_stand_on_a_screen
from pytest_aioncall.adapters.redaction import Redactor
from pytest_aioncall.adapters.text import log_line, log_text, seen_json, without_commands
from pytest_aioncall.flows.guarding import Guard, GuardedRecords, GuardedStream, guard_loop
from pytest_aioncall.plugin.guarding import GuardedScreen, HarmlessFormatter
from pytest_aioncall.plugin.longreprs import Lines, rewritten

KEY = "plainWordsNobodyWouldSuspect"
GUARD = Guard(lambda: Redactor([KEY]))


@pytest.fixture
def records() -> Iterator[None]:
    guarded = GuardedRecords(GUARD)
    guarded.install()
    yield
    guarded.remove()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_harmless_once_it_was_made_so(text: str) -> None:
    assert_may_stand_on_a_screen(log_line(text))
    assert_may_stand_on_a_screen(log_text(text))
    assert log_text(log_text(text)) == log_text(text)
    written = seen_json(json.dumps(text, ensure_ascii=False))
    assert_may_stand_in_a_file(written)
    assert json.loads(written) == text


@given(st.text(max_size=80))
def test_any_text_is_harmless_once_it_was_made_so(text: str) -> None:
    assert_may_stand_on_a_screen(log_text(f"::{text}\n{text}::error::x\n{text}##[group]"))
    assert json.loads(seen_json(json.dumps(text, ensure_ascii=False))) == text


@pytest.mark.parametrize(
    "text", ["tests/a.eval.yaml::case", "a std::string", "x = [::2]", "## heading", "#[derive]", "é::x"]
)
def test_what_is_no_command_stays(text: str) -> None:
    assert without_commands(text) is text


def test_lines_and_tabs_of_a_text_stay_readable() -> None:
    assert log_text("a\tb\r\n  c\n\nd") == "a       b\n  c\n\nd"


def test_a_log_record_has_no_secret_whoever_writes_it(records: None) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    log = logging.Logger("own")
    log.addHandler(handler)
    log.info("key %s of %d", KEY, 3)
    try:
        raise ValueError(KEY)
    except ValueError:
        log.exception("refused")
    log.info("plain %s", "words")
    told = stream.getvalue()
    assert KEY not in told
    assert "key [REDACTED:secret] of 3" in told
    assert "ValueError: [REDACTED:secret]" in told
    assert "plain words" in told


def test_a_record_whose_arguments_do_not_fit_is_left_to_logging(records: None) -> None:
    record = logging.getLogRecordFactory()("n", logging.INFO, "f", 1, "%d", ("x",), None)
    assert record.args == ("x",)


def test_the_factory_of_others_is_put_back() -> None:
    before = logging.getLogRecordFactory()
    guarded = GuardedRecords(GUARD)
    guarded.install()
    guarded.remove()
    assert logging.getLogRecordFactory() is before


def test_a_formatter_keeps_what_it_adds_and_makes_the_message_harmless() -> None:
    inner = logging.Formatter("\x1b[31m%(levelname)s\x1b[0m %(message)s")
    formatter = HarmlessFormatter(inner, lambda text, _record: GUARD.shown(text))
    record = logging.LogRecord("n", logging.INFO, "f", 1, "\x1b[2J%s\n::error::x", (KEY,), None)
    assert formatter.format(record) == ("\x1b[31mINFO\x1b[0m \\x1b[2J[REDACTED:secret]\n: :error::x")
    assert record.args == (KEY,)


def test_a_screen_loses_secrets_and_commands_at_the_start_of_lines_only() -> None:
    writer = SimpleNamespace(_file=io.StringIO())
    file = writer._file
    screen = GuardedScreen(writer, "_file", GUARD.on_screen)
    for text in ("tests/a.py", "::test_b ", f"{KEY}\n", "::error::x\n", "\x1b[31mred\x1b[0m\n"):
        writer._file.write(text)
    screen.take_away()
    assert file.getvalue() == "tests/a.py::test_b [REDACTED:secret]\n: :error::x\n\x1b[31mred\x1b[0m\n"
    assert writer._file is file


def test_what_own_scorers_print_comes_out_by_the_line() -> None:
    out = io.StringIO()
    stream = GuardedStream(out, GUARD)
    print("a", KEY[:9], end="", file=stream)
    print(KEY[9:], "\x1b[2J", file=stream)
    print("::error::x", end="", file=stream)
    stream.finish()
    assert out.getvalue() == "a [REDACTED:secret] \\x1b[2J\n: :error::x\n"


def test_a_task_that_was_forgotten_tells_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    async def failing() -> None:
        raise RuntimeError(f"no {KEY}\n::error::x")

    async def forget() -> None:
        guard_loop(asyncio.get_running_loop(), GUARD)
        task = asyncio.create_task(failing())
        await asyncio.wait([task])
        del task

    asyncio.run(forget())
    assert "Task exception was never retrieved" in caplog.text
    assert "no [REDACTED:secret]" in caplog.text
    assert KEY not in caplog.text
    assert "\n::error" not in caplog.text


@pytest.mark.parametrize("style", ["long", "short", "native", "line", "value"])
def test_a_failure_is_rewritten_where_it_stands(style: str) -> None:
    def fail(argument: str) -> None:
        local = [argument]
        raise ValueError(local)

    with pytest.raises(ValueError) as excinfo:
        fail(KEY)
    shown = excinfo.getrepr(showlocals=True, funcargs=True, style=style)  # type: ignore[arg-type]
    assert rewritten(shown, GUARD.without_secrets) is shown
    assert KEY not in str(shown)
    assert "[REDACTED:secret]" in str(shown)


def test_lines_stay_lines_and_a_skip_stays_a_tuple() -> None:
    assert isinstance(rewritten(Lines(f"a\n{KEY}"), GUARD.shown), Lines)
    assert rewritten(("file.py", 3, KEY), GUARD.shown) == ("file.py", 3, "[REDACTED:secret]")
    assert rewritten(None, GUARD.shown) is None
