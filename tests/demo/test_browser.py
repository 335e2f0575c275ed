"""The page of a demo in a browser: real clicks and keys, at desktop and phone width."""

import threading
from collections.abc import Iterator

import pytest

from squadqa.demo.models import make_models
from squadqa.demo.page import examples
from squadqa.demo.server import DemoServer
from tests.support.chromium import Page, chromium
from tests.support.scripted import ScriptedAnswerer

pytestmark = pytest.mark.slow(seconds=300)

CONTEXT = 'The 🥐 <b>baker</b> & Ida "Moss"\nkept the light.'


def first(question: str) -> list[tuple[int, float]]:
    if question == "bug":
        raise RuntimeError("a secret")
    return [(2, 0.7), (4, 0.2), (1, 0.05)] if "Who" in question else [(1, 0.5)]


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    runs = [("runs/one", first), ("runs/two", lambda _: [(2, 0.9)])]
    models = make_models([(name, ScriptedAnswerer(choose)) for name, choose in runs])
    with DemoServer(models, host="127.0.0.1", port=0, on_error=lambda _: None) as made:
        thread = threading.Thread(target=made.serve_forever, args=[0.01])
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with chromium() as made:
        yield made


@pytest.fixture
def page(browser: Page, server: DemoServer) -> Page:
    browser.problems.clear()
    browser.look(width=1280, height=900)
    browser.open(server.url)
    browser.wait_until("document.body?.dataset.ready === 'yes'")
    return browser


def done(page: Page) -> None:
    page.wait_until(
        "!document.querySelector('.busy') && document.querySelector('.card:not(.empty)')"
    )


def fill(page: Page, context: str, question: str) -> None:
    for selector, text in (("#context", context), ("#question", question)):
        page.value(f"document.querySelector('{selector}').value = ''")
        page.click(selector)
        page.type(text)


def test_a_question_about_a_pasted_text(page: Page) -> None:
    fill(page, CONTEXT, "Who?")
    page.click("button.primary")
    done(page)
    assert page.text(".answer") == "<b>baker</b>"
    assert page.text(".text") == CONTEXT
    assert page.text("mark") == "<b>baker</b>"
    assert page.text(".sure") == "70.0 % sure"
    assert page.value("document.querySelectorAll('.text b').length") == 0
    assert page.text("#status") == (
        "They agree. one: <b>baker</b>, 70.0 %; two: <b>baker</b>, 90.0 %."
    )
    assert page.text("#count") == "46 characters"
    assert page.problems == []


def test_another_of_the_best_answers(page: Page) -> None:
    fill(page, CONTEXT, "Who?")
    page.press("Enter")
    done(page)
    page.click(".best button", text="Ida")
    assert page.text("mark") == "Ida"
    pressed = (
        "[...document.querySelectorAll('.card:first-child .best button')].map(b => b.ariaPressed)"
    )
    assert page.value(pressed) == ["false", "true", "false"]


def test_the_strip_by_mouse_and_by_keys(page: Page) -> None:
    fill(page, CONTEXT, "Who?")
    page.press("Enter")
    done(page)
    page.click(".strip", place=0.01)
    assert page.text(".token") == "“The” starts it: 0 %, ends it: 0 %"
    page.value("document.querySelector('.strip').focus()")
    page.press("ArrowRight")
    page.press("ArrowRight")
    spoken = "document.querySelector('.strip').ariaValueText"
    assert page.value(spoken) == "“<b>baker</b>” starts it: 70.0 %, ends it: 70.0 %"
    assert page.text(".here") == "<b>baker</b>"
    page.press("Escape")
    assert page.text(".token") == ""


def test_an_example_and_its_questions(page: Page) -> None:
    example = examples()[1]
    page.click("#examples button", text=example.title)
    done(page)
    assert page.value("document.querySelector('#context').value") == example.context
    assert page.value("document.querySelector('#question').value") == example.questions[0]
    page.click("#suggestions button", text=example.questions[3])
    done(page)
    assert page.value("document.querySelector('#question').value") == example.questions[3]
    page.click("#context")
    page.type("!")
    assert page.value("document.querySelector('#suggestions').hidden")


