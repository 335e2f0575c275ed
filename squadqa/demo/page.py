"""The page of a demo: one document without any other file, and the examples on it."""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Example:
    """A text to try, and questions about it.

    Args:
        title: Its name on the page.
        context: The text.
        questions: The questions; the last one has no answer in the text.
    """

    title: str
    context: str
    questions: tuple[str, ...]

    def values(self) -> dict[str, object]:
        """Return the example as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Page:
    """A document, and what a browser may do with it.

    Args:
        html: The document.
        policy: The value of its header Content-Security-Policy: no other script, style or server.
    """

    html: bytes
    policy: str


@cache
def page() -> Page:
    """Put the page together from its parts: page.html, page.css and page.js."""
    style, script = ((FOLDER / name).read_text("utf-8") for name in ("page.css", "page.js"))
    html = (FOLDER / "page.html").read_text("utf-8")
    html = html.replace("/* page.css */", style).replace("/* page.js */", script)
    policy = [
        "default-src 'none'",
        f"script-src '{_hash(script)}'",
        f"style-src '{_hash(style)}'",
        "img-src data:",
        "connect-src 'self'",
        *("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
    ]
    return Page(html.encode(), "; ".join(policy))


@cache
def examples() -> list[Example]:
    """Read the examples, which were written for this page."""
    listed = json.loads((FOLDER / "examples.json").read_text("utf-8"))
    return [Example(one["title"], one["context"], tuple(one["questions"])) for one in listed]


def _hash(text: str) -> str:
    """Return the name by which a policy allows an inline script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
