"""Auxiliary heads that train the vision tower on what the renderer knows; dropped after training.

By far the greatest help to so small a model: without them the language loss alone leaves the
tower blind for most of the training.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from harness.affect_tiny.training.landmarks import COUNT
from harness.affect_tiny.training.targets import CLASSES, UNITS
from harness.faces import MICRO_7

_SIDES = 2 * len(UNITS)
_AFFECT = 2
_OUT = _SIDES + _AFFECT + sum(len(v) for v in CLASSES.values())
WEIGHTS = {"emotion": 2.0, "teeth_visible": 1.0, "beard": 0.2, "age_group": 0.2, "glasses": 0.3}
WEIGHTS |= {"head_pose": 0.4, "gaze": 0.4}
"""Weight of a class loss where it is not 0.6."""
POINTS = 6.0
"""Weight of the mean landmark loss."""


class Heads(nn.Module):  # type: ignore[misc]
    """Linear maps from picture tokens to the renderer's numbers.

    `wide` sees all tokens side by side and learns fast; `mean` sees only their mean, which puts
    what is learnt into every token; `change` sees apex tokens minus onset tokens.
    """

    def __init__(self, *, width: int, tokens: int) -> None:
        super().__init__()
        self.wide = nn.Linear(width * tokens, _OUT)
        self.mean = nn.Linear(width, _OUT)
        self.points = nn.Linear(width * tokens, 2 * COUNT)
        self.change = nn.Linear(width * tokens, _SIDES + len(MICRO_7))
        for layer in (self.wide, self.points, self.change):
            # Small: a head that starts loud spends the first steps on growing quiet.
            nn.init.normal_(layer.weight, 0.0, 0.1 * layer.in_features**-0.5)

    def still(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs of the wide and the mean head for tokens (n, tokens, width)."""
        return self.wide(tokens.flatten(1)), self.mean(tokens.mean(1))


def split(out: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Unit intensities (n, units, 2), affect (n, 2) and class scores of one head's output."""
    units, affect, rest = out.split((_SIDES, _AFFECT, out.shape[1] - _SIDES - _AFFECT), dim=1)
    parts = rest.split([len(v) for v in CLASSES.values()], dim=1)
    return units.unflatten(1, (-1, 2)), affect, dict(zip(CLASSES, parts, strict=True))


def still_loss(out: Tensor, units: Tensor, affect: Tensor, classes: dict[str, Tensor]) -> Tensor:
    """Loss of one head on pictures of faces."""
    guessed, felt, scores = split(out)
    error = F.smooth_l1_loss(guessed, units, beta=0.15, reduction="none")
    loss = 2.0 * error.sum((1, 2)).mean()
    loss = loss + 2.0 * F.smooth_l1_loss(felt, affect, beta=0.2, reduction="none").sum(1).mean()
    for name, score in scores.items():
        loss = loss + WEIGHTS.get(name, 0.6) * F.cross_entropy(score, classes[name])
    return loss


def point_loss(out: Tensor, points: Tensor) -> Tensor:
    """Loss of the landmarks, (n, points, 2)."""
    error = F.smooth_l1_loss(out.unflatten(1, (-1, 2)), points, beta=0.3)
    return POINTS * error


def unit_loss(out: Tensor, units: Tensor) -> Tensor:
    """Loss of one head where only the units are known (frames of clips)."""
    guessed = split(out)[0]
    error = F.smooth_l1_loss(guessed, units, beta=0.1, reduction="none")
    return 2.0 * error.sum((1, 2)).mean()


def change_loss(heads: Heads, tokens: Tensor, units: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
    """Loss on clips from apex minus onset, and the class scores.

    Args:
        tokens: (n, 3, tokens, width): onset, apex, offset.
        units: (n, units, 2) at the apex.
        fine: (n,) class.
    """
    moved = (tokens[:, 1] - tokens[:, 0]).flatten(1)
    out = heads.change(moved)
    guessed, scores = out.split((_SIDES, len(MICRO_7)), dim=1)
    error = F.smooth_l1_loss(guessed.unflatten(1, (-1, 2)), units, beta=0.1, reduction="none")
    loss = 2.0 * error.sum((1, 2)).mean() + 2.0 * F.cross_entropy(scores, fine)
    return loss, torch.as_tensor(scores)
