"""An inversion audit as one self-contained page: acceptance by number of queries, controls, defences. No face is shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from harness.inversion.audit import Arm, AuditFigures, Judged, Level
from harness.report.curves import DrawnLine, Plane, curves_page, curves_svg
from harness.report.inversion_tables import headline, inversion_blocks, sentences

Pick = Callable[[Level], Judged | None]


def inversion_page(found: AuditFigures, record: Mapping[str, Any]) -> str:
    """The page. The same figures give the same bytes."""
    views: list[tuple[str, Pick]] = [
        (f"Accepted as the victim by {found.service}, which was attacked", lambda one: one.by_service)
    ]  # fmt: skip
    if found.critic is not None:
        views.append((f"Accepted by {found.critic}, which was not", lambda one: one.by_critic))
    shown = "drawn faces" if record["pictures"] == "drawn" else "pictures declared consented"
    return curves_page(
        title=f"What {found.service} gives away", headline=headline(found), points=list(sentences(found)),
        about=f"{found.victims} of {found.people} people on {shown}, seed {record['attack']['seed']}",
        figures=[(heading, _chart(found, pick, heading)) for heading, pick in views],
        blocks=tuple(inversion_blocks(found))[1:],
    )  # fmt: skip


def _chart(found: AuditFigures, pick: Pick, heading: str) -> Markup:
    queries = [level.queries for level in found.arms[0].levels]
    ways = _ways(queries)
    lines = [_line(arm, pick, ways) for arm in found.arms]
    control = [(way, judged.control or 0.0, None) for way, judged in _points(found.arms[0], pick, ways)]  # fmt: skip
    lines.append(
        DrawnLine(
            "control", _path(control), "control: faces rebuilt for other victims", _marks(control)
        )
    )
    return curves_svg(
        lines, [(way, f"{number:,}") for way, number in zip(ways, queries, strict=True)],
        axis="queries for each victim", title=f"{heading}, by number of queries; the table below has the numbers",
    )  # fmt: skip


def _ways(queries: Sequence[int]) -> list[float]:
    """Where each number stands: logarithmic, with room at both ends."""
    if len(queries) == 1:
        return [0.5]
    low, high = math.log(queries[0]), math.log(queries[-1])
    return [0.04 + 0.92 * (math.log(one) - low) / (high - low) for one in queries]


def _points(arm: Arm, pick: Pick, ways: Sequence[float]) -> list[tuple[float, Judged]]:
    found = [(way, pick(level)) for way, level in zip(ways, arm.levels, strict=True)]
    return [(way, judged) for way, judged in found if judged is not None]


def _line(arm: Arm, pick: Pick, ways: Sequence[float]) -> DrawnLine:
    """With whiskers where nothing defends: those of all lines would cover each other, and the table has them."""
    points = [
        (
            way,
            judged.accepted.value,
            (judged.accepted.low, judged.accepted.high) if arm.defence.kind == "none" else None,
        )
        for way, judged in _points(arm, pick, ways)
    ]
    name = "no defence, with 95% interval" if arm.defence.kind == "none" else arm.defence.name
    return DrawnLine(arm.defence.name, _path(points), name, _marks(points))


Place = tuple[float, float, tuple[float, float] | None]


def _path(points: Sequence[Place]) -> str:
    plane = Plane()
    return "M" + "L".join(f"{plane.x(way):.1f} {plane.y(share):.1f}" for way, share, _ in points)


def _marks(points: Sequence[Place]) -> Markup:
    plane = Plane()
    parts = []
    for way, share, reach in points:
        x = f"{plane.x(way):.1f}"
        if reach is not None and all(map(math.isfinite, reach)):
            low, high = reach
            parts.append(
                Markup('<path class="reach" d="M{} {}V{}"/>').format(
                    x, f"{plane.y(low):.1f}", f"{plane.y(high):.1f}"
                )
            )
        parts.append(Markup('<circle cx="{}" cy="{}" r="3.2"/>').format(x, f"{plane.y(share):.1f}"))
    return Markup().join(parts)
