"""A headless Chromium, with real clicks and keys: its DevTools protocol over two pipes."""

import fcntl
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

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""Programs that are Chromium, the first that is found."""

LIMIT = float(os.environ.get("BROWSER_LIMIT", 60))
"""Seconds to wait for a reply, or for something to appear on a page."""

OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-extensions", "--disable-background-networking", "--disable-component-update"),
    *("--hide-scrollbars", "--force-color-profile=srgb", "--remote-debugging-pipe"),
)

PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"
"""Ends when a page has shown a picture."""

KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowRight": 39, "ArrowLeft": 37, "Home": 36}
"""Numbers of keys; Space and Enter also write a character."""


class Page:
    """One page of a browser.

    Args:
        browser: The process.
        to_browser: Descriptor to write commands to.
        from_browser: Descriptor to read replies from.
    """

    def __init__(
        self, browser: "subprocess.Popen[bytes]", to_browser: int, from_browser: int
    ) -> None:
        self._browser = browser
        self._to, self._from = to_browser, from_browser
        self._waiting = b""
        self._number = 0
        self._session: str | None = None
        self.problems: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for name in ("Page", "Runtime", "Log"):
            self.send(f"{name}.enable")

    def send(self, method: str, **values: Any) -> Any:
        """Send a command, and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": values}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            reply = self._read()
            if reply.get("id") == self._number:
                assert "error" not in reply, f"{method}: {reply}"
                return reply["result"]
            if reply.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.problems.append(json.dumps(reply["params"]))

    def open(self, url: str) -> None:
        """Open an address."""
        self.send("Page.navigate", url=url)

    def look(self, *, width: int, height: int, dark: bool = False, scale: float = 1) -> None:
        """Set the size of the page, in CSS pixels, and the colours that its reader prefers."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": height, "deviceScaleFactor": scale},
            mobile=width < 600,
        )
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[feature])

    def value(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        found = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def text(self, selector: str) -> str:
        """Return the text that an element shows."""
        return str(self.value(f"document.querySelector({json.dumps(selector)}).innerText"))

    def wait_until(self, expression: str) -> None:
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + LIMIT
        while not self.value(expression):
            assert time.monotonic() < end, f"never true: {expression}\n{self.problems}"
            time.sleep(0.05)

    def click(self, selector: str, *, text: str = "", place: float = 0.5) -> None:
        """Click an element with the mouse.

        Args:
            selector: Its CSS selector.
            text: The text that it has, if several match.
            place: Where in its width.
        """
        self.value(PAINTED)  # before its first picture a page gets no clicks
        box = self.value(
            "(() => { const found = [...document.querySelectorAll("
            f"{json.dumps(selector)})].find(one => one.innerText.includes({json.dumps(text)}));"
            "found.scrollIntoView({block: 'center'}); const box = found.getBoundingClientRect();"
            f"return [box.left + {place} * box.width, box.top + box.height / 2]; }})()"
        )
        for kind, buttons in (("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)):
            self.send(
                "Input.dispatchMouseEvent",
                **{"type": kind, "x": box[0], "y": box[1], "buttons": buttons, "clickCount": 1},
                button="none" if kind == "mouseMoved" else "left",
            )

    def type(self, text: str) -> None:
        """Write a text into the element that has the focus."""
        self.send("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Press a key: one of `KEYS`."""
        values = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        text = {"text": "\r"} if key == "Enter" else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", **values, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", **values)

    def picture(self, path: Path) -> None:
        """Write what the page shows, in its whole height, as a PNG."""
        import base64

        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        found = self.send("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))

    def _read(self) -> Any:
        while b"\0" not in self._waiting:
            ready, _, _ = select.select([self._from], [], [], LIMIT)
            assert ready, f"Chromium did not reply for {LIMIT:.0f} s"
            read = os.read(self._from, 1 << 20)
            assert read, f"Chromium ended with {self._browser.poll()}"
            self._waiting += read
        message, _, self._waiting = self._waiting.partition(b"\0")
        return json.loads(message)


@contextmanager
def chromium() -> Iterator[Page]:
    """Start a browser with an empty page; the test is skipped where there is no Chromium."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    to_browser, from_browser = _pipe(), _pipe()
    with tempfile.TemporaryDirectory(prefix="squadqa-browser-") as folder:
        # The browser reads descriptor 3 and writes 4.
        line = f'exec "$@" 3<&{to_browser[0]} 4>&{from_browser[1]}'
        words = ["bash", "-c", line, "bash", program, *OPTIONS, f"--user-data-dir={folder}/profile"]
        browser = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[to_browser[0], from_browser[1]],
        )
        os.close(to_browser[0])
        os.close(from_browser[1])
        try:
            page = Page(browser, to_browser[1], from_browser[0])
            yield page
            page._session = None
            page.send("Browser.close")
        finally:
            try:
                browser.wait(timeout=10)
            except subprocess.TimeoutExpired:
                browser.kill()
                browser.wait()
            os.close(to_browser[1])
            os.close(from_browser[0])


def _pipe() -> tuple[int, int]:
    """Make a pipe of descriptors that are above those that a browser reads and writes."""
    low = os.pipe()
    read, write = (fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10) for number in low)
    for number in low:
        os.close(number)
    return read, write
