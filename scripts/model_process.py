"""The real model as a process: serve_model.py under the Python that has llama_cpp, from ready to gone."""

from __future__ import annotations

import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCRIPT = Path(__file__).with_name("serve_model.py")
READY_S = 180.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NotServed(Exception):
    """The model cannot be served; the message says why."""


def answers(port: int) -> bool:
    """Tell whether a model server answers on this port of this machine."""
    try:
        with _OPENER.open(f"http://127.0.0.1:{port}/v1/models", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def start(python: str | Path, *, port: int) -> subprocess.Popen[bytes]:
    """Start the server and return when it answers; NotServed when it ends before, or the port is taken."""
    if answers(port):
        raise NotServed(f"something answers on port {port} already; stop it, it may be another model")
    log = Path(tempfile.gettempdir()) / f"aioncall-model-{port}.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [str(python), str(SCRIPT), "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + READY_S
    while not answers(port):
        if process.poll() is not None:
            raise NotServed(f"the model server ended with {process.returncode}; what it said: {log}")
        if time.monotonic() > deadline:
            stop(process)
            raise NotServed(f"the model server does not answer within {READY_S:g} s; what it said: {log}")
        time.sleep(0.2)
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server, by force if it does not listen."""
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def model_process(python: str | Path, *, port: int) -> Iterator[str]:
    """Serve the model for the length of a `with` block; yield the base_url."""
    process = start(python, port=port)
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        stop(process)
