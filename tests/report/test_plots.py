"""The plots of reports show the values that they are given."""

from xml.etree import ElementTree

from squadqa.evaluation.reliability import Bin, Lengths, Reliability
from squadqa.evaluation.resampling import Estimate
from squadqa.report.plots import calibration_plot, intervals, lengths_plot

NAME = "a <b>"


def titles(drawn: str) -> list[str]:
    root = ElementTree.fromstring(drawn)
    return [each.text or "" for each in root.iter() if each.tag.endswith("title")]


def test_calibration() -> None:
    bins = (Bin(0.0, 0.1, 5, 0.05, 0.2), Bin(0.9, 1.0, 1200, 0.97, 0.9))
    drawn = calibration_plot([(NAME, Reliability(bins, 7.0)), ("b", Reliability(bins[:1], 15.0))])
    assert titles(drawn)[1:] == [
        f"{NAME}: 5 answers of 0 to 10 %, 20 % right",
        f"{NAME}: 1,200 answers of 90 to 100 %, 90 % right",
        "b: 5 answers of 0 to 10 %, 20 % right",
    ]


def test_lengths() -> None:
    gold, found = Lengths((3, 1, *[0] * 10), 1.25), Lengths((1, 0, *[0] * 9, 1), 6.5)
    drawn = titles(lengths_plot(gold, [(NAME, found)]))
    assert "given answers of 1 tokens: 75.0 %" in drawn
    assert f"{NAME}: 50.0 % of 12+ tokens" in drawn
    without = titles(lengths_plot(None, [(NAME, found)]))
    assert not any("given answers of" in one for one in without)


def test_intervals_stay_on_their_scale() -> None:
    root = ElementTree.fromstring(intervals([Estimate(50, 40, 60), Estimate(100, 90, 130)]))
    lines = [each.attrib for each in root if each.attrib.get("class", "").startswith("interval")]
    assert [(float(one["x1"]), float(one["x2"])) for one in lines] == [(64.8, 95.2), (140.8, 156)]
    assert root.attrib["aria-hidden"] == "true"
