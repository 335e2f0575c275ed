"""Elements, scales and axes of SVG plots.

Colours are classes that a page's style sheet, or `STANDALONE_STYLE`, gives: `s0`, `s1`, ... for
series, `axis`, `grid` and `label`. So one plot is readable on light and on dark pages.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

STANDALONE_STYLE = """
svg { font: 11px system-ui, sans-serif; background: #fff; }
text { fill: #333; } .axis { stroke: #888; } .grid { stroke: #e2e2e2; }
.line { fill: none; stroke-width: 1.8; } .muted { opacity: .35; }
.s0 { stroke: #1f6fb2; fill: #1f6fb2; } .s1 { stroke: #c2550a; fill: #c2550a; }
.line.s0, .line.s1 { fill: none; } text.s0, text.s1 { stroke: none; }
@media (prefers-color-scheme: dark) {
  svg { background: #16181c; } text { fill: #d8dade; } .grid { stroke: #33363c; }
  .s0 { stroke: #6cb2ef; fill: #6cb2ef; } .s1 { stroke: #f0924c; fill: #f0924c; }
  text.s0 { fill: #6cb2ef; } text.s1 { fill: #f0924c; }
}
"""
"""Style of an SVG that is a file of its own."""


def tag(name: str, *children: Markup | str, **attributes: str | float) -> Markup:
    """Write one element; texts and values are escaped.

    Args:
        name: The element's name.
        *children: What is in it: markup, or texts.
        **attributes: Its attributes; "_" stands for "-", and a last "_" is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(shown(value))}"'
        for key, value in attributes.items()
    )
    inside = "".join(str(escape(child)) for child in children)
    return Markup(f"<{name}{written}>{inside}</{name}>")  # noqa: S704


def shown(value: str | float) -> str:
    """Write a coordinate with at most two decimals; texts are unchanged."""
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Scale:
    """A linear scale from values to coordinates.

    Args:
        low: The lowest value.
        high: The highest one, above it.
        begin: Coordinate of the lowest value.
        end: Coordinate of the highest one.
    """

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value."""
        share = (value - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self, most: int = 6) -> list[float]:
        """Return round values on the scale, at most so many and about half of them at least."""
        step = round_step((self.high - self.low) / max(1, most - 1))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def round_step(least: float) -> float:
    """Return the smallest of 1, 2, 2.5 and 5 times a power of ten that is not below a number."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(
        factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= least * 0.9999
    )


def tick_text(value: float) -> str:
    """Write a tick's value briefly."""
    if value and abs(value) < 0.001:
        return f"{value:.0e}".replace("e-0", "e-")
    return f"{value:,.6g}"


@dataclass(frozen=True)
class Frame:
    """The axes of a plot.

    Args:
        x: Horizontal scale.
        y: Vertical scale; its `begin` is the lower edge.
        x_name: What is on the horizontal axis, with its unit.
        y_name: What is on the vertical axis, with its unit.
    """

    x: Scale
    y: Scale
    x_name: str
    y_name: str

    def draw(self, *, x_ticks: Sequence[tuple[float, str]] | None = None) -> Markup:
        """Draw axes, grid, ticks and names.

        Args:
            x_ticks: Places and texts on the horizontal axis; None takes round values.
        """
        x, y = self.x, self.y
        if x_ticks is None:
            x_ticks = [(value, tick_text(value)) for value in x.ticks()]
        parts = []
        for value in y.ticks():
            parts.append(tag("line", class_="grid", x1=x.begin, x2=x.end, y1=y(value), y2=y(value)))
            parts.append(
                tag("text", tick_text(value), x=x.begin - 5, y=y(value) + 4, text_anchor="end")
            )
        for value, text in x_ticks:
            parts.append(tag("text", text, x=x(value), y=y.begin + 15, text_anchor="middle"))
        parts.append(tag("line", class_="axis", x1=x.begin, x2=x.end, y1=y.begin, y2=y.begin))
        parts.append(
            tag("text", self.x_name, x=(x.begin + x.end) / 2, y=y.begin + 32, text_anchor="middle")
        )
        parts.append(tag("text", self.y_name, x=0, y=y.end - 13))
        return Markup("").join(parts)


def picture(width: float, height: float, name: str, *parts: Markup, style: str = "") -> Markup:
    """Make a picture that a screen reader calls by its name.

    Args:
        width: Width of its coordinates; it is as wide as its place on a page.
        height: Height of its coordinates.
        name: What it shows.
        *parts: What is in it.
        style: Its own style sheet, for a file; empty on a page.
    """
    size = {"width": width, "height": height} if style else {}
    sheet = [Markup(f"<style>{style}</style>")] if style else []  # noqa: S704
    return tag(
        "svg",
        tag("title", name),
        *sheet,
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {shown(width)} {shown(height)}",
        role="img",
        aria_label=name,
        **size,
    )


def polyline(points: Sequence[tuple[float, float]], **attributes: str | float) -> Markup:
    """Draw a line through points."""
    return tag("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), **attributes)
