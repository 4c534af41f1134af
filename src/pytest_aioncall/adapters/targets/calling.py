"""How the user's own code is called: sync or async, a function or what an async context manager gives."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any

from ...errors import TargetError, UsageError
from ...protocols import PieceContext
from ..imports import load_object, raised_at, source_digest
from ..text import one_line
from .threads import DaemonPool
from .transport import as_transport, is_transport, load_transport_types


class UserCode:
    """A callable of the user's, by import string. `open()` before the first call, `close()` after the last.

    A class, a factory without parameters or a function made by `asynccontextmanager` is entered once in
    `open()`; what it gives is called for every sample.
    """

    def __init__(self, path: str, *, what: str, context: PieceContext) -> None:
        self.path = path
        self._what = what
        self._loaded = load_object(path, what=what)
        self._needs_making = _needs_making(self._loaded, path=path, what=what)
        self._transport = load_transport_types(context.transport)
        self._pool = DaemonPool(context.concurrency)
        self._entered: Any = None
        self._call: Callable[..., Any] | None = None
        self._by_keyword: dict[tuple[Any, ...], bool] = {}
        self._opening = asyncio.Lock()
        if not self._needs_making:
            self._use(self._loaded)

    async def open(self) -> None:
        """Make and enter what has to be; once."""
        async with self._opening:
            if self._call is not None:
                return
            try:
                made = self._loaded() if self._needs_making == "make" else self._loaded
                if inspect.isawaitable(made):
                    made = await made
                if hasattr(made, "__aenter__"):
                    entered = await made.__aenter__()
                    self._entered = made
                    made = made if entered is None else entered
            except Exception as error:
                raise UsageError(
                    f"the {self._what} {self.path} could not be opened: {raised_at(error)}"
                ) from error
            if not callable(made):
                raise UsageError(
                    f"the {self._what} {self.path} gives {type(made).__name__}, which cannot be called"
                )
            self._use(made)

    async def close(self) -> None:
        """Leave what was entered, and let the threads go."""
        entered, self._entered = self._entered, None
        if self._needs_making:
            self._call = None
        try:
            if entered is not None:
                await entered.__aexit__(None, None, None)
        finally:
            self._pool.close()

    async def call(self, value: Any) -> tuple[Any, float]:
        """Call it with a case's input; return what it returned, and the seconds that took without queueing.

        What no answer caused becomes a TransportError; everything else that it raises is raised unchanged.
        """
        if self._call is None:
            await self.open()
        function = self._call
        if function is None:
            raise TargetError(f"the {self._what} {self.path} is closed")
        args, keywords = self._arguments(value)
        try:
            if self._is_async:
                started = time.perf_counter()
                result = await function(*args, **keywords)
                return result, time.perf_counter() - started
            result, latency_s = await self._pool.run(lambda: _timed(function, args, keywords))
            if inspect.isawaitable(result):
                started = time.perf_counter()
                result = await result
                latency_s += time.perf_counter() - started
            return result, latency_s
        except BaseException as error:
            if is_transport(error, self._transport):
                transport = as_transport(error)
                if transport is error:
                    raise
                raise transport from error
            raise

    def fingerprint(self) -> dict[str, Any]:
        """Return the import string and a digest of the function's own source."""
        return {"path": self.path, "source": source_digest(self._loaded)}

    def _use(self, function: Callable[..., Any]) -> None:
        self._call = function
        self._is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - its kind is asked, not whether it is there
        )
        try:
            self._signature: inspect.Signature | None = inspect.signature(function)
        except (TypeError, ValueError):
            self._signature = None
        self._takes_one = self._binds(None)
        self._by_keyword.clear()

    def _arguments(self, value: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if isinstance(value, Mapping):
            keys = tuple(value)
            by_keyword = self._by_keyword.get(keys)
            if by_keyword is None:
                by_keyword = self._by_keyword[keys] = self._takes_keywords(keys)
            if by_keyword:
                return (), {key: _fresh(one) for key, one in value.items()}
        elif not self._takes_one:
            raise TargetError(self._does_not_take("one value"))
        return (_fresh(value),), {}

    def _takes_keywords(self, keys: tuple[Any, ...]) -> bool:
        if all(isinstance(key, str) for key in keys) and self._binds(**dict.fromkeys(keys)):
            return self._signature is not None
        if self._binds(None):
            return False
        raise TargetError(
            self._does_not_take(f"the input's keys ({one_line(', '.join(map(str, keys)), 80)})")
        )

    def _binds(self, *args: Any, **keywords: Any) -> bool:
        if self._signature is None:
            return True
        try:
            self._signature.bind(*args, **keywords)
        except TypeError:
            return False
        return True

    def _does_not_take(self, what: str) -> str:
        name = self.path.rpartition(":")[2]
        return f"{name}{one_line(str(self._signature), 80)} does not take {what}"


def _needs_making(loaded: Any, *, path: str, what: str) -> str:
    """Say how a callable is come by: '' (it is one), 'make' (call it once) or 'enter' (enter it)."""
    if inspect.isclass(loaded):
        if not (hasattr(loaded, "__aenter__") or any("__call__" in vars(one) for one in loaded.__mro__)):
            raise UsageError(
                f"{path}: a class can be the {what} with __call__ or __aenter__; name a function"
            )
        if not _takes_nothing(loaded):
            raise UsageError(f"{path}: the class needs arguments; name a function without any that makes it")
        return "make"
    if inspect.isasyncgenfunction(loaded) or inspect.isgeneratorfunction(loaded):
        raise UsageError(
            f"{path}: a generator cannot be the {what}; return the text "
            "(or decorate it with contextlib.asynccontextmanager, and yield the function to call)"
        )
    if hasattr(loaded, "__aenter__"):
        return "enter"
    if not callable(loaded):
        raise UsageError(f"{path} is {type(loaded).__name__}, not a function, for the {what}")
    made_by_generator = inspect.isasyncgenfunction(inspect.unwrap(loaded))
    return "make" if made_by_generator or _has_no_parameters(loaded) else ""


def _takes_nothing(loaded: Any) -> bool:
    try:
        inspect.signature(loaded).bind()
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def _has_no_parameters(loaded: Any) -> bool:
    try:
        return not inspect.signature(loaded).parameters
    except (TypeError, ValueError):
        return False


def _timed(
    function: Callable[..., Any], args: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[Any, float]:
    started = time.perf_counter()
    result = function(*args, **keywords)
    return result, time.perf_counter() - started


def _fresh(value: Any) -> Any:
    """Copy lists and mappings, so that a target that changes its input does not change the next epoch's."""
    if isinstance(value, dict):
        return {key: _fresh(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_fresh(one) for one in value]
    return value
