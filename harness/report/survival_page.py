"""A survival analysis as one self-contained page with Kaplan-Meier curves."""

from __future__ import annotations

from harness.report.curves import DrawnLine, Plane, curves_page, curves_svg
from harness.report.survival_tables import headline, survival_blocks
from harness.survival.analysis import Curve, Survival


def survival_page(found: Survival) -> str:
    """The page: step curves of the share without the event over time; the same numbers stand in the table below."""
    longest = max(*(curve.until for curve in found.curves), *found.ticks, 1e-9)
    drawn = curves_svg(
        [_line(curve, longest) for curve in found.curves],
        [(tick / longest, f"{tick:g}") for tick in found.ticks],
        axis=found.cohort.time_name,
        title=f"Kaplan-Meier curves of {len(found.curves)} groups; the table below has the numbers",
    )
    return curves_page(
        title=f"Survival by {found.cohort.risk_name}", about=found.cohort.name, headline=headline(found),
        figures=[("Share without the event over time", drawn)], blocks=tuple(survival_blocks(found))[1:],
        notes=found.notes,
    )  # fmt: skip


def _line(curve: Curve, longest: float) -> DrawnLine:
    plane = Plane()
    path = [f"M{plane.x(0):.1f} {plane.y(1):.1f}"]
    for time, share in zip(curve.times, curve.survival, strict=True):
        path.append(f"H{plane.x(time / longest):.1f}V{plane.y(share):.1f}")
    path.append(
        f"H{plane.x(curve.until / longest):.1f}"
    )  # known to the last person seen, event or not
    return DrawnLine(curve.name, "".join(path), f"{curve.name}, n {curve.n}, {curve.events} events")
