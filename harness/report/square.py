"""A small square figure of two shares from 0 to 1, with the diagonal."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Square:
    """Where shares lie in the figure, in pixels."""

    side: int
    edge: int

    @property
    def size(self) -> int:
        """Width and height of the whole figure."""
        return self.side + 2 * self.edge

    def x(self, share: float) -> float:
        """Place of a share across."""
        return round(self.edge + share * self.side, 1)

    def y(self, share: float) -> float:
        """Place of a share upwards."""
        return round(self.edge + (1 - share) * self.side, 1)

    def axes(self, across: str, upwards: str, *, diagonal: bool = True) -> list[Markup]:
        """Frame, diagonal, ticks and what the axes are."""
        low = self.edge + self.side
        frame = Markup(
            '<rect class="frame" x="{0}" y="{0}" width="{1}" height="{1}" fill="none" stroke="currentColor" '
            'stroke-opacity=".3"/>'
        ).format(self.edge, self.side)
        equal = Markup('<line class="base" x1="{0}" y1="{1}" x2="{1}" y2="{0}"/>')
        line = [equal.format(self.x(0), self.x(1))] if diagonal else []
        tick = Markup(
            '<text class="small" x="{}" y="{}" text-anchor="middle">{}</text>'
            '<text class="small" x="{}" y="{}" text-anchor="end">{}</text>'
        )
        ticks = [
            tick.format(self.x(at), low + 15, f"{at:g}", self.edge - 5, self.y(at) + 4, f"{at:g}")
            for at in (0.0, 0.5, 1.0)
        ]
        names = Markup(
            '<text class="small" x="{0}" y="{1}" text-anchor="middle">{2}</text>'
            '<text class="small" x="14" y="{0}" text-anchor="middle" transform="rotate(-90 14 {0})">{3}</text>'
        ).format(self.size / 2, self.size - 4, across, upwards)
        return [frame, *line, *ticks, names]
