"""A report in a browser: it opens, lists, filters, searches, and shows what was seen inside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from squadqa.report.content import ReportContent
from squadqa.report.page import write_report
from tests.report.conftest import EVIL
from tests.support.browser import Browser, open_browser

pytestmark = pytest.mark.slow(seconds=300)

READY = "document.documentElement.dataset.ready"
LISTED = "#list > details"
TAB, ENTER = "\ue004", "\ue007"


@pytest.fixture(scope="module")
def path(content: ReportContent, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, content)
    return path


@pytest.fixture
def browser(path: Path) -> Iterator[Browser]:
    with open_browser() as browser:
        browser.emulate(width=1200, height=900)
        browser.open(path)
        browser.wait(READY)
        yield browser


def status(browser: Browser) -> str:
    (text,) = browser.texts("#status")
    return text


def choose(browser: Browser, selector: str, value: str) -> None:
    browser.click(f'{selector} option[value="{value}"]')


def test_all_questions_are_listed_and_texts_stay_texts(
    browser: Browser, content: ReportContent
) -> None:
    assert status(browser) == "8 of 8 questions; 8 are listed."
    shown = [" ".join(text.split()) for text in browser.texts(f"{LISTED} .text")]
    assert shown == [" ".join(text.split()) for text in content.questions.texts]
    assert EVIL.replace("  ", " ") in shown[0]
    for row in range(1, 9):
        browser.click(f"{LISTED}:nth-child({row}) summary")
    assert len(browser.texts(".body")) == 8
    assert browser.run("return document.title").startswith("squadqa report")
    assert browser.run("return document.querySelectorAll('#list img, #list script').length") == 0
    assert browser.texts("#plain") == []


def test_filters_and_search(browser: Browser) -> None:
    choose(browser, "#outcome0", "0")
    browser.wait("document.querySelectorAll('#list > details').length === 6")
    choose(browser, "#compare", "best0")
    browser.wait("document.getElementById('status').innerText.startsWith('6 of 8')")
    browser.click("#filters button")
    browser.wait("document.querySelectorAll('#list > details').length === 8")
    browser.type("#search", "OIL night")
    browser.wait("document.querySelectorAll('#list > details').length === 2")
    browser.click("#looked")
    browser.type("#search", " 12")
    browser.wait("document.getElementById('status').innerText.startsWith('2 of 8')")
    browser.click("#filters button")
    choose(browser, "#slice", "0:1")
    browser.wait("document.querySelectorAll('#list > details').length === 2")
    assert {text.split()[0] for text in browser.texts(f"{LISTED} .text")} == {"Who", "Whose"}


def test_what_was_seen_inside_is_drawn(browser: Browser) -> None:
    browser.click(f"{LISTED}:nth-child(5) summary")
    body = f"{LISTED}:nth-child(5) .body"
    marks = browser.texts(f"{body} mark.gold")
    assert "rape oil" in " ".join(marks)
    (name,) = browser.run(
        "return [...document.querySelectorAll(arguments[0])].map(one => one.ariaLabel)",
        f"{body} svg.strip",
    )
    assert name.startswith("first: begins at “<” 90 %")
    assert browser.run("return document.querySelectorAll(arguments[0]).length", f"{body} .heat svg")
    assert "+1.75" in " ".join(browser.texts(f"{body} table"))


def test_by_keyboard_alone(browser: Browser) -> None:
    browser.press(TAB, ENTER)  # the first stop skips to the questions
    browser.wait("location.hash === '#questions'")
    browser.run("document.getElementById('search').focus()")
    for _ in range(20):
        browser.press(TAB)
        if browser.run("return document.activeElement.tagName") == "SUMMARY":
            break
    browser.press(ENTER)
    assert len(browser.texts(".body")) == 1


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_is_wider_than_the_window(browser: Browser, width: int) -> None:
    browser.emulate(width=width, height=800)
    for row in (1, 5):
        browser.click(f"{LISTED}:nth-child({row}) summary")
    assert browser.run("return document.documentElement.scrollWidth") <= width


def test_without_javascript(path: Path, content: ReportContent) -> None:
    with open_browser() as browser:
        browser.without_scripts()
        browser.open(path)
        shown = browser.texts("#plain article h4")
        assert len(shown) == len(content.chosen)
        assert browser.texts("#filters") == []
