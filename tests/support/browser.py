"""A headless Chromium, driven through the WebDriver protocol by plain HTTP.

Debian has both in the packages chromium and chromium-driver.
"""

import base64
import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key of an element's reference, as the protocol names it."""

PATIENCE = 60.0
"""Seconds to wait for an answer of the driver, on a busy machine."""


class Browser:
    """One window.

    Args:
        base: Address of the driver.
        session: The session's path.
    """

    def __init__(self, base: str, session: str) -> None:
        self._at = f"{base}/session/{session}"

    def open(self, path: Path) -> None:
        """Open a page from disk."""
        _call(f"{self._at}/url", {"url": path.resolve().as_uri()})

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script's lines, and return what they return."""
        return _call(f"{self._at}/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, condition: str) -> None:
        """Wait until a script's condition holds."""
        body = (
            "const done = arguments[0]; const look = () => "
            f"({condition}) ? done(true) : setTimeout(look, 30); look();"
        )
        _call(f"{self._at}/execute/async", {"script": body, "args": []})

    def find(self, selector: str) -> str:
        """Find an element by its CSS selector."""
        found = _call(f"{self._at}/element", {"using": "css selector", "value": selector})
        return str(found[ELEMENT])

    def click(self, selector: str) -> None:
        """Click an element as a mouse does."""
        _call(f"{self._at}/element/{self.find(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        """Type into an element."""
        _call(f"{self._at}/element/{self.find(selector)}/value", {"text": text})

    def press(self, *keys: str) -> None:
        """Press keys, one after another, where the focus is."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        board = {"type": "key", "id": "keyboard", "actions": actions}
        _call(f"{self._at}/actions", {"actions": [board]})

    def texts(self, selector: str) -> list[str]:
        """The texts of the elements that are shown."""
        script = (
            "return [...document.querySelectorAll(arguments[0])]"
            ".filter(one => one.offsetParent).map(one => one.innerText)"
        )
        return list(self.run(script, selector))

    def emulate(self, *, width: int, height: int, is_dark: bool = False) -> None:
        """Set the window's size in pixels, and the colours that the reader prefers."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._devtools("Emulation.setDeviceMetricsOverride", size)
        colours = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self._devtools("Emulation.setEmulatedMedia", {"features": [colours]})

    def without_scripts(self) -> None:
        """Let no page run scripts from now on."""
        self._devtools("Emulation.setScriptExecutionDisabled", {"value": True})

    def screenshot(self, path: Path, *, is_whole: bool = False) -> None:
        """Write what is shown, or the whole page, as PNG."""
        options = {"format": "png", "captureBeyondViewport": is_whole}
        if is_whole:
            size = self._devtools("Page.getLayoutMetrics", {})["cssContentSize"]
            options["clip"] = {**size, "scale": 1}
        taken = self._devtools("Page.captureScreenshot", options)
        path.write_bytes(base64.b64decode(taken["data"]))

    def _devtools(self, name: str, parameters: dict[str, Any]) -> Any:
        body = {"cmd": name, "params": parameters}
        return _call(f"{self._at}/goog/cdp/execute", body)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Open a window, or skip the test where there is no Chromium."""
    driver = shutil.which("chromedriver")
    if driver is None or not (shutil.which("chromium") or shutil.which("google-chrome")):
        pytest.skip("Chromium is needed: apt-get install chromium chromium-driver")
    process = subprocess.Popen(
        [driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "successfully on port" in line)
        base = f"http://127.0.0.1:{line.rstrip().rstrip('.').rpartition(' ')[2]}"
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"script": int(1000 * PATIENCE)},
        }
        made = _call(f"{base}/session", {"capabilities": {"alwaysMatch": wanted}})
        try:
            yield Browser(base, made["sessionId"])
        finally:
            _call(f"{base}/session/{made['sessionId']}", None, method="DELETE")
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _call(address: str, body: Any, *, method: str = "POST") -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        address, data, {"Content-Type": "application/json"}, method=method
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=2 * PATIENCE) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{address}: {error.read().decode()[:500]}") from error
