"""Curves of a training: loss, exact match and F1, learning rate, the best checkpoint marked."""

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from squadqa.evaluation.training_log import Curve, TrainingLog, read_training_log
from squadqa.files import write_atomic
from squadqa.report.svg import STANDALONE_STYLE, Frame, Scale, picture, polyline, tag
from squadqa.run_files import CURVES

WIDTH, HEIGHT, GAP = 420.0, 190.0, 12.0
MOST_POINTS = 400
"""Points of a curve; of more, means of neighbours are drawn."""


def write_curves(folder: Path) -> Path | None:
    """Draw a run's curves into its folder, as `curves.svg`.

    Args:
        folder: The run folder.

    Returns:
        The file; None if the training has logged nothing.

    Raises:
        DataError: A log cannot be read.
        OutputError: The file cannot be written.
    """
    log = read_training_log(folder)
    if not log.last_step:
        return None
    with write_atomic(folder / CURVES) as file:
        file.write(curves_picture(log, folder.resolve().name, style=STANDALONE_STYLE) + "\n")
    return folder / CURVES


def curves_picture(log: TrainingLog, name: str, *, style: str = "") -> Markup:
    """Draw the curves of one training below each other.

    Args:
        log: Its course.
        name: The run's name.
        style: The picture's own style sheet, for a file; empty on a page.
    """
    panels = [
        ("loss in nats", [("train", log.train_loss, 0), ("validation", log.val_loss, 1)]),
        (
            "score on the validation questions, in percent",
            [("F1", log.f1, 0), ("exact match", log.exact_match, 1)],
        ),
        ("learning rate", [("", log.learning_rate, 0)]),
    ]
    drawn: list[Markup] = []
    for title, curves in panels:
        there = [(said, thinned(curve), color) for said, curve, color in curves if curve]
        if there:
            top = len(drawn) * (HEIGHT + GAP)
            drawn.append(_panel(title, there, log, top))
    height = max(1, len(drawn)) * (HEIGHT + GAP) - GAP
    best = log.best
    said = f"; best F1 {best[1]:.1f} % after {best[0] + 1:,} steps" if best else ""
    return picture(WIDTH, height, f"Training of {name}{said}", *drawn, style=style)


def thinned(curve: Curve, most: int = MOST_POINTS) -> list[tuple[float, float]]:
    """Replace neighbouring points by their means until a curve has few enough.

    Args:
        curve: Steps and values.
        most: The most points to keep.
    """
    size = -(-len(curve) // most)
    parts = [curve[begin : begin + size] for begin in range(0, len(curve), max(1, size))]
    return [
        (sum(step for step, _ in part) / len(part), sum(value for _, value in part) / len(part))
        for part in parts
    ]


def _panel(
    title: str,
    curves: Sequence[tuple[str, list[tuple[float, float]], int]],
    log: TrainingLog,
    top: float,
) -> Markup:
    values = [value for _, curve, _ in curves for _, value in curve]
    starts_at_0 = min(values) < 0.6 * max(values) or title.startswith("learning")
    low = min(0.0, *values) if starts_at_0 else min(values)
    high = max(values) if max(values) > low else low + (abs(low) or 1.0)
    bottom = top + HEIGHT - 36
    frame = Frame(
        Scale(0, max(1, log.last_step), 52, WIDTH - 12),
        Scale(low, high, bottom, top + 30),
        "steps",
        title,
    )
    parts = [frame.draw()]
    best = log.best
    if best:
        across = frame.x(best[0])
        line = {"x1": across, "x2": across, "y1": bottom, "y2": top + 30}
        title_of_line = tag("title", f"best checkpoint: step {best[0] + 1:,}, F1 {best[1]:.1f} %")
        parts.append(
            tag("line", title_of_line, class_="axis dashed", stroke_dasharray="3 3", **line)
        )
        if title.startswith("score"):
            place = {"cx": across, "cy": frame.y(best[1]), "r": 5}
            parts.append(tag("circle", class_="s0", **place))
    legend = WIDTH - 12
    for said, _, color in reversed(curves):
        if said:
            place = {"x": legend, "y": top + 17}
            words = tag("text", said, class_=f"s{color} series", text_anchor="end", **place)
            parts.append(words)
            legend -= 7.0 * len(said) + 12
    for _, curve, color in curves:
        points = [(frame.x(step), frame.y(value)) for step, value in curve]
        parts.append(polyline(points, class_=f"line s{color}"))
        if len(points) == 1:
            ((across, up),) = points
            parts.append(tag("circle", class_=f"s{color}", cx=across, cy=up, r=3))
    return Markup("").join(parts)
