"""The page of a report: complete without JavaScript, and nothing of its texts is markup."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from squadqa.errors import OutputError
from squadqa.report.content import ReportContent
from squadqa.report.page import report_page, write_report
from tests.report.conftest import EVIL

VOID = {"meta", "img", "input", "br", "hr", "link"}


class Page(HTMLParser):
    """A page's elements, its texts outside scripts, and whether they are nested well."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            self.scripts.append(data)
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def page(content: ReportContent) -> Page:
    return Page(report_page(content))


def test_it_can_be_read_without_javascript(page: Page, content: ReportContent) -> None:
    text = page.text
    for part in ("Scores", "Comparison", "Training", "Slices", "Calibration and length"):
        assert part in text
    assert "4 of 8 questions" in text
    for row in content.chosen:
        assert " ".join(content.questions.texts[row].split()) in text
    assert "first better" in text
    assert "By question word" in text
    assert "best F1 20.0 % after 11 steps" in text
    (form,) = (found for name, found in page.elements if name == "form")
    assert "hidden" in form  # until a script shows it


def test_texts_from_outside_stay_texts(page: Page) -> None:
    assert EVIL in page.text
    names = {name for name, _ in page.elements}
    assert not names & {"img", "b", "iframe", "object", "link"}
    assert not any(key.startswith("on") for _, found in page.elements for key in found)


def test_it_needs_no_network_and_runs_only_its_own_script(content: ReportContent) -> None:
    text = report_page(content)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src &#39;none&#39;" in text
    assert f"script-src &#39;sha256-{digest}&#39;" in text
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#)""", text.replace(EVIL, ""))
    assert "innerHTML" not in script
    outside = set(re.findall(r"https?://[\w./]+", text))
    assert outside == {"http://www.w3.org/2000/svg"}  # a name, not an address


def test_everything_has_a_name_and_a_place(page: Page) -> None:
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    for name, found in page.elements:
        if name == "a":
            assert str(found["href"])[1:] in ids
        if found.get("role") in ("img", "region"):
            assert found.get("aria-label")
        if name == "section":
            assert found["aria-labelledby"] in ids


def test_one_system_of_texts_alone(alone: ReportContent) -> None:
    text = Page(report_page(alone)).text
    assert "Comparison" not in text
    assert "Training" not in text
    assert "Are probabilities right?" not in text
    assert "How long are answers?" in text  # of texts that stand in their context once
    assert "–" in text  # no probabilities


def test_the_page_is_the_same_each_time(content: ReportContent) -> None:
    assert report_page(content) == report_page(content)


def test_it_is_written_whole_or_not_at_all(content: ReportContent, tmp_path: Path) -> None:
    write_report(tmp_path / "new/report.html", content)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["report.html"]
    with pytest.raises(OutputError):
        write_report(tmp_path, content)
