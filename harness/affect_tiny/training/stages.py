"""A stage of training: its plan, its steps and checkpoints, and the losses of the vision heads."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from harness.affect_tiny.training import forward
from harness.affect_tiny.training.auxiliary_heads import (
    Heads,
    change_loss,
    point_loss,
    split,
    still_loss,
    unit_loss,
)
from harness.affect_tiny.training.batches import ClipFeed, FaceFeed
from harness.affect_tiny.training.packing import NO_LABEL, Packed
from harness.affect_tiny.training.process_group import ALONE, Crew

Say = Callable[[str], None]


@dataclass(slots=True)
class Learner:
    """What is trained, and what the forward pass needs besides."""

    model: Any
    heads: Heads
    picture_id: int
    teacher: Any = None
    """A model whose answers are to be kept: its probabilities count as much as the right answers."""

    def see(self, pixels: Tensor) -> Tensor:
        """Picture tokens (n, tokens, width) under bfloat16, given as float32."""
        with torch.autocast("cpu", torch.bfloat16):
            tower = self.model.model.visual
            turns = forward.vision_turns(tower, pixels.shape[1], pixels.shape[2])
            return forward.see(tower, forward.patches_of(pixels), turns).float()

    def language_loss(self, packed: Packed, tokens: Tensor) -> Tensor:
        """Cross entropy on the answers' tokens, summed over all answers."""
        wanted = packed.labels != NO_LABEL
        scores = self._scores(self.model, packed, tokens, wanted)
        right = F.cross_entropy(scores, packed.labels[wanted], reduction="sum")
        if self.teacher is None:
            return right
        with torch.no_grad():
            kept = self._scores(self.teacher, packed, tokens, wanted).softmax(-1)
        apart = F.kl_div(scores.log_softmax(-1), kept, reduction="sum")
        return 0.5 * right + 0.5 * apart

    def _scores(self, model: Any, packed: Packed, tokens: Tensor, wanted: Tensor) -> Tensor:
        """Scores (answer tokens, vocabulary) of a model at the tokens of the answers."""
        with torch.autocast("cpu", torch.bfloat16):
            x = forward.embed(model, packed.ids, tokens, self.picture_id)
            hidden = forward.read(model.model.language_model, x, packed.positions, packed.mask)
            scores: Tensor = model.lm_head(hidden[wanted])
        return scores.float()


@dataclass(frozen=True, slots=True)
class StagePlan:
    """How long and how fast one stage trains."""

    name: str
    steps: int
    warm: int = 50
    floor: float = 0.02
    """Share of the rate that is left at the end of the cosine."""
    clip: float = 2.0

    def rate(self, step: int) -> float:
        """Share of the full learning rate at a step counted from 1."""
        fall = 0.5 * (1 + math.cos(math.pi * step / self.steps))
        return min(1.0, step / self.warm) * (self.floor + (1 - self.floor) * fall)


