"""A report in a browser: it opens, lists, filters, searches, and shows what was seen inside."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from squadqa.report.content import ReportContent
from squadqa.report.page import write_report
from tests.report.conftest import EVIL
from tests.support.chromium import Page, chromium

pytestmark = pytest.mark.slow(seconds=600)

LISTED = "#list > details"
SHOWN = (
    "[...document.querySelectorAll({})].filter(one => one.offsetParent).map(one => one.innerText)"
)


@pytest.fixture(scope="module")
def path(content: ReportContent, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, content)
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with chromium() as page:
        yield page


@pytest.fixture
def page(browser: Page, path: Path) -> Page:
    browser.look(width=1200, height=900)
    browser.open(path.as_uri())
    browser.wait_until("document.documentElement?.dataset.ready === 'yes'")
    return browser


def texts(page: Page, selector: str) -> list[str]:
    """The texts of the elements that are shown."""
    return [" ".join(text.split()) for text in page.value(SHOWN.format(json.dumps(selector)))]


def choose(page: Page, name: str, value: str) -> None:
    """Choose one value of a filter, as a reader's choice tells the page."""
    page.value(
        f"(() => {{ const one = document.getElementById({json.dumps(name)});"
        f"one.value = {json.dumps(value)};"
        "one.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


def wait_for(page: Page, questions: int) -> None:
    """Wait until so many questions are found."""
    page.wait_until(f"document.getElementById('status').innerText.startsWith('{questions} of 8')")
    assert len(texts(page, LISTED)) == questions


def unfold(page: Page, row: int) -> str:
    """Open a question, wait until its details stand (they move what is below), and say where."""
    page.click(f"{LISTED}:nth-child({row}) summary")
    body = f"{LISTED}:nth-child({row}) .body"
    page.wait_until(f"document.querySelector('{body}')?.offsetParent")
    return body


def test_all_questions_are_listed_and_texts_stay_texts(page: Page, content: ReportContent) -> None:
    assert page.text("#status") == "8 of 8 questions; 8 are listed."
    shown = texts(page, f"{LISTED} .text")
    assert shown == [" ".join(text.split()) for text in content.questions.texts]
    assert EVIL in shown[0]
    for row in range(1, 9):
        unfold(page, row)
    assert len(texts(page, ".body")) == 8
    assert page.value("document.title").startswith("squadqa report")
    assert page.value("document.querySelectorAll('#list img, #list script').length") == 0
    assert texts(page, "#plain") == []
    assert page.problems == []


def test_filters_and_search(page: Page) -> None:
    choose(page, "outcome0", "0")
    wait_for(page, 6)
    choose(page, "compare", "best0")
    wait_for(page, 6)
    choose(page, "compare", "best1")
    wait_for(page, 0)
    page.click("#filters button")
    wait_for(page, 8)
    page.click("#search")
    page.type("OIL night")
    wait_for(page, 2)
    page.click("#looked")
    wait_for(page, 2)
    page.click("#filters button")
    wait_for(page, 8)
    choose(page, "slice", "0:1")
    wait_for(page, 2)
    assert {text.split()[0] for text in texts(page, f"{LISTED} .text")} == {"Who", "Whose"}


def test_what_was_seen_inside_is_drawn(page: Page) -> None:
    body = unfold(page, 5)
    assert "rape oil" in " ".join(texts(page, f"{body} mark.gold"))
    strip = page.value(f"document.querySelector('{body} svg.strip').getAttribute('aria-label')")
    assert strip.startswith("first: begins at “<” 90 %")
    heat = page.value(f"document.querySelector('{body} .heat svg').getAttribute('aria-label')")
    assert "attends to each word of the question" in heat
    assert "+1.75" in " ".join(texts(page, f"{body} table"))


def test_by_keyboard_alone(page: Page) -> None:
    page.press("Tab")
    page.press("Enter")  # the first stop skips to the questions
    page.wait_until("location.hash === '#questions'")
    page.value("document.getElementById('search').focus()")
    for _ in range(20):
        page.press("Tab")
        if page.value("document.activeElement.tagName") == "SUMMARY":
            break
    page.press("Enter")
    page.wait_until("document.querySelectorAll('.body').length === 1")


@pytest.mark.parametrize("dark", [False, True])
def test_a_telephone_shows_it_without_scrolling_sideways(page: Page, dark: bool) -> None:
    page.look(width=390, height=800, dark=dark)
    for row in (1, 5):
        unfold(page, row)
    assert page.value("document.documentElement.scrollWidth") <= 390
    colours = page.value("getComputedStyle(document.body).backgroundColor")
    assert (colours == "rgb(18, 20, 23)") == dark


def test_every_control_has_a_name(page: Page) -> None:
    unnamed = page.value(
        "[...document.querySelectorAll('input, select, button, summary')]"
        ".filter(one => !(one.labels && one.labels.length) && !one.innerText.trim()).length"
    )
    assert unnamed == 0


def test_without_javascript(path: Path, content: ReportContent, browser: Page) -> None:
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(path.as_uri())
    browser.wait_until("document.readyState === 'complete'")
    assert len(texts(browser, "#plain article h4")) == len(content.chosen)
    assert texts(browser, "#filters") == []
    browser.send("Emulation.setScriptExecutionDisabled", value=False)