def test_the_keyboard_alone(page: Page) -> None:
    def focused() -> str:
        return str(page.value("document.activeElement.id || document.activeElement.innerText"))

    page.press("Tab")
    assert focused() == "Skip to the answers"
    page.press("Tab")
    assert focused() == "context"
    page.type("Ida Moss kept the light.")
    for expected in (*(one.title for one in examples()), "question"):
        page.press("Tab")
        assert focused() == expected
    page.type("Who?")
    page.press("Enter")
    done(page)
    assert page.text("mark") == "kept"


def test_what_is_missing_or_fails_is_said(page: Page) -> None:
    page.click("button.primary")
    assert page.text("#error") == "Paste a text first, or take an example."
    assert page.value("document.activeElement.id") == "context"
    fill(page, CONTEXT, "bug")
    page.press("Enter")
    page.wait_until("document.querySelector('.failed') && !document.querySelector('.busy')")
    assert page.text(".failed .error") == (
        "This model failed, and the terminal where the demo runs says why."
    )
    assert page.text(".card:last-child .answer") == "<b>baker</b>"
    fill(page, "a " * 25_001, "Who?")
    assert page.text("#count") == "50,002 characters, 50,000 at most"
    page.press("Enter")
    page.wait_until("document.querySelectorAll('.failed').length === 2")
    assert "50,000 is the most. Shorten the text." in page.text(".failed .error")


@pytest.mark.parametrize("width", [360, 800, 1280, 1920])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_cut_off(width: int, dark: bool, page: Page) -> None:
    page.look(width=width, height=800, dark=dark)
    fill(page, "w" * 3_000 + " " + CONTEXT, "Who" + "w" * 300)
    page.press("Enter")
    done(page)
    assert page.value("document.documentElement.scrollWidth <= innerWidth")
    columns = page.value(
        "getComputedStyle(document.querySelector('.models')).gridTemplateColumns.split(' ').length"
    )
    assert columns == (1 if width < 800 else 2)


@pytest.mark.parametrize("dark", [False, True])
def test_texts_can_be_read(dark: bool, page: Page) -> None:
    """Contrast of at least 4.5 to 1, as WCAG's level AA asks."""
    page.look(width=1280, height=900, dark=dark)
    fill(page, CONTEXT, "Who?")
    page.press("Enter")
    done(page)
    for selector in ("h1 span", "header p", ".quiet", "mark", ".primary", ".legend", ".chance"):
        ratio = page.value(CONTRAST.replace("SELECTOR", selector))
        assert ratio >= 4.5, (selector, ratio)


CONTRAST = """(() => {
  const parsed = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const found = document.querySelector('SELECTOR');
  let behind = found;
  while (parsed(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
  const light = (colour) => parsed(colour).slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const [one, other] = [light(getComputedStyle(found).color),
    light(getComputedStyle(behind).backgroundColor)].sort((a, b) => b - a);
  return (one + 0.05) / (other + 0.05);
})()"""


def test_every_control_has_a_name(page: Page) -> None:
    fill(page, CONTEXT, "Who?")
    page.press("Enter")
    done(page)
    page.send("Accessibility.enable")
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    controls = {"button", "textbox", "slider", "region", "article", "form", "group", "list"}
    nameless = [
        node["role"]["value"]
        for node in nodes
        if node.get("role", {}).get("value") in controls
        and not node["ignored"]
        and not node.get("name", {}).get("value")
    ]
    assert nameless == []
    sliders = [node for node in nodes if node.get("role", {}).get("value") == "slider"]
    assert [node["name"]["value"] for node in sliders] == [
        "Where one sees a start and an end",
        "Where two sees a start and an end",
    ]
