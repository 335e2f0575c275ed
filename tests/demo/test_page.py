"""The page of a demo: one document, and examples that are our own."""

import base64
import hashlib
import re

from squadqa.demo.models import MOST_CHARACTERS
from squadqa.demo.page import FOLDER, examples, page


def test_one_document_that_loads_nothing() -> None:
    html = page().html.decode()
    assert "/* page." not in html
    for address in re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?([^\"')>\s]+)", html):
        assert address.startswith(("data:", "#")), address
    assert "@import" not in html


def test_no_text_is_read_as_html() -> None:
    script = (FOLDER / "page.js").read_text("utf-8")
    for name in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "DOMParser",
    ):
        assert name not in script
    assert "style=" not in page().html.decode()  # the policy would refuse it


def test_the_policy_names_just_its_script_and_style() -> None:
    html, policy = page().html.decode(), page().policy
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_examples() -> None:
    assert len(examples()) == 3
    for one in examples():
        assert len(one.context) < MOST_CHARACTERS
        assert 4 <= len(one.questions) <= 6
        assert all(question.endswith("?") for question in one.questions)
