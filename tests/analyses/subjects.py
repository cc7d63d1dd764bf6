"""Scripted subjects whose use of tools is known, as trials of the cells that an audit compares."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Literal

from harness.analyses.rows.tools import ToolTrial, audit_row

LABELS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
HARD = 0.35
"""Share of samples at which a subject's own look guesses."""
SLIP = 0.05
"""Share of answers that are any label, whatever was seen."""

Kind = Literal["always", "never", "unsure"]


def subject(kind: Kind, *, seed: int, samples: int = 60) -> dict[str, object]:
    """The audit of one subject."""
    draw = random.Random(f"{kind} {seed}")
    truths = {f"s{n}": draw.choice(LABELS) for n in range(samples)}
    cells: dict[str, dict[str, ToolTrial]] = {
        name: {} for name in ("look", "", "echo", "swap", "unavailable")
    }
    for n, (name, truth) in enumerate(truths.items()):
        hard = draw.random() < HARD
        own = draw.choice(LABELS) if hard else truth
        donor = draw.choice([other for other, label in truths.items() if label != truth])
        shown: Mapping[str, str] = {
            "look": own,
            "": truth,
            "echo": own,
            "swap": truths[donor],
            "unavailable": own,
        }
        for cell, says in shown.items():
            follows = kind == "always" or (kind == "unsure" and hard)
            answer = says if follows else own
            if draw.random() < SLIP:
                answer = draw.choice(LABELS)
            calls = (
                ()
                if cell == "look"
                else ((1, "zoom", "{}", "ok", 1, donor if cell == "swap" else ""),)
            )
            cells[cell][f"0/{name}"] = ToolTrial(name, f"p{n // 2}", truth, answer, calls)
    look = cells.pop("look")
    return audit_row(cells, look, truths, seed=seed)


def verdict(kind: Kind, *, seed: int, samples: int = 60) -> str:
    swap = subject(kind, seed=seed, samples=samples)["swap"]
    assert isinstance(swap, dict)
    return str(swap["verdict"])
