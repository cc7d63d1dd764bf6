"""Losses of a step that trains the whole model, after the vision tower is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.affect_tiny.training.architecture import BLOCK
from harness.affect_tiny.training.batches import ClipBatch, FaceFeed, Feeds
from harness.affect_tiny.training.choosing import Choices
from harness.affect_tiny.training.exchange import ExchangeRow
from harness.affect_tiny.training.grammar import Grammar, mirrored
from harness.affect_tiny.training.packing import Packer
from harness.affect_tiny.training.settings import TrainingSettings
from harness.affect_tiny.training.stages import Learner, clip_head_loss, face_head_loss

Losses = Callable[[int], Iterable[Tensor]]
Make = Callable[..., ExchangeRow]


@dataclass(frozen=True, slots=True)
class Lessons:
    """The losses of a step, for one process of the crew."""

    settings: TrainingSettings
    learner: Learner
    packer: Packer
    grammar: Grammar
    rank: int = 0

    def choices(self, faces: FaceFeed) -> Losses:
        """Choices only, about picture tokens as the tower gives them."""
        s = self.settings

        def losses(step: int) -> Iterable[Tensor]:
            rng = np.random.default_rng([s.seed, self.rank, 3, step])
            words = Random(f"{s.seed}/{self.rank}/3/{step}")  # noqa: S311
            batch, truths, blanks = self._drawn(rng, faces, s.choose_faces, 1)
            make = Choices.growing(self.grammar, step / s.choose_steps).row
            rows = [make(words, t, blank=i in blanks) for i, t in enumerate(truths)]
            yield self._talk_loss(rows, self.look(batch.pixels).unflatten(0, (-1, 1)))

        return losses

    def look(self, pixels: Tensor) -> Tensor:
        """Picture tokens from a tower that rests."""
        with torch.no_grad():
            return self.learner.see(pixels)

    def everything(
        self, feeds: Feeds, *, choices: int, sheets: int, part: int, still: bool = False
    ) -> Losses:
        """Faces, clips, windows of long videos and contact sheets.

        Args:
            choices: faces among those talked about that are asked for choices.
            sheets: contact sheets in a step.
            part: a number that no other stage has, for its random draws.
            still: whether the tower rests; its heads are taught nothing then.
        """
        s = self.settings
        face_row = partial(self.grammar.face_row, count=self.packer.size)
        face = [face_row] * (s.talk_rows - choices) + [Choices(self.grammar).row] * choices
        clip = [partial(self.grammar.clip_row, count=self.packer.size)] * s.talk_clips
        window = [self.grammar.window_row] * s.talk_windows
        high, wide = feeds.sheets.pool.pixels.shape[2:4]
        grid = high // BLOCK, wide // BLOCK
        sheet = [partial(self.grammar.sheet_row, count=self.packer.size, grid=grid)] * sheets
        plan: tuple[tuple[Any, int, Sequence[Make], Any, int], ...] = (
            (feeds.faces, s.talk_faces, face, face_head_loss, 1),
            (feeds.clips, s.talk_clips, clip, clip_head_loss, 3),
            (feeds.windows, s.talk_windows, window, None, 3),
            (feeds.sheets, sheets, sheet, None, 1),
        )
        total = len(face) + len(clip) + len(window) + len(sheet)

        def losses(step: int) -> Iterable[Tensor]:
            rng = np.random.default_rng([s.seed, self.rank, part, step])
            words = Random(f"{s.seed}/{self.rank}/{part}/{step}")  # noqa: S311
            for feed, size, makes, teach, per in plan:
                if not size:
                    continue
                batch, truths, blanks = self._drawn(rng, feed, size, per)
                if still:
                    aux, tokens = torch.zeros(()), self.look(batch.pixels)
                elif teach is None:
                    aux, tokens = torch.zeros(()), self.learner.see(batch.pixels)
                else:
                    keep = torch.tensor([i for i in range(size) if i not in blanks])
                    aux, tokens = teach(self.learner, batch, mean=0.0, keep=keep.long())
                tell = partial(_rows, words, makes, blanks=blanks)
                talk = self._told(tell, batch, truths, tokens.unflatten(0, (-1, per)))
                yield min(len(makes), size) / total * (talk + s.aux * aux)

        return losses

    def _told(
        self,
        tell: Callable[[Sequence[Any]], list[ExchangeRow]],
        batch: Any,
        truths: Sequence[Any],
        tokens: Tensor,
    ) -> Tensor:
        """The loss of what is said of a batch; of mixed clips both truths are told, in their shares."""
        talk = self._talk_loss(tell(truths), tokens)
        if not isinstance(batch, ClipBatch) or batch.share == 1:
            return talk
        other = self._talk_loss(tell([truths[i] for i in batch.partners]), tokens)
        return batch.share * talk + (1 - batch.share) * other

    def _drawn(
        self, rng: np.random.Generator, feed: Any, size: int, per: int
    ) -> tuple[Any, list[dict[str, Any]], frozenset[int]]:
        """A batch, what is true of it, and the places that were made flat."""
        batch = feed.draw(rng, size)
        truths = [feed.pool.truths[i] for i in batch.index]
        truths = [mirrored(t) for t in truths] if batch.mirrored else truths
        return batch, truths, self._blank(rng, batch.pixels, size, per)

    def _blank(
        self, rng: np.random.Generator, pixels: Tensor, size: int, per: int
    ) -> frozenset[int]:
        """Makes some pictures flat, in place; half of them mid grey. Returns their places."""
        chosen = frozenset(int(i) for i in np.flatnonzero(rng.random(size) < self.settings.blank))
        for i in sorted(chosen):
            grey = rng.random() < 0.5
            colour = torch.tensor([128] * 3) if grey else torch.from_numpy(rng.integers(0, 256, 3))
            pixels[i * per : (i + 1) * per] = colour.to(torch.uint8)
        return chosen

    def _talk_loss(self, rows: Sequence[ExchangeRow], tokens: Tensor) -> Tensor:
        """Mean loss of an answer.

        Args:
            tokens: (at least as many as rows, pictures, tokens, width).
        """
        total, answers = torch.zeros(()), 0
        for some, packed in self.packer.batches(rows):
            total = total + self.learner.language_loss(packed, tokens[some].flatten(0, 1))
            answers += packed.answers
        return total / answers


def _rows(
    words: Random, makes: Sequence[Make], truths: Sequence[Any], *, blanks: frozenset[int]
) -> list[ExchangeRow]:
    """What is said of the first pictures of a batch, one maker each."""
    told = zip(makes, truths, strict=False)
    return [make(words, t, blank=i in blanks) for i, (make, t) in enumerate(told)]
