"""How a clip:tiny is trained."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.clip_tiny.training.captions import NameDose


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How one model is trained."""

    seconds: float = 560.0
    """Processor time, of all processes together."""
    seed: int = 0
    batch: int = 64
    shift: int = 4
    """Most pixels that the part which is seen is moved, at random, across and down; 0: it is always the middle."""
    mirror: bool = True
    """Whether half of the pictures, at random, are mirrored."""
    flat: float = 0.4
    """Share of the time before the rates fall, linearly, to `floor`."""
    floor: float = 0.02
    matrix_rate: float = 0.025
    """Muon's."""
    rate: float = 1e-3
    thin_rate: float = 3e-4
    wide_rate: float = 6e-5
    """Of heads that read all patches side by side: at the usual rate they drown the rest."""
    wide_units: float = 40.0
    """Weights of the losses of the heads."""
    wide_points: float = 60.0
    late_points: float = 25.0
    """Times that landmarks weigh more once the rates fall. From the start they would drown the rest: they are far off then."""
    mean_units: float = 10.0
    cls_units: float = 20.0
    doses: tuple[NameDose, ...] = ()

    def going_on(self) -> TrainingSettings:
        """The settings for going on from a checkpoint: half the rates, falling at once."""
        return replace(self, flat=0.0, matrix_rate=self.matrix_rate / 2, rate=self.rate / 2)

    def points_at(self, share: float) -> float:
        """The weight of the loss of landmarks when this `share` of the time is used."""
        return self.wide_points * (1.0 if share < self.flat else self.late_points)
