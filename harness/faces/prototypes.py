"""Action units of each emotion, with its valence and arousal.

The combinations follow the prototypes and major variants of EMFACS (Friesen & Ekman, EMFACS-7,
1983) as far as they use units that can be drawn. The table is our own: weights, optional units
and their probabilities are chosen here, not taken from data.

Valence and arousal, one formula for every face:

    valence = V[emotion] * (0.3 + 0.7 s)
    arousal = A[emotion] * (0.3 + 0.7 s) + 0.15 * (AU5 + max(AU26, AU27)) / 2

cut to [-1, 1], where s is the mean intensity of the emotion's core units that are present
(0 for neutral) and (V, A) is the emotion's place on the circumplex (after Russell, 1980; the
numbers are ours).
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.faces.units import PRESENT_FLOOR, Unit

BASIC_7: tuple[str, ...] = (
    "anger",
    "disgust",
    "fear",
    "happiness",
    "sadness",
    "surprise",
    "neutral",
)
BASIC_8: tuple[str, ...] = (*BASIC_7, "contempt")
MICRO_7: tuple[str, ...] = (
    "anger",
    "contempt",
    "disgust",
    "fear",
    "happiness",
    "sadness",
    "surprise",
)
COARSE: dict[str, str] = {
    "happiness": "positive",
    "surprise": "surprise",
    "anger": "negative",
    "contempt": "negative",
    "disgust": "negative",
    "fear": "negative",
    "sadness": "negative",
}


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to show an emotion."""

    weight: float
    """Relative frequency."""
    core: tuple[int, ...]
    """Units that are always there."""
    optional: tuple[tuple[int, float], ...] = ()
    """Units with the probability of each."""
    one_sided: bool = False
    """Whether the core units show on one side only."""


PROTOTYPES: dict[str, tuple[Variant, ...]] = {
    "anger": (
        Variant(0.45, (4, 5, 7, 23), ((17, 0.3), (24, 0.25), (25, 0.2))),
        Variant(0.3, (4, 5, 7, 24), ((17, 0.5), (23, 0.4))),
        Variant(0.25, (4, 5, 7, 10, 23, 25), ((26, 0.4),)),
    ),
    "disgust": (
        Variant(0.35, (9,), ((4, 0.3), (7, 0.4), (15, 0.35), (17, 0.5))),
        Variant(0.35, (9, 10), ((4, 0.3), (7, 0.4), (25, 0.6), (26, 0.2))),
        Variant(0.3, (9, 10, 17), ((15, 0.4), (7, 0.4), (4, 0.2))),
    ),
    "fear": (
        Variant(0.5, (1, 2, 4, 5, 20, 25), ((7, 0.3), (26, 0.4))),
        Variant(0.25, (1, 2, 4, 5, 20), ((7, 0.3), (25, 0.3))),
        Variant(0.25, (1, 2, 4, 5, 7, 25, 26), ((20, 0.6),)),
    ),
    "happiness": (
        Variant(0.45, (6, 12), ((7, 0.2), (25, 0.3))),
        Variant(0.4, (6, 12, 25), ((26, 0.3), (7, 0.2))),
        Variant(0.15, (12,), ((25, 0.5),)),
    ),
    "sadness": (
        Variant(0.45, (1, 4, 15), ((25, 0.2), (7, 0.15), (43, 0.1))),
        Variant(0.4, (1, 4, 15, 17), ((7, 0.15), (6, 0.2), (43, 0.1))),
        Variant(0.15, (1, 15), ((17, 0.5), (25, 0.15))),
    ),
    "surprise": (
        Variant(0.45, (1, 2, 5, 25, 26)),
        Variant(0.3, (1, 2, 5, 25, 27)),
        Variant(0.25, (1, 2, 25, 26), ((5, 0.3),)),
    ),
    "contempt": (
        Variant(0.55, (14,), ((17, 0.15), (24, 0.1)), one_sided=True),
        Variant(0.45, (12, 14), ((25, 0.1), (7, 0.15)), one_sided=True),
    ),
    "neutral": (Variant(1.0, (), ((25, 0.2),)),),
}

CIRCUMPLEX: dict[str, tuple[float, float]] = {
    "neutral": (0.0, 0.0),
    "happiness": (0.9, 0.45),
    "surprise": (0.15, 0.8),
    "fear": (-0.7, 0.75),
    "anger": (-0.75, 0.7),
    "disgust": (-0.75, 0.35),
    "sadness": (-0.8, -0.45),
    "contempt": (-0.5, 0.15),
}


def core_units(emotion: str) -> frozenset[int]:
    """Every unit that is core to some variant of the emotion."""
    return frozenset(n for variant in PROTOTYPES[emotion] for n in variant.core)


def affect(emotion: str, units: tuple[Unit, ...]) -> tuple[float, float]:
    """Valence and arousal, each in [-1, 1], by the formula at the head of this file."""
    core = core_units(emotion)
    peaks = {u.number: u.peak for u in units}
    shown = [p for n, p in peaks.items() if n in core and p >= PRESENT_FLOOR]
    strength = sum(shown) / len(shown) if shown else 0.0
    valence, arousal = CIRCUMPLEX[emotion]
    gain = 0.3 + 0.7 * strength
    jaw = max(peaks.get(26, 0.0), peaks.get(27, 0.0))
    lift = 0.15 * (peaks.get(5, 0.0) + jaw) / 2
    return (_cut(valence * gain), _cut(arousal * gain + lift))


def _cut(value: float) -> float:
    return round(max(-1.0, min(1.0, value)), 4)
