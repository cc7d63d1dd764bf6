"""A small square figure of a share from 0 to 1 by another, with the diagonal, or by a number."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Square:
    """Where shares lie in the figure, in pixels."""

    side: int
    edge: int
    most: float = 1.0
    """What the right end of the axis across stands for."""

    @property
    def size(self) -> int:
        """Width and height of the whole figure."""
        return self.side + 2 * self.edge

    def x(self, share: float) -> float:
        """Place of a share, or of a number up to `most`, across."""
        return round(self.edge + share / self.most * self.side, 1)

    def y(self, share: float) -> float:
        """Place of a share upwards."""
        return round(self.edge + (1 - share) * self.side, 1)

    @property
    def steps(self) -> tuple[float, ...]:
        """Where the axis across has ticks: at every whole number, or at both ends and the middle of shares."""
        whole = self.most > 1 and float(self.most).is_integer()
        return (
            tuple(map(float, range(int(self.most) + 1)))
            if whole
            else (0.0, self.most / 2, self.most)
        )

    def axes(self, across: str, upwards: str, *, diagonal: bool = True) -> list[Markup]:
        """Frame, diagonal, ticks and what the axes are."""
        low = self.edge + self.side
        frame = Markup(
            '<rect class="frame" x="{0}" y="{0}" width="{1}" height="{1}" fill="none" stroke="currentColor" '
            'stroke-opacity=".3"/>'
        ).format(self.edge, self.side)
        equal = Markup('<line class="base" x1="{0}" y1="{1}" x2="{1}" y2="{0}"/>')
        line = [equal.format(self.x(0), self.x(self.most))] if diagonal else []
        across_tick = Markup('<text class="small" x="{}" y="{}" text-anchor="middle">{}</text>')
        upwards_tick = Markup('<text class="small" x="{}" y="{}" text-anchor="end">{}</text>')
        ticks = [
            *(across_tick.format(self.x(at), low + 15, f"{at:g}") for at in self.steps),
            *(
                upwards_tick.format(self.edge - 5, self.y(at) + 4, f"{at:g}")
                for at in (0.0, 0.5, 1.0)
            ),
        ]
        names = Markup(
            '<text class="small" x="{0}" y="{1}" text-anchor="middle">{2}</text>'
            '<text class="small" x="14" y="{0}" text-anchor="middle" transform="rotate(-90 14 {0})">{3}</text>'
        ).format(self.size / 2, self.size - 4, across, upwards)
        return [frame, *line, *ticks, names]
