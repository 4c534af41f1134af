"""Drives a headless Chromium over its debugging pipe: no driver, no library, no port.

For the tests of pages, for pictures of them (`picture_of_report.py`) and for the benchmark of their opening.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)


def find_browser() -> str | None:
    """Return the path of a Chromium on this machine, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One page of a browser: opens files, evaluates expressions, keeps what went wrong."""

    def __init__(self, process: subprocess.Popen[bytes], to_browser: int, from_browser: int) -> None:
        self.process = process
        self._to, self._from = to_browser, from_browser
        self._buffer = b""
        self._id = 0
        self._session: str | None = None
        self.problems: list[str] = []
        self.requests: list[str] = []
        self._loaded = False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        """Send one command and return its result; events met on the way are kept."""
        self._id += 1
        message: dict[str, Any] = {"id": self._id, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._id:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def open(self, page: Path, fragment: str = "") -> None:
        """Load a file and wait until its scripts have run; forgets the problems of pages before."""
        self._go("about:blank")
        self.problems.clear()
        self.requests.clear()
        self._go(page.as_uri() + fragment)

    def _go(self, url: str) -> None:
        self._loaded = False
        answer = self.call("Page.navigate", url=url)
        if answer.get("errorText"):
            raise RuntimeError(f"{url}: {answer['errorText']}")
        while not self._loaded:
            self._read()

    def value(self, expression: str) -> Any:
        """Evaluate an expression in the page (promises are awaited) and return it as JSON types."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def resize(self, width: int, height: int, *, scale: float = 1) -> None:
        """Make the window so large, in CSS pixels; `scale` is device pixels a CSS pixel."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )

    def prefer(self, scheme: str, *, media: str = "") -> None:
        """Show pages as for a reader who prefers `light` or `dark`; `media` may be "print"."""
        wish = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=wish)

    def press(self, key: str) -> None:
        """Press and release one key, as a keyboard does: a letter, or a name such as `Enter`."""
        names = {
            "Enter": (13, "\r"),
            "Tab": (9, ""),
            "Escape": (27, ""),
            "ArrowDown": (40, ""),
            "ArrowUp": (38, ""),
        }
        code, text = names.get(key, (ord(key.upper()) if len(key) == 1 else 0, key))
        pressed = {"key": key, "windowsVirtualKeyCode": code, "code": key if key in names else ""}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **pressed)
        self.call("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def picture(self, *, height: int | None = None) -> bytes:
        """Return a PNG of the window, or of the first `height` pixels of the page."""
        clip: dict[str, Any] = {}
        if height is not None:
            size = self.call("Page.getLayoutMetrics")["cssLayoutViewport"]
            clip["clip"] = {"x": 0, "y": 0, "width": size["clientWidth"], "height": height, "scale": 1}
            clip["captureBeyondViewport"] = True
        return base64.b64decode(self.call("Page.captureScreenshot", **clip)["data"])

    def pdf(self) -> bytes:
        """Return the page as it is printed, A4, with its backgrounds."""
        printed = self.call(
            "Page.printToPDF",
            printBackground=True,
            paperWidth=8.27,
            paperHeight=11.69,
            preferCSSPageSize=True,
        )
        return base64.b64decode(printed["data"])

    def _read(self, patience_s: float = 60.0) -> dict[str, Any]:
        until = time.monotonic() + patience_s
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0.0, until - time.monotonic()))
            chunk = os.read(self._from, 1 << 20) if ready else b""
            if not chunk:
                raise RuntimeError(f"the browser said nothing (exit {self.process.poll()})")
            self._buffer += chunk
        raw, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        self._keep(message.get("method", ""), message.get("params", {}))
        return message

    def _keep(self, method: str, params: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.problems.append(params["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(params["exceptionDetails"].get("text", "exception"))
        elif method == "Runtime.consoleAPICalled":
            self.problems.append(f"console.{params['type']}")


@contextmanager
def running_browser(executable: str) -> Iterator[Browser]:
    """Start a browser on a profile of its own and end it afterwards."""
    to_browser_read, to_browser = os.pipe()
    from_browser, from_browser_write = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # The protocol wants the pipes at 3 and 4; the shell puts them there before it becomes the browser.
        command = f'exec "$@" 3<&{to_browser_read} 4>&{from_browser_write}'
        process = subprocess.Popen(
            ["/bin/bash", "-c", command, "browser", executable, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(to_browser_read, from_browser_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser_read)
        os.close(from_browser_write)
        try:
            yield Browser(process, to_browser, from_browser)
        finally:
            os.close(to_browser)
            os.close(from_browser)
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
