"""The target `command`: a program of any language, one process a sample, no shell."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ...errors import TargetError, TransportError, UsageError
from ...model.evalset import Case
from ...model.sample import Output
from ...protocols import PieceContext, Target
from ..text import one_line
from .outputs import to_output
from .recorded import recorded

MAX_OUTPUT = 16 * 1024 * 1024
EX_TEMPFAIL = 75
"""sysexits.h: try again later. A command that exits so says that no answer arrived."""


class CommandFailed(Exception):
    """The command ended with an exit status other than 0."""


def command(
    argv: list[str],
    *,
    stdout: Literal["auto", "text"] = "auto",
    pass_env: list[str] | None = None,
    timeout_s: float | None = None,
    cassette: bool = False,
    context: PieceContext,
) -> Target:
    """Make a target of a program: the case's input as JSON on its stdin, the answer on its stdout.

    A JSON object with `text` is read like a python target's mapping; anything else is the text (with
    `stdout: text` always). The program has the environment of pytest but for the variables that the
    configuration names as secrets; `pass_env` hands it those it needs. It runs in the project root.
    """
    if not argv or not argv[0]:
        raise UsageError("names no program; write a list, for example [node, app.js]")
    if not _exists(argv[0], context):
        raise UsageError(f"no program {one_line(argv[0], 60)!r} on PATH or in the project root")
    target = CommandTarget(
        argv, hidden=_hidden(context, pass_env or ()), read=stdout, timeout_s=timeout_s, context=context
    )
    return recorded(target, context=context) if cassette else target


class CommandTarget:
    """Run a program for each sample, in a process group of its own so that all of it can be ended."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        hidden: Sequence[str],
        read: Literal["auto", "text"],
        timeout_s: float | None,
        context: PieceContext,
    ) -> None:
        self._argv, self._read, self._timeout_s = tuple(argv), read, timeout_s
        self._command = [*_env_without(hidden), *argv]
        self._cwd = context.root
        self._who = one_line(os.path.basename(argv[0]), 40)  # noqa: PTH119 - a name, no path of ours

    async def answer(self, case: Case, *, epoch: int) -> Output:  # noqa: ARG002 - every epoch asks the same
        given = json.dumps(case.input, ensure_ascii=False).encode("utf-8", "replace")
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout_s):
                status, out, complaint = await self._run(given)
        except TimeoutError:
            raise TransportError(
                f"{self._who}: no answer within {self._timeout_s:g} s, so it was ended; "
                "raise timeout_s if it needs more"
            ) from None
        latency_s = time.perf_counter() - started
        if status == EX_TEMPFAIL:
            raise TransportError(f"{self._who}: {complaint or 'exit status 75 (temporary failure)'}")
        if status != 0:
            how = f"was ended by signal {-status}" if status < 0 else f"exited with status {status}"
            raise CommandFailed(f"{self._who} {how}: {complaint or 'it wrote nothing to stderr'}")
        return to_output(self._value(out), latency_s=latency_s, who=self._who)

    def fingerprint(self) -> Mapping[str, Any]:
        return {"command": list(self._argv)}

    def _value(self, out: bytes) -> Any:
        try:
            text = out.decode("utf-8")
        except UnicodeDecodeError:
            raise TargetError(f"{self._who} wrote bytes to stdout that are no UTF-8 text") from None
        if self._read == "auto" and text.lstrip().startswith("{"):
            with contextlib.suppress(ValueError):
                data = json.loads(text)
                if isinstance(data, dict) and "text" in data:
                    return data
        return text.removesuffix("\n").removesuffix("\r")

    async def _run(self, given: bytes) -> tuple[int, bytes, str]:
        """Return exit status, stdout, and the last line of stderr."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._cwd,
            start_new_session=True,
        )
        fed = asyncio.ensure_future(_feed(process, given))
        read = asyncio.ensure_future(_read_all(process, self._who))
        complained = asyncio.ensure_future(_last_line(process))
        done = False
        try:
            _, out, complaint = await asyncio.gather(fed, read, complained)
            status = await process.wait()
            done = True
            return status, out, complaint
        finally:
            if not done:
                await _end(process, (fed, read, complained))


async def _feed(process: asyncio.subprocess.Process, given: bytes) -> None:
    stdin = process.stdin
    if stdin is None:
        return
    # A program may answer without reading its input.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(given)
        await stdin.drain()
    stdin.close()


async def _read_all(process: asyncio.subprocess.Process, who: str) -> bytes:
    chunks, size = [], 0
    while process.stdout is not None and (chunk := await process.stdout.read(65536)):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_OUTPUT:
            raise TargetError(f"{who} wrote more than {MAX_OUTPUT >> 20} MiB; no output is that long")
    return b"".join(chunks)


async def _last_line(process: asyncio.subprocess.Process) -> str:
    tail = b""
    while process.stderr is not None and (chunk := await process.stderr.read(65536)):
        tail = (tail + chunk)[-4096:]
    lines = [line.strip() for line in tail.decode("utf-8", "replace").splitlines() if line.strip()]
    return one_line(lines[-1], 300) if lines else ""


async def _end(process: asyncio.subprocess.Process, tasks: Sequence[asyncio.Future[Any]]) -> None:
    """End the whole process group; `process` itself is reaped even while this task is being cancelled."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    for task in tasks:
        task.cancel()
    await asyncio.shield(_reap(process, tasks))


async def _reap(process: asyncio.subprocess.Process, tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Wait for the process. `wait` waits for its pipes too, and a full one ends only when it is read."""
    await asyncio.gather(*tasks, return_exceptions=True)
    for stream in (process.stdout, process.stderr):
        while stream is not None and await stream.read(65536):
            pass
    await process.wait()


def _exists(program: str, context: PieceContext) -> bool:
    return shutil.which(program) is not None or shutil.which(str(context.root / program)) is not None


def _hidden(context: PieceContext, passed: Sequence[str]) -> tuple[str, ...]:
    """Return the variables that the program is not to see: what the configuration names and nobody passed."""
    names = dict.fromkeys(context.secrets)
    for provider in context.config.providers.values():
        if provider.api_key_env:
            names[provider.api_key_env] = None
        names.update(dict.fromkeys(provider.headers_env.values()))
    return tuple(name for name in names if name not in passed)


def _env_without(names: Sequence[str]) -> list[str]:
    """Return the words before a command that take variables out of its environment."""
    if not names:
        return []
    env = shutil.which("env")
    if env is None:
        raise UsageError(
            f"without an `env` program {names[0]} cannot be kept from the command; name it in pass_env"
        )
    return [env, *(word for name in names for word in ("-u", name))]
