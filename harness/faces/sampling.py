"""Sample faces by number: each one is computed independently from (seed, split, index)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.core.errors import HarnessError
from harness.faces import ranges
from harness.faces.face import SPLIT_CODES, Colour, Face, Identity, Nuisance, Pose, Split
from harness.faces.prototypes import BASIC_7, PROTOTYPES, Variant
from harness.faces.units import Unit

TEST_SEEDS: frozenset[int] = frozenset(range(100))
"""Seeds kept for tests, demos and evaluation. Nothing may be trained on faces made with them."""

# What a stream of random numbers is for; mixed into its seed so that no two streams touch.
# Number 6 belongs to harness.faces.clip, 7 to harness.faces.long, 8 to harness.faces.mixture.
_IDENTITY, _ORDER, _EXPRESSION, _POSE, _NUISANCE = 1, 2, 3, 4, 5


def stream(seed: int, split: str, purpose: int, *numbers: int) -> np.random.Generator:
    """The generator for one purpose.

    Raises:
        HarnessError: if the split is unknown or a number is negative.
    """
    if split not in SPLIT_CODES:
        raise HarnessError(
            f"split {split!r} is unknown", hint=f"use one of {', '.join(SPLIT_CODES)}"
        )
    parts = [seed, SPLIT_CODES[split], purpose, *numbers]
    if min(parts) < 0:
        raise HarnessError(
            f"seed {seed} or index {numbers} is negative", hint="count seeds and indices from 0"
        )
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(parts)))


def face_at(
    index: int, *, seed: int, split: Split = "test", labels: Sequence[str] = BASIC_7
) -> Face:
    """Face number `index` of an endless sequence.

    A subject takes `len(labels)` consecutive faces and shows each label once, in an order of
    their own. Subjects of two splits or two seeds are never the same.

    Raises:
        HarnessError: for a negative index or seed, an unknown split, an unknown or repeated label.
    """
    _check_labels(labels)
    subject, place = divmod(index, len(labels))
    identity = identity_at(subject, seed=seed, split=split)
    order = stream(seed, split, _ORDER, subject).permutation(len(labels))
    emotion = labels[int(order[place])]
    rng = stream(seed, split, _EXPRESSION, subject, place)
    units = express(emotion, identity, rng)
    around = stream(seed, split, _POSE, subject, place)
    return Face(
        identity=identity,
        units=units,
        pose=sample_pose(around),
        gaze=sample_gaze(around),
        teeth=sample_teeth(around),
        nuisance=sample_nuisance(stream(seed, split, _NUISANCE, subject, place)),
        emotion=emotion,
    )


def _check_labels(labels: Sequence[str]) -> None:
    unknown = [name for name in labels if name not in PROTOTYPES]
    if unknown or not labels or len(set(labels)) != len(labels):
        raise HarnessError(
            f"labels {list(labels)} cannot be drawn",
            hint=f"list distinct names among {', '.join(PROTOTYPES)}",
        )


def identity_at(subject: int, *, seed: int, split: Split) -> Identity:
    """Person number `subject` of a split."""
    rng = stream(seed, split, _IDENTITY, subject)
    shape = {name: _uniform(rng, span) for name, span in ranges.IDENTITY.items()}
    ages = list(ranges.AGE_GROUPS)
    age_group = ages[int(rng.choice(len(ages), p=ranges.AGE_SHARES))]
    age = _uniform(rng, ranges.AGE_GROUPS[age_group])
    tone = int(rng.integers(1, 11))
    hair = _hair_colour(rng, age, tone)
    style, beard = _pick(rng, ranges.HAIR_STYLES), _pick(rng, ranges.BEARDS)
    irises = len(ranges.IRIS_COLOURS) if tone <= 5 else ranges.DARK_IRIS
    return Identity(
        subject=f"{split}-{seed}-{subject:06d}",
        age_group=age_group,
        age=age,
        skin_tone=tone,
        hair_style=style,
        hair_colour=hair,
        iris_colour=ranges.IRIS_COLOURS[int(rng.integers(irises))],
        lip_colour=round(float(rng.random()), 4),
        beard="none" if style == "scarf" else beard,
        glasses=_pick(rng, ranges.GLASSES),
        clothes=_muted(rng),
        texture=int(rng.integers(2**31)),
        **shape,
    )


def _hair_colour(rng: np.random.Generator, age: float, tone: int) -> Colour:
    colours = ranges.HAIR_COLOURS if tone <= 5 else ranges.HAIR_COLOURS[: ranges.DARK_HAIR]
    base = np.array(colours[int(rng.integers(len(colours)))], float)
    grey = max(0.0, age - 0.35) * 1.4 * float(rng.random() ** 0.5)
    mixed = base + (np.array([188.0, 186.0, 184.0]) - base) * min(1.0, grey)
    return (int(mixed[0]), int(mixed[1]), int(mixed[2]))


def express(emotion: str, identity: Identity, rng: np.random.Generator) -> tuple[Unit, ...]:
    """Action units of one posed expression, by number, idle movement included."""
    units = _expression(emotion, identity, ranges.INTENSITY, ranges.UNIT_JITTER, rng)
    for number in (1, 2, 4, 6, 7, 12, 14, 15, 17, 24):  # a resting face is never quite still
        idle = float(rng.uniform(0.0, ranges.IDLE_UNITS))
        if number not in units and rng.random() < 0.3:
            units[number] = Unit(number, round(idle, 4), round(idle, 4))
    return tuple(units[n] for n in sorted(units))


def express_micro(emotion: str, identity: Identity, rng: np.random.Generator) -> tuple[Unit, ...]:
    """Action units of one micro-expression at its apex, by number."""
    units = _expression(emotion, identity, ranges.MICRO_APEX, ranges.MICRO_JITTER, rng)
    return tuple(units[n] for n in sorted(units))


def express_macro(emotion: str, identity: Identity, rng: np.random.Generator) -> tuple[Unit, ...]:
    """Action units of one macro-expression in a long video at its apex, by number."""
    units = _expression(emotion, identity, ranges.MACRO_APEX, ranges.UNIT_JITTER, rng)
    return tuple(units[n] for n in sorted(units))


def _expression(
    emotion: str,
    identity: Identity,
    span: tuple[float, float],
    jitter: float,
    rng: np.random.Generator,
) -> dict[int, Unit]:
    variants = PROTOTYPES[emotion]
    weights = np.array([v.weight for v in variants])
    variant = variants[int(rng.choice(len(variants), p=weights / weights.sum()))]
    strength = float(rng.uniform(*span)) * identity.expressivity
    peaks = _peaks(variant, strength, jitter, rng)
    side = 1.0 if rng.random() < 0.5 else -1.0
    return {n: _sided(n, p, identity, variant, side) for n, p in peaks.items()}


def _peaks(
    variant: Variant, strength: float, jitter: float, rng: np.random.Generator
) -> dict[int, float]:
    """Peak intensity of each unit that takes part, each within [0.2, 1]."""
    taking_part = list(variant.core)
    taking_part += [n for n, p in variant.optional if rng.random() < p]
    peaks = {
        n: float(np.clip(strength + rng.uniform(-jitter, jitter), 0.2, 1.0)) for n in taking_part
    }
    for jaw in (26, 27):  # FACS: a dropped jaw that opens the mouth is scored with 25
        if jaw in peaks:
            peaks.setdefault(25, peaks[jaw])
    return peaks


def _sided(number: int, peak: float, identity: Identity, variant: Variant, side: float) -> Unit:
    if variant.one_sided and number in variant.core:
        left, right = (peak, 0.0) if side > 0 else (0.0, peak)
    else:
        skew = identity.asymmetry if number not in (17, 25, 26, 27, 43) else 0.0
        left, right = peak * (1 - max(0.0, -skew)), peak * (1 - max(0.0, skew))
    return Unit(number, round(left, 4), round(right, 4))


def sample_pose(rng: np.random.Generator) -> Pose:
    """A small turn of the head, see `ranges.POSE`."""
    limit = ranges.POSE_LIMIT
    turns = {
        name: round(float(np.clip(rng.normal(), -limit, limit)) * spread, 3)
        for name, spread in ranges.POSE.items()
    }
    return Pose(**turns)


def sample_gaze(rng: np.random.Generator) -> tuple[float, float]:
    """Gaze, independent of everything else."""
    direct = rng.random() < ranges.GAZE_DIRECT
    x, y = rng.uniform(-1.0, 1.0, 2) * (0.12 if direct else 1.0)
    return (round(float(x), 3), round(float(y), 3))


def sample_teeth(rng: np.random.Generator) -> float:
    """Exposure of the upper teeth: 0 or within `ranges.TEETH_EXPOSURE`."""
    shown = rng.random() < ranges.TEETH_SHOWN
    exposure = _uniform(rng, ranges.TEETH_EXPOSURE)
    return exposure if shown else 0.0


def sample_nuisance(rng: np.random.Generator) -> Nuisance:
    """Camera and room, see `ranges.NUISANCE`."""
    values: dict[str, Any] = {name: _uniform(rng, span) for name, span in ranges.NUISANCE.items()}
    values["jpeg_quality"] = round(values["jpeg_quality"])
    kind = ranges.BACKGROUNDS[int(rng.integers(len(ranges.BACKGROUNDS)))]
    return Nuisance(
        background=kind,
        background_colours=(_muted(rng), _muted(rng)),
        seed=int(rng.integers(2**31)),
        **values,
    )


def _uniform(rng: np.random.Generator, span: tuple[float, float]) -> float:
    return round(float(rng.uniform(*span)), 4)


def _pick(rng: np.random.Generator, shares: dict[str, float]) -> str:
    names = list(shares)
    weights = np.array(list(shares.values()))
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]


def _muted(rng: np.random.Generator) -> Colour:
    grey = rng.uniform(50, 215)
    tint = rng.uniform(-35, 35, 3)
    r, g, b = np.clip(grey + tint, 10, 245).astype(int)
    return (int(r), int(g), int(b))
