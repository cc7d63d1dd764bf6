"""Muon for matrices inside blocks, AdamW for the rest, and rates that fall with the time used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

WARM = 20
"""Steps in which the rates rise."""


def muon_and_adam(
    matrices: Sequence[Any], rest: Sequence[dict[str, Any]], *, matrix_rate: float
) -> list[Any]:
    """The two optimizers. `rest` is groups of AdamW with their rates."""
    found = [
        torch.optim.Muon(list(matrices), lr=matrix_rate, weight_decay=0.05, momentum=0.95),
        torch.optim.AdamW(list(rest), betas=(0.9, 0.98), weight_decay=0.01),
    ]
    for one in found:
        for group in one.param_groups:
            group["base"] = group["lr"]
    return found


def set_rates(
    optimizers: Sequence[Any], share: float, *, step: int, flat: float, floor: float
) -> None:
    """Set the rates for a step: in full while the `share` of the time used is below `flat`, then falling linearly to
    `floor` times as much."""
    left = min(1.0, (1 - share) / (1 - flat))
    pace = max(floor, floor + (1 - floor) * left) * min(1.0, (step + 1) / WARM)
    for group in (group for one in optimizers for group in one.param_groups):
        group["lr"] = group["base"] * pace
