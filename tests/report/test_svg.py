"""Elements, scales and axes of plots."""

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.report.svg import Frame, Scale, picture, polyline, round_step, tag, tick_text

EVIL = "<script>alert(\"1\")</script> & 'x'"


def test_texts_and_values_are_escaped() -> None:
    written = tag("text", EVIL, tag("b", "x"), class_="s0", data_name=EVIL, x=1.0, y=2.345)
    element = ElementTree.fromstring(written)
    assert element.text == EVIL
    assert element.attrib == {"class": "s0", "data-name": EVIL, "x": "1", "y": "2.35"}
    assert [child.tag for child in element] == ["b"]


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(3, 12))
def test_ticks_are_on_the_scale_and_few(low: float, width: float, most: int) -> None:
    scale = Scale(low, low + width, 0, 100)
    if scale.high <= scale.low or width < 1e-9 * abs(low):
        return
    ticks = scale.ticks(most)
    assert len(ticks) <= most + 1
    for value in ticks:
        assert -0.001 <= scale(value) <= 100.001
    steps = [after - before for before, after in zip(ticks, ticks[1:], strict=False)]
    assert all(step == pytest.approx(steps[0], rel=1e-3) for step in steps)


@given(st.floats(1e-9, 1e9))
def test_steps_are_round(least: float) -> None:
    step = round_step(least)
    assert least * 0.999 <= step <= least * 2.6
    lead = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    assert any(lead == pytest.approx(one) for one in (1, 2, 2.5, 5, 10))


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (2500.0, "2,500"), (0.25, "0.25"), (0.00005, "5e-5")]
)
def test_tick_texts(value: float, text: str) -> None:
    assert tick_text(value) == text


def test_a_picture_has_a_name_and_both_axes_theirs() -> None:
    frame = Frame(Scale(0, 10, 40, 100), Scale(0, 1, 90, 10), "steps", "loss <nats>")
    line = polyline([(40, 90), (100, 10)], class_="line s0")
    for style in ("", "svg { }"):
        drawn = ElementTree.fromstring(picture(120, 130, "A & B", frame.draw(), line, style=style))
        assert drawn.attrib["role"] == "img"
        assert drawn.attrib["aria-label"] == "A & B"
        assert ("width" in drawn.attrib) == bool(style)
        texts = ["".join(each.itertext()) for each in drawn.iter() if each.tag.endswith("text")]
        assert {"steps", "loss <nats>", "0", "10"} <= set(texts)
