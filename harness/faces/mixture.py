"""Blends of two expressions with known shares: exact soft labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.core.errors import HarnessError
from harness.faces.clip import ClipSpec, clip_at
from harness.faces.face import Face, Split
from harness.faces.prototypes import BASIC_7, MICRO_7, PROTOTYPES, affect
from harness.faces.sampling import (
    express,
    express_micro,
    identity_at,
    sample_gaze,
    sample_nuisance,
    sample_pose,
    sample_teeth,
    stream,
)
from harness.faces.units import Unit

MIXTURE_STREAM = 8
CLIP_MIXTURE_STREAM = 31
MIXED: tuple[str, ...] = tuple(name for name in BASIC_7 if name != "neutral")
MIXTURES_EACH = 3
"""Blended faces of one subject."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """A face whose action units lie between those of two expressions."""

    face: Face
    """The blend; its label is the emotion with the greater share, the first of equals."""
    emotions: tuple[str, str]
    share: float
    """Share of the first emotion, 0 to 1 (lambda of mixup); the second has the rest."""
    units: tuple[tuple[Unit, ...], tuple[Unit, ...]]
    """The two expressions unblended, with idle movement."""

    @property
    def soft_label(self) -> dict[str, float]:
        """Emotion to share; the shares add up to 1."""
        first, second = self.emotions
        return {first: self.share, second: round(1 - self.share, 4)}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"face": self.face.to_dict(), "soft_label": self.soft_label}


def blend(a: tuple[Unit, ...], b: tuple[Unit, ...], share: float) -> tuple[Unit, ...]:
    """Each side of each unit at share * a + (1 - share) * b, by number; what is 0 is left out.

    Raises:
        HarnessError: for a share outside 0 to 1.
    """
    if not 0.0 <= share <= 1.0:
        raise HarnessError(f"share {share} is outside 0 to 1", hint="use 0 to 1")
    sides: dict[int, tuple[float, float]] = {}
    for units, weight in ((a, share), (b, 1 - share)):
        for u in units:
            left, right = sides.get(u.number, (0.0, 0.0))
            sides[u.number] = (left + weight * u.left, right + weight * u.right)
    rounded = {n: (round(left, 4), round(right, 4)) for n, (left, right) in sides.items()}
    return tuple(Unit(n, *rounded[n]) for n in sorted(rounded) if max(rounded[n]) > 0)


def mixture_at(
    index: int,
    *,
    seed: int,
    split: Split = "test",
    labels: Sequence[str] = MIXED,
    share: float | None = None,
) -> Mixture:
    """Blend number `index` of an endless sequence; a subject has `MIXTURES_EACH` of them.

    Args:
        labels: the two emotions are drawn from these; default the basic six.
        share: of the first emotion; None: drawn uniform in [0, 1]. Nothing else depends on it, so
            blends that differ in the share alone can be compared.

    Raises:
        HarnessError: for a negative index or seed, an unknown split, fewer than two labels, an
            unknown or repeated one, or a share outside 0 to 1.
    """
    names = list(labels)
    if len(names) < 2 or len(set(names)) != len(names) or not set(names) <= set(PROTOTYPES):
        raise HarnessError(
            f"labels {names} cannot be blended",
            hint=f"list two or more distinct names among {', '.join(PROTOTYPES)}",
        )
    rng = stream(seed, split, MIXTURE_STREAM, index)
    identity = identity_at(index // MIXTURES_EACH, seed=seed, split=split)
    first, second = (names[int(i)] for i in rng.permutation(len(names))[:2])
    drawn = round(float(rng.random()), 4)
    part = round(float(share), 4) if share is not None else drawn
    units = (express(first, identity, rng), express(second, identity, rng))
    face = Face(
        identity=identity,
        units=blend(*units, part),
        pose=sample_pose(rng),
        gaze=sample_gaze(rng),
        teeth=sample_teeth(rng),
        nuisance=sample_nuisance(rng),
        emotion=first if part >= 0.5 else second,
    )
    return Mixture(face, (first, second), part, units)


@dataclass(frozen=True, slots=True)
class ClipMixture:
    """A micro-expression whose action units at the apex lie between those of two emotions."""

    clip: ClipSpec
    """Its label is the emotion with the greater share, the first of equals."""
    emotions: tuple[str, str]
    share: float
    """Share of the first emotion, 0 to 1; the second has the rest."""

    @property
    def soft_label(self) -> dict[str, float]:
        """Emotion to share; the shares add up to 1."""
        first, second = self.emotions
        return {first: self.share, second: round(1 - self.share, 4)}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"clip": self.clip.to_dict(), "soft_label": self.soft_label}


def clip_mixture_at(
    index: int, *, seed: int, split: Split = "test", labels: Sequence[str] = MICRO_7
) -> ClipMixture:
    """Blended clip number `index`: the clip of `clip_at`, its apex blended with that of another emotion.

    The share of the clip's own emotion is drawn uniform in [0, 1].

    Raises:
        HarnessError: as `clip_at`, and for fewer than two labels.
    """
    if len(labels) < 2:
        raise HarnessError(
            f"labels {list(labels)} cannot be blended", hint="list two or more distinct names"
        )
    clip = clip_at(index, seed=seed, split=split, labels=labels)
    rng = stream(seed, split, CLIP_MIXTURE_STREAM, index)
    others = [name for name in labels if name != clip.emotion]
    other = others[int(rng.integers(len(others)))]
    units = express_micro(other, clip.rest.identity, rng)
    share = round(float(rng.random()), 4)
    blended = replace(
        clip,
        apex_units=blend(clip.apex_units, units, share),
        emotion=clip.emotion if share >= 0.5 else other,
    )
    return ClipMixture(blended, (clip.emotion, other), share)


def mixed_affect(mixture: Mixture) -> tuple[float, float]:
    """Valence and arousal, each in [-1, 1]: of the unblended expressions, weighted by share."""
    (v1, a1), (v2, a2) = (
        affect(name, units) for name, units in zip(mixture.emotions, mixture.units, strict=True)
    )
    s = mixture.share
    return round(s * v1 + (1 - s) * v2, 4), round(s * a1 + (1 - s) * a2, 4)
