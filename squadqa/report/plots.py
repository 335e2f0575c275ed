"""The plots of reports: calibration, lengths, intervals of slices."""

from collections.abc import Sequence

from markupsafe import Markup

from squadqa.evaluation.reliability import LONGEST_SHOWN, Lengths, Reliability
from squadqa.evaluation.resampling import Estimate
from squadqa.report.svg import Frame, Scale, picture, polyline, tag

WIDTH, HEIGHT = 420.0, 290.0
"""Size of a plot's coordinates: about the pixels that it has on a phone, so that text stays
readable there."""


def calibration_plot(some: Sequence[tuple[str, Reliability]]) -> Markup:
    """Draw how often answers of each probability are right: a reliability diagram.

    Args:
        some: Names of systems and their calibrations.
    """
    frame = Frame(
        Scale(0, 100, 44, WIDTH - 12),
        Scale(0, 100, HEIGHT - 40, 28),
        "probability of the answer, in percent",
        "exact match, in percent",
    )
    x, y = frame.x, frame.y
    parts = [frame.draw(), polyline([(x(0), y(0)), (x(100), y(100))], class_="axis dashed line")]
    for number, (name, found) in enumerate(some):
        most = max(one.questions for one in found.bins)
        points = [(x(100 * one.probability), y(100 * one.exact_match)) for one in found.bins]
        parts.append(polyline(points, class_=f"line s{number}"))
        for (across, up), one in zip(points, found.bins, strict=True):
            between = f"{100 * one.low:.0f} to {100 * one.high:.0f} %"
            right = f"{100 * one.exact_match:.0f} % right"
            said = f"{name}: {one.questions:,} answers of {between}, {right}"
            radius = 2.5 + 5 * (one.questions / most) ** 0.5
            dot = tag("circle", tag("title", said), class_=f"s{number}", cx=across, cy=up, r=radius)
            parts.append(dot)
    return picture(WIDTH, HEIGHT, "Reliability diagram of the probabilities", *parts)


def lengths_plot(gold: Lengths | None, some: Sequence[tuple[str, Lengths]]) -> Markup:
    """Draw how many answers have each length: given ones as bars, predicted ones as lines.

    Args:
        gold: Lengths of the first given answers; None if they are unknown.
        some: Names of systems and the lengths of their answers.
    """

    def shares(lengths: Lengths) -> list[float]:
        total = sum(lengths.counts)
        return [100 * count / total for count in lengths.counts]

    every = [shares(one) for one in [*([gold] if gold else []), *(one for _, one in some)]]
    frame = Frame(
        Scale(0.5, LONGEST_SHOWN + 0.5, 44, WIDTH - 12),
        Scale(0, max(map(max, every), default=1.0), HEIGHT - 40, 28),
        "length in tokens",
        "share of the answers, in percent",
    )
    x, y = frame.x, frame.y
    texts = [str(length) for length in range(1, LONGEST_SHOWN)] + [f"{LONGEST_SHOWN}+"]
    parts = [frame.draw(x_ticks=list(enumerate(texts, start=1)))]
    if gold:
        for length, share in enumerate(shares(gold), start=1):
            said = tag("title", f"given answers of {texts[length - 1]} tokens: {share:.1f} %")
            left, right = x(length - 0.4), x(length + 0.4)
            bar = {"x": left, "width": right - left, "y": y(share), "height": y(0) - y(share)}
            parts.append(tag("rect", said, class_="gold-bar", **bar))
    for number, (name, found) in enumerate(some):
        points = [(x(length), y(share)) for length, share in enumerate(shares(found), start=1)]
        parts.append(polyline(points, class_=f"line s{number}"))
        for (across, up), share, text in zip(points, shares(found), texts, strict=True):
            said = tag("title", f"{name}: {share:.1f} % of {text} tokens")
            parts.append(tag("circle", said, class_=f"s{number}", cx=across, cy=up, r=3))
    return picture(WIDTH, HEIGHT, "Lengths of given and predicted answers", *parts)


def intervals(some: Sequence[Estimate]) -> Markup:
    """Draw scores of one slice with their intervals, on a scale from 0 to 100 percent.

    Args:
        some: The score of each system. The figures stand beside the drawing, so that it has no
            name of its own.
    """
    width, height = 160.0, 7.0 * len(some) + 4
    x = Scale(0, 100, 4, width - 4)
    parts = [
        tag("line", class_="grid", x1=x(value), x2=x(value), y1=0, y2=height)
        for value in (0, 25, 50, 75, 100)
    ]
    for number, one in enumerate(some):
        up = 5.5 + 7 * number
        ends = {"x1": x(max(0.0, one.low)), "x2": x(min(100.0, one.high)), "y1": up, "y2": up}
        parts.append(tag("line", class_=f"interval s{number}", **ends))
        parts.append(tag("circle", class_=f"s{number}", cx=x(one.value), cy=up, r=2.8))
    return tag(
        "svg", *parts, viewBox=f"0 0 {width:.0f} {height:.0f}", class_="intervals",
        aria_hidden="true",
    )  # fmt: skip
