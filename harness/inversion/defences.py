"""What an endpoint may do against inversion: answer less exactly, less often, or without scores."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from harness.core.errors import HarnessError
from harness.inversion.basis import Floats

Kind = Literal["none", "round", "noise", "rate-limit", "top-k"]
FORMS = "round:STEP, noise:SD, rate-limit:N, top-k:N"
_NAMED: Mapping[str, Kind] = MappingProxyType(
    {"round": "round", "noise": "noise", "rate-limit": "rate-limit", "top-k": "top-k"}
)
_MOST_STEP = 2.0


@dataclass(frozen=True, slots=True)
class Defence:
    """One defence, or `none`."""

    name: str
    """As it was written: `round:.01`."""
    kind: Kind
    value: float = 0.0

    @property
    def limit(self) -> int | None:
        """Queries about one person after which there is no answer; None: no limit."""
        return int(self.value) if self.kind == "rate-limit" else None

    @property
    def places(self) -> int | None:
        """How many enrolled people are named in place of scores; None: scores are given."""
        return int(self.value) if self.kind == "top-k" else None

    def answers(self, *, seed: int) -> Callable[[Floats], Floats]:
        """What is told in place of scores: rounded to a multiple of the step, or with fresh normal noise in each answer."""
        if self.kind == "round":
            step = np.float32(self.value)
            return lambda scores: np.rint(scores / step) * step
        if self.kind == "noise":
            mark = int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4], "big")
            rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 2, mark])))
            return lambda scores: (
                scores
                + np.float32(self.value) * rng.standard_normal(scores.shape, dtype=np.float32)
            )
        return lambda scores: scores

    def means(self) -> str:
        """What it does, in words."""
        return {
            "none": "exact scores, without limit",
            "round": f"scores rounded to multiples of {self.value:g}",
            "noise": f"normal noise of standard deviation {self.value:g} in each answer",
            "rate-limit": f"no answer after {self.value:,.0f} queries about one person",
            "top-k": f"no scores: the {self.value:.0f} most similar enrolled people in order",
        }[self.kind]


NONE = Defence("none", "none")


def read_defence(text: str) -> Defence:
    """`round:.01`, `noise:.05`, `rate-limit:500` or `top-k:5`. Raises HarnessError for anything else."""
    named, colon, rest = text.strip().partition(":")
    kind = _NAMED.get(named)
    if kind is not None and colon:
        try:
            value = float(rest)
        except ValueError:
            value = math.nan
        whole = kind in {"rate-limit", "top-k"}
        if (whole and value >= 1 and value.is_integer()) or (not whole and 0 < value <= _MOST_STEP):
            return Defence(text.strip(), kind, value)
    raise HarnessError(
        f"{text!r} is no defence",
        hint=f"use {FORMS}, with a STEP or SD of more than 0 and at most {_MOST_STEP:g}, and a whole N of at least 1",
    )


def read_defences(texts: Sequence[str]) -> tuple[Defence, ...]:
    """Each of them, `none` first. Raises HarnessError for one that is given twice or cannot be read."""
    found = [read_defence(text) for text in texts]
    said = [(one.kind, one.value) for one in found]
    twice = next((one for one in found if said.count((one.kind, one.value)) > 1), None)
    if twice is not None:
        raise HarnessError(f"the defence {twice.name} is given twice", hint="name each once")
    return (NONE, *found)
