# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real headless Chromium, spoken to over a pipe in its own protocol, so that no driver or port is needed."""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.browser import find_browser

__all__ = ["Browser", "chromium"]

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
TIMEOUT = 60.0


def program() -> str:
    """Return the browser's program.

    :raises AssertionError: there is none; a test of the report is not passed without it.
    """
    found = find_browser()
    if found:
        return found
    raise AssertionError(
        "There is no Chromium. Install it (Debian, Ubuntu: apt-get install chromium) or name it in UPKEEP_CHROMIUM."
    )


@dataclass
class Browser:
    """One page of a running browser.

    :param events: everything that the browser reported, in order.
    """

    process: subprocess.Popen[bytes]
    reader: int
    writer: int
    session: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    _number: int = 0
    _pending: bytes = b""

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the DevTools protocol and return its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writer, json.dumps(message).encode() + b"\0")
        number = self._number
        while True:
            answer = self._next()
            if answer.get("id") == number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return dict(answer["result"])

    def wait_for(self, event: str) -> None:
        """Wait until the browser reports an event that it has not reported since the last call of this."""
        while not any(seen.get("method") == event for seen in self.events):
            self._next()

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + TIMEOUT
        while b"\0" not in self._pending:
            ready = select.select([self.reader], [], [], max(0.0, end - time.monotonic()))[0]
            chunk = os.read(self.reader, 1 << 20) if ready else b""
            if not chunk:
                raise AssertionError(f"the browser does not answer (exit code {self.process.poll()})")
            self._pending += chunk
        text, _end, self._pending = self._pending.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if "method" in message:
            self.events.append(message)
        return message

    def open(self, url: str) -> None:
        """Open an address and wait until the page and all that it asks for are loaded."""
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")
        self.evaluate("new Promise(done => setTimeout(done, 100))")

    def evaluate(self, expression: str) -> Any:
        """Evaluate JavaScript in the page, from outside of its content security policy."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def prefer(self, scheme: str, medium: str = "") -> None:
        """Show the page as to somebody who prefers ``light`` or ``dark``; ``print`` as medium is how it prints."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", media=medium, features=[feature])

    def resize(self, width: int, height: int, scale: float = 1) -> None:
        """Give the window a size in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def screenshot(self, file: Path) -> None:
        """Write what the window shows to a PNG file."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    @property
    def requests(self) -> list[str]:
        """The address of everything that the page asked for."""
        return [
            event["params"]["request"]["url"] for event in self.events if event["method"] == "Network.requestWillBeSent"
        ]

    @property
    def complaints(self) -> list[str]:
        """Errors and warnings of the console, of the log and of scripts."""
        found = []
        for event in self.events:
            method, params = event["method"], event["params"]
            if method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                found.append(params["entry"]["text"])
            elif method == "Runtime.exceptionThrown" or (
                method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert")
            ):
                found.append(json.dumps(params))
        return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser with a profile of its own and open an empty page in it."""
    path = program()
    with tempfile.TemporaryDirectory(prefix="upkeep-browser-", ignore_cleanup_errors=True) as profile:
        to_read, writer = os.pipe()
        reader, to_write = os.pipe()
        # The browser reads from descriptor 3 and writes to 4; the shell puts the pipes there.
        start = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'
        command = ["bash", "-c", start, path, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(
            command,
            pass_fds=(to_read, to_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        try:
            browser = Browser(process, reader, writer)
            target = browser.call("Target.createTarget", url="about:blank")["targetId"]
            browser.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Network", "Runtime", "Log"):
                browser.call(f"{domain}.enable")
            yield browser
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(reader)
            os.close(writer)
