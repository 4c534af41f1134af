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
        loop = asyncio.get_running_loop()
        transport, talk = await loop.subprocess_exec(
            lambda: _Talk(loop, self._who), *self._command, cwd=self._cwd, start_new_session=True
        )
        try:
            stdin: Any = transport.get_pipe_transport(0)
            stdin.write(given)
            stdin.write_eof()
            await talk.told
            return transport.get_returncode() or 0, bytes(talk.out), talk.complaint()
        finally:
            if not talk.concluded:
                # Even while this task is being cancelled: nothing is left running, nothing unreaped. A child
                # may outlive the program, and hold its pipes open.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(transport.get_pid(), signal.SIGKILL)
                transport.close()
                await talk.exited
            transport.close()


class _Talk(asyncio.SubprocessProtocol):
    """What a process says. `told` is done when it has exited and closed its pipes, or floods us."""

    def __init__(self, loop: asyncio.AbstractEventLoop, who: str) -> None:
        self.out = bytearray()
        self.told: asyncio.Future[None] = loop.create_future()
        self.exited: asyncio.Future[None] = loop.create_future()
        self._who = who
        self._stderr = b""
        self._open = {1, 2}

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 2:
            self._stderr = (self._stderr + data)[-4096:]
        elif len(self.out) <= MAX_OUTPUT:
            self.out += data
            if len(self.out) > MAX_OUTPUT and not self.told.done():
                self.told.set_exception(
                    TargetError(f"{self._who} wrote more than {MAX_OUTPUT >> 20} MiB; no output is that long")
                )

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002
        self._open.discard(fd)
        self._conclude()

    def process_exited(self) -> None:
        if not self.exited.done():
            self.exited.set_result(None)
        self._conclude()

    def complaint(self) -> str:
        lines = [line.strip() for line in self._stderr.decode("utf-8", "replace").splitlines()]
        return one_line(next((line for line in reversed(lines) if line), ""), 300)

    @property
    def concluded(self) -> bool:
        """Tell whether the process has exited and nobody holds its pipes."""
        return self.exited.done() and not self._open

    def _conclude(self) -> None:
        if self.concluded and not self.told.done():
            self.told.set_result(None)


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
