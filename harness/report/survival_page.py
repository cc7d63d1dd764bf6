"""A survival analysis as one self-contained page with Kaplan-Meier curves."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from harness.report.page import TEMPLATES, environment
from harness.report.survival_tables import headline, survival_blocks
from harness.report.writers.html import blocks_html
from harness.survival.analysis import Curve, Survival
from harness.version import __version__

_WIDE, _HIGH, _LEFT, _TOP = 720, 320, 48, 12
_DASHES = ("", "7 4", "2 4", "10 3 2 3")
"""Groups differ in line style as well as in colour."""


def survival_page(found: Survival) -> str:
    """The page; it loads nothing and runs no script. The same results give the same bytes."""
    env = environment()
    styles = "".join(
        (TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "survival.css")
    )
    return env.get_template("survival.html.j2").render(
        title=f"Survival by {found.cohort.risk_name}", file=found.cohort.name, version=__version__,
        headline=headline(found), curves=curves_svg(found.curves, found.ticks, name=found.cohort.time_name),
        blocks=blocks_html(tuple(survival_blocks(found))[1:], env), notes=found.notes,
        style=Markup(styles),  # noqa: S704 (our own files)
    )  # fmt: skip


def curves_svg(curves: Sequence[Curve], ticks: Sequence[float], *, name: str) -> Markup:
    """Step curves of the share without the event over time, with a legend; the same numbers stand in the table below."""
    longest = max([t for c in curves for t in c.times] + [max(ticks), 1e-9])
    wide, high = _WIDE - _LEFT - 12, _HIGH - _TOP - 34

    def x(time: float) -> float:
        return _LEFT + wide * time / longest

    def y(share: float) -> float:
        return _TOP + high * (1 - share)

    parts = [
        f'<svg class="curves" viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="Kaplan-Meier curves of '
        f'{len(curves)} groups; the table below has the numbers">'
    ]
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + wide}" y1="{y(share):.1f}" y2="{y(share):.1f}"/>'
            f'<text class="axis" x="{_LEFT - 6}" y="{y(share) + 4:.1f}" text-anchor="end">{share:g}</text>'
        )
    for tick in ticks:
        parts.append(
            f'<text class="axis" x="{x(tick):.1f}" y="{_TOP + high + 18}" text-anchor="middle">{tick:g}</text>'
        )
    parts.append(
        f'<text class="axis" x="{_LEFT + wide}" y="{_HIGH - 2}" text-anchor="end">{escape(name)}</text>'
    )
    for place, curve in enumerate(curves):
        path = [f"M{x(0):.1f} {y(1):.1f}"]
        for time, share in zip(curve.times, curve.survival, strict=True):
            path.append(f"H{x(time):.1f}V{y(share):.1f}")
        path.append(f"H{x(longest):.1f}" if curve.at_risk and curve.at_risk[-1] else "")
        parts.append(
            f'<path class="curve g{place % 4}" stroke-dasharray="{_DASHES[place % 4]}" d="{"".join(path)}">'
            f"<title>{escape(curve.name)}</title></path>"
        )
    legend = "".join(
        f'<li><svg viewBox="0 0 34 8" aria-hidden="true"><path class="curve g{k % 4}" '
        f'stroke-dasharray="{_DASHES[k % 4]}" d="M0 4H34"/></svg>{escape(c.name)}, n {c.n}, {c.events} events</li>'
        for k, c in enumerate(curves)
    )
    return Markup("".join(parts) + f'</svg><ul class="legend">{legend}</ul>')  # noqa: S704 (names are escaped)
