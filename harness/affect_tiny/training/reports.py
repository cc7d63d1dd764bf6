"""JSON reports of a face, with the weight of each cue in a judgement."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.faces.prototypes import PROTOTYPES

CUE_UNITS: dict[str, tuple[int, ...]] = {
    "eyebrows": (1, 2, 4),
    "eyes": (5, 7, 43),
    "forehead": (),
    "nose": (9,),
    "cheeks": (6,),
    "mouth": (10, 12, 14, 15, 17, 20, 23, 24, 25, 26, 27),
    "teeth_visible": (),
}
"""The action units that show in each cue. Forehead lines follow from the brows and teeth are drawn
independently of the emotion, so neither carries any."""


def _reliance(emotion: str) -> dict[str, float]:
    """Share of the core units of the emotion's prototypes that each cue carries, in steps of 0.1."""
    total = dict.fromkeys(CUE_UNITS, 0.0)
    for variant in PROTOTYPES[emotion]:
        for number in variant.core:
            cue = next(name for name, units in CUE_UNITS.items() if number in units)
            total[cue] += variant.weight
    whole = sum(total.values()) or 1.0
    return {name: round(share / whole, 1) for name, share in total.items()}


RELIANCE: dict[str, dict[str, float]] = {emotion: _reliance(emotion) for emotion in PROTOTYPES}
"""Emotion -> cue -> what a judgement of that emotion rests on, 0 to 1: the table that is taught."""


def number_text(value: float, low: float, high: float, decimals: int) -> str:
    """A number in [-1, 1] on another scale, in plain spelling."""
    placed = low + (value + 1) / 2 * (high - low)
    if decimals < 0:
        return str(round(placed / 10) * 10)
    if decimals == 0:
        return str(round(placed))
    return f"{placed + 0.0:.{decimals}f}".replace("-0.0", "0.0")


def value_of(
    truth: Mapping[str, Any],
    name: str,
    *,
    label: str | None = None,
    words: Mapping[str, Sequence[str]] | None = None,
    tens: bool = False,
) -> Any:
    """The value of one key of a report."""
    if name.startswith("reliance_"):
        share = RELIANCE[truth["emotion"]][name.removeprefix("reliance_")]
        return round(10 * share) if tens else share
    if name in ("valence", "arousal"):
        if words is not None:
            return words[name][round(2 * truth[name]) + 2]
        return float(number_text(truth[name], -1.0, 1.0, 1))
    return label if label is not None and name == "emotion" else truth[name]


def report(
    truth: Mapping[str, Any],
    keys: Sequence[str],
    *,
    label: str | None = None,
    words: Mapping[str, Sequence[str]] | None = None,
    tens: bool = False,
) -> str:
    """One JSON object with these keys in this order.

    Args:
        label: how the emotion is spelt, if not as the annotation does.
        words: valence and arousal in these five words each, from low to high.
        tens: reliance from 0 to 10 instead of 0 to 1.
    """
    return json.dumps({k: value_of(truth, k, label=label, words=words, tens=tens) for k in keys})
