"""Curves of shares over time or effort, with a legend, and the page that shows them above the tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from harness.core.blocks import Block
from harness.report.page import TEMPLATES, environment
from harness.report.writers.html import blocks_html
from harness.version import __version__

_WIDE, _HIGH, _LEFT, _TOP, _BELOW = 720, 340, 48, 12, 56
_DASHES = ("", "7 4", "2 4", "10 3 2 3")
_COLOURS = 7
"""Lines differ in style as well as in colour."""


@dataclass(frozen=True, slots=True)
class Plane:
    """Where a value from 0 to 1 of the way, and a share, lie on the drawing."""

    def x(self, way: float) -> float:
        return _LEFT + (_WIDE - _LEFT - 12) * way

    def y(self, share: float) -> float:
        return _TOP + (_HIGH - _TOP - _BELOW) * (1 - share)


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """One curve."""

    name: str
    path: str
    """SVG path data on a `Plane`."""
    legend: str
    marks: Markup | str = ""
    """Points and whiskers on it."""


def curves_svg(
    lines: Sequence[DrawnLine], ticks: Iterable[tuple[float, str]], *, axis: str, title: str
) -> Markup:
    """Curves over a grid of shares. `ticks`: (0 to 1 of the way, its words); `title`: what is drawn, for those who hear it."""
    plane = Plane()
    bottom = plane.y(0)
    parts = [
        f'<svg class="curves" viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{escape(title)}">'
    ]
    for share, words in ((0, "0"), (0.25, ".25"), (0.5, ".5"), (0.75, ".75"), (1, "1")):
        y = plane.y(share)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{plane.x(1)}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="axis" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{words}</text>'
        )
    for way, words in ticks:
        parts.append(
            f'<text class="axis" x="{plane.x(way):.1f}" y="{bottom + 22}" text-anchor="middle">{escape(words)}</text>'
        )
    parts.append(
        f'<text class="axis" x="{plane.x(1)}" y="{_HIGH - 6}" text-anchor="end">{escape(axis)}</text>'
    )
    for place, line in enumerate(lines):
        parts.append(
            f'<g class="g{place % _COLOURS}"><path class="curve" stroke-dasharray="{_DASHES[place % 4]}" '
            f'd="{escape(line.path)}"><title>{escape(line.name)}</title></path>{line.marks}</g>'
        )
    legend = "".join(
        f'<li class="g{k % _COLOURS}"><svg viewBox="0 0 34 8" aria-hidden="true"><path class="curve" '
        f'stroke-dasharray="{_DASHES[k % 4]}" d="M0 4H34"/></svg><span>{escape(line.legend)}</span></li>'
        for k, line in enumerate(lines)
    )
    return Markup("".join(parts) + f'</svg><ul class="legend">{legend}</ul>')  # noqa: S704 (names are escaped)


def curves_page(
    *,
    title: str,
    about: str,
    headline: str,
    figures: Sequence[tuple[str, Markup]],
    blocks: Iterable[Block],
    points: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> str:
    """The page; it loads nothing and runs no script. The same results give the same bytes."""
    env = environment()
    styles = "".join(
        (TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "curves.css")
    )
    return env.get_template("curves.html.j2").render(
        title=title, about=about, version=__version__, headline=headline, points=points, notes=notes,
        figures=figures, blocks=blocks_html(tuple(blocks), env), style=Markup(styles),  # noqa: S704 (our own files)
    )  # fmt: skip
