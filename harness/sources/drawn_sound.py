"""Tones for drawn faces, whose pitch follows the emotion: to check that sound arrives, not to measure how voices are heard."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from harness.media.sound import wav_bytes

Floats = NDArray[np.float64]

RATE = 16_000
SECONDS = 1.2
BASE = (140.0, 240.0)
"""Least and greatest pitch of a voice, in Hz; each sample has its own."""


def _steps(u: Floats, to: float) -> Floats:
    return np.where(u < 0.5, 1.0, to)


CONTOURS: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "neutral": np.ones_like,
        "happiness": lambda u: 1 + 0.6 * u,
        "sadness": lambda u: 1 - 0.4 * u,
        "anger": lambda u: 1 + 0.15 * np.sin(2 * np.pi * 9 * u),
        "fear": lambda u: 1.5 + 0.3 * np.sin(2 * np.pi * 5 * u),
        "surprise": lambda u: _steps(u, 1.9),
        "disgust": lambda u: _steps(u, 0.55),
        "contempt": lambda u: 1 + 0.4 * (1 - np.abs(2 * u - 1)),
    }
)
"""Emotion -> pitch over its own base, along the sound (0 to 1)."""


@dataclass(frozen=True, slots=True)
class DrawnSound:
    """A tone that is made when it is read; the same name and emotion give the same bytes."""

    name: str
    emotion: str

    def read(self) -> bytes:
        mark = int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4], "big") / 2**32
        base = BASE[0] + (BASE[1] - BASE[0]) * mark
        u = np.arange(int(RATE * SECONDS)) / (RATE * SECONDS)
        phase = 2 * np.pi * np.cumsum(base * CONTOURS[self.emotion](u)) / RATE
        wave = sum(np.sin(k * phase) / k for k in (1, 2, 3)) * np.sin(np.pi * u) ** 0.2
        return wav_bytes((wave * 9_000).astype(np.int16), RATE)