@dataclass(frozen=True, slots=True)
class LearningGroup:
    """Modules that learn at one pace."""

    modules: tuple[Any, ...]
    rate: float
    """AdamW's, for embeddings, heads, norms and biases."""
    matrix_rate: float
    """Muon's, for the matrices inside blocks."""

    def parts(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Weights for Muon, further matrices, and vectors."""
        inner, outer, vectors = [], [], []
        for module in self.modules:
            for name, weight in module.named_parameters():
                if weight.ndim < 2:
                    vectors.append(weight)
                elif weight.ndim == 2 and INNER.search(name):
                    inner.append(weight)
                else:
                    outer.append(weight)
        return inner, outer, vectors


INNER = re.compile(r"(^|\.)(blocks|layers|merger)\.")
"""Names of weights inside the blocks of a tower or a language model."""


@dataclass(slots=True)
class Course:
    """A stage under way: steps, checkpoints, resumption."""

    plan: StagePlan
    learner: Learner
    groups: list[LearningGroup]
    folder: Path
    say: Say
    every: float = 120.0
    """Seconds between checkpoints."""
    crew: Crew = ALONE
    optimizers: tuple[Any, Any] = field(init=False)
    """Muon (Jordan et al., 2024) for matrices inside blocks, which halves the steps of so small a
    model, and AdamW for the rest."""

    def __post_init__(self) -> None:
        inner, rest = [], []
        for group in self.groups:
            matrices, outer, vectors = group.parts()
            inner.append({"params": matrices, "lr": group.matrix_rate, "base": group.matrix_rate})
            for weights, decay in ((outer, 0.02), (vectors, 0.0)):
                pace = {"lr": group.rate, "base": group.rate, "weight_decay": decay}
                rest.append({"params": weights, **pace})
        self.optimizers = (
            torch.optim.Muon(inner, weight_decay=0.05, momentum=0.95),
            torch.optim.AdamW(rest, betas=(0.9, 0.98)),
        )

    @property
    def checkpoint(self) -> Path:
        """Where the state of this stage is kept."""
        return self.folder / f"{self.plan.name}.pt"

    def run(
        self,
        losses: Callable[[int], Iterable[Tensor]],
        *,
        resume: bool,
        report: Callable[[], str] | None = None,
        report_every: int = 200,
    ) -> None:
        """Trains to the last step; `losses(step)` gives the parts to add up, one at a time."""
        done = self._restore() if resume else 0
        paces = [group for one in self.optimizers for group in one.param_groups]
        weights = [weight for group in paces for weight in group["params"]]
        saved = begun = time.monotonic()
        for step in range(done + 1, self.plan.steps + 1):
            for group in paces:
                group["lr"] = group["base"] * self.plan.rate(step)
            total = 0.0
            for loss in losses(step):
                loss.backward()
                total += float(loss.detach())
            self.crew.average(weights)
            torch.nn.utils.clip_grad_norm_(weights, self.plan.clip)
            for one in self.optimizers:
                one.step()
                one.zero_grad(set_to_none=True)
            last = step == self.plan.steps
            if self.crew.rank:
                continue
            if last or time.monotonic() - saved > self.every:
                self._save(step)
                saved = time.monotonic()
            if last or step % 25 == 0:
                pace = (time.monotonic() - begun) / (step - done)
                shown = report() if report and (last or step % report_every == 0) else ""
                self.say(
                    f"{self.plan.name} step {step}/{self.plan.steps} loss {total:.3f} "
                    f"{pace:.2f} s a step, cpu {time.process_time() / 60:.1f} min {shown}"
                )

    def _save(self, step: int) -> None:
        state = {
            "step": step,
            "model": self.learner.model.state_dict(),
            "heads": self.learner.heads.state_dict(),
            "optimizers": [one.state_dict() for one in self.optimizers],
        }
        part = self.checkpoint.with_suffix(".part")
        torch.save(state, part)
        part.replace(self.checkpoint)

    def _restore(self) -> int:
        if not self.checkpoint.exists():
            return 0
        state = torch.load(self.checkpoint, weights_only=True)
        self.learner.model.load_state_dict(state["model"])
        self.learner.heads.load_state_dict(state["heads"])
        for one, kept in zip(self.optimizers, state["optimizers"], strict=True):
            one.load_state_dict(kept)
        return int(state["step"])


def vision_losses(
    learner: Learner,
    faces: FaceFeed,
    clips: ClipFeed,
    *,
    seed: Sequence[int],
    size: int,
    clip_size: int,
) -> Callable[[int], Iterable[Tensor]]:
    """Stage one's losses: the heads on faces and on clips."""

    def losses(step: int) -> Iterable[Tensor]:
        rng = np.random.default_rng([*seed, 1, step])
        yield face_head_loss(learner, faces.draw(rng, size))[0]
        if clip_size:
            yield clip_head_loss(learner, clips.draw(rng, clip_size))[0]

    return losses


def face_head_loss(
    learner: Learner, batch: Any, *, mean: float = 0.5, keep: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Heads' loss on faces, and the picture tokens; `keep` leaves blank pictures out."""
    tokens = learner.see(batch.pixels)
    if keep is None:
        keep = torch.arange(len(tokens))
    wide, flat = learner.heads.still(tokens[keep])
    truth = (
        batch.units[keep],
        batch.affect[keep],
        {name: values[keep] for name, values in batch.classes.items()},
    )
    loss = still_loss(wide, *truth)
    found = learner.heads.points(tokens[keep].flatten(1))
    loss = loss + point_loss(found, batch.points[keep])
    if mean:
        loss = loss + mean * still_loss(flat, *truth)
    return loss, tokens


def clip_head_loss(
    learner: Learner, batch: Any, *, mean: float = 0.5, keep: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Heads' loss on clips, and the picture tokens (n * 3, tokens, width)."""
    tokens = learner.see(batch.pixels)
    if keep is None:
        keep = torch.arange(len(batch.units))
    units, frames = batch.units[keep], tokens.unflatten(0, (-1, 3))[keep]
    still = torch.zeros_like(units)
    truth = torch.stack([still, units, still], dim=1).flatten(0, 1)
    wide, flat = learner.heads.still(frames.flatten(0, 1))
    loss = 0.5 * unit_loss(wide, truth) + 0.5 * mean * unit_loss(flat, truth)
    return loss + change_loss(learner.heads, frames, units, batch.fine[keep])[0], tokens


@torch.no_grad()  # type: ignore[untyped-decorator]
def vision_report(learner: Learner, faces: FaceFeed, clips: ClipFeed, *, count: int = 512) -> str:
    """Accuracy of the heads on validation pictures."""
    batch = faces.take(np.arange(min(count, len(faces.pool))))
    scores = split(learner.heads.still(learner.see(batch.pixels))[0])
    right = {
        name: float((score.argmax(1) == batch.classes[name]).float().mean())
        for name, score in scores[2].items()
    }
    shown = clips.take(np.arange(min(count // 2, len(clips.pool))))
    tokens = learner.see(shown.pixels).unflatten(0, (-1, 3))
    guess = change_loss(learner.heads, tokens, shown.units, shown.fine)[1].argmax(1)
    right["clip"] = float((guess == shown.fine).float().mean())
    error = float((scores[0] - batch.units).abs().mean())
    return " ".join(f"{k} {v:.3f}" for k, v in right.items()) + f" units {error:.3f}"
