"""Trains affect-tiny from nothing on drawn faces.

    python -m harness.tiny.train --work DIR --out DIR [--threads N] [--resume]

The pictures are drawn once into the work folder; then the vision tower learns what the renderer
knows, then the whole model learns the instruction grammar. Each part goes on where it stopped
with `--resume`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.core.errors import HarnessError
from harness.prompting import Library, shipped_folder
from harness.tiny import forward
from harness.tiny.architecture import CHAT_TEMPLATE, Sizes, build_model, whiten_patches
from harness.tiny.batches import ClipFeed, FaceFeed
from harness.tiny.corpus import corpus
from harness.tiny.crew import ALONE, Crew
from harness.tiny.evaluate import evaluate
from harness.tiny.exchange import Row
from harness.tiny.export import save_checkpoint
from harness.tiny.grammar import Grammar, mirrored
from harness.tiny.heads import Heads
from harness.tiny.packing import Packer
from harness.tiny.pool import draw_pool, load_pool, refuse_test_faces
from harness.tiny.settings import Settings, arguments, pool_specs
from harness.tiny.speaker import Speaker
from harness.tiny.stages import (
    Course,
    Group,
    Learner,
    Plan,
    clip_head_loss,
    face_head_loss,
    vision_losses,
    vision_report,
)
from harness.tiny.tokenizer import train_tokenizer


def tell(text: str) -> None:
    """Progress, a line at a time."""
    print(text, flush=True)


@dataclass(slots=True)
class Trainer:
    """One training run in a work folder."""

    settings: Settings
    sizes: Sizes
    work: Path
    learner: Learner
    packer: Packer
    grammar: Grammar
    tokenizer: Any
    crew: Crew = ALONE

    @classmethod
    def begin(cls, settings: Settings, sizes: Sizes, work: Path) -> Trainer:
        """Untrained model, tokenizer and grammar."""
        grammar = Grammar.of(Library([shipped_folder()]))
        texts = corpus(grammar, seed=settings.seed)
        tokenizer = train_tokenizer(texts, size=sizes.vocabulary, chat_template=CHAT_TEMPLATE)
        model = build_model(sizes, tokenizer, seed=settings.seed)
        heads = Heads(width=sizes.width, tokens=sizes.tokens)
        learner = Learner(
            model=model,
            heads=heads,
            turns=forward.vision_turns(model.model.visual, sizes.picture),
            picture_id=tokenizer.convert_tokens_to_ids("<|image_pad|>"),
        )
        packer = Packer(tokenizer, sizes.tokens)
        return cls(settings, sizes, work, learner, packer, grammar, tokenizer)

    @staticmethod
    def draw(settings: Settings, sizes: Sizes, work: Path, *, workers: int) -> None:
        """Draws whatever pictures are missing."""
        for name, spec in pool_specs(settings, sizes).items():
            draw_pool(spec, work / name, workers=workers, progress=tell)

    def feeds(self) -> tuple[FaceFeed, ClipFeed, FaceFeed, ClipFeed]:
        """Training and validation pictures."""
        names = pool_specs(self.settings, self.sizes)
        faces, clips, more_faces, more_clips = (load_pool(self.work / name) for name in names)
        return FaceFeed(faces), ClipFeed(clips), FaceFeed(more_faces), ClipFeed(more_clips)

    def learn_to_see(self, feeds: Sequence[Any], *, resume: bool) -> None:
        """Stage one."""
        s, visual = self.settings, self.learner.model.model.visual
        course = Course(
            Plan("see", s.see_steps),
            self.learner,
            [Group((visual, self.learner.heads), s.see_rate, s.matrix_rate)],
            self.work,
            tell,
            crew=self.crew,
        )
        faces, clips, held_faces, held_clips = feeds
        some = faces.take(np.arange(0, len(faces.pool), max(1, len(faces.pool) // 400)))
        whiten_patches(self.learner.model, forward.patches_of(some.pixels).flatten(0, 1))
        course.run(
            vision_losses(
                self.learner,
                faces,
                clips,
                seed=(s.seed, self.crew.rank),
                size=s.see_faces,
                clip_size=s.see_clips,
            ),
            resume=resume,
            report=lambda: vision_report(self.learner, held_faces, held_clips),
        )

    def learn_to_talk(self, feeds: Sequence[Any], *, resume: bool) -> None:
        """Stage two."""
        s, model = self.settings, self.learner.model
        visual = model.model.visual
        course = Course(
            Plan("talk", s.talk_steps),
            self.learner,
            [
                Group((model.model.language_model, model.lm_head), s.talk_rate, s.matrix_rate),
                Group(
                    (visual, self.learner.heads),
                    s.talk_vision * s.see_rate,
                    s.talk_vision * s.matrix_rate,
                ),
            ],
            self.work,
            tell,
            crew=self.crew,
        )
        report = self.report(feeds[2], feeds[3])
        course.run(self.talk_losses(feeds), resume=resume, report=report, report_every=300)

    def report(self, faces: FaceFeed, clips: ClipFeed) -> Callable[[], str]:
        """A short check by transformers' own generate() on validation pictures."""

        def check() -> str:
            pictures = Speaker.pictures_for(self.sizes)
            speaker = Speaker(self.learner.model.eval(), self.tokenizer, pictures)
            shown = evaluate(speaker, self.grammar, faces.pool, clips.pool, count=40)
            self.learner.model.train()
            return " ".join(f"{name} {value:.3f}" for name, value in shown.items())

        return check

    def talk_losses(self, feeds: Sequence[Any]) -> Callable[[int], Iterable[Tensor]]:
        """Losses of a step of stage two: faces, then clips."""
        faces, clips = feeds[0], feeds[1]
        s = self.settings

        def losses(step: int) -> Iterable[Tensor]:
            rng = np.random.default_rng([s.seed, self.crew.rank, 2, step])
            words = Random(f"{s.seed}/{self.crew.rank}/{step}")  # noqa: S311
            share = s.talk_clips / (s.talk_rows + s.talk_clips)
            for feed, size, make, see, per in (
                (faces, s.talk_faces, self.grammar.face_row, face_head_loss, 1),
                (clips, s.talk_clips, self.grammar.clip_row, clip_head_loss, 3),
            ):
                if not size:
                    continue
                batch = feed.draw(rng, size)
                truths = [feed.pool.truths[i] for i in batch.index]
                truths = [mirrored(t) for t in truths] if batch.mirrored else truths
                blanks = self._blank(rng, batch.pixels, size, per)
                talked = s.talk_rows if per == 1 else size
                rows = [
                    make(words, truth, self.packer.size, blank=i in blanks)
                    for i, truth in enumerate(truths[:talked])
                ]
                keep = torch.tensor([i for i in range(size) if i not in blanks], dtype=torch.long)
                aux, tokens = see(self.learner, batch, mean=0.0, keep=keep)
                weight = share if per == 3 else 1 - share
                talk = self._talk_loss(rows, tokens.unflatten(0, (-1, per)))
                yield weight * (talk + s.aux * aux)

        return losses

    def _talk_loss(self, rows: Sequence[Row], tokens: Tensor) -> Tensor:
        """Mean loss of an answer.

        Args:
            tokens: (at least as many as rows, pictures, tokens, width).
        """
        total, answers = torch.zeros(()), 0
        for some, packed in self.packer.batches(rows):
            total = total + self.learner.language_loss(packed, tokens[some].flatten(0, 1))
            answers += packed.answers
        return total / answers

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


def main(argv: Sequence[str] | None = None) -> int:
    """Trains and saves; the exit status is 2 where something must be mended first."""
    given = arguments(argv)
    settings = Settings(**{name: getattr(given, name) for name in Settings.__annotations__})
    given.work.mkdir(parents=True, exist_ok=True)
    try:
        refuse_test_faces(settings.pool_seed, "train")
        Trainer.draw(settings, Sizes(), given.work, workers=given.workers)
    except HarnessError as error:
        print(error, file=sys.stderr)
        return 2
    if given.processes == 1:
        train_in(0, given, settings)
        return 0
    meeting(given.work).unlink(missing_ok=True)
    torch.multiprocessing.spawn(train_in, (given, settings), nprocs=given.processes)
    return 0


def meeting(work: Path) -> Path:
    """The file at which the processes of a crew find each other."""
    return work / "meeting"


def train_in(rank: int, given: argparse.Namespace, settings: Settings) -> None:
    """One process of the crew: trains; the first one saves the result."""
    torch.set_num_threads(given.threads)
    torch.manual_seed(settings.seed)
    trainer = Trainer.begin(settings, Sizes(), given.work)
    trainer.crew = Crew.join(rank, given.processes, meeting(given.work))
    feeds = trainer.feeds()
    if given.see_from is not None:
        load_vision(trainer.learner, given.see_from)
    if settings.see_steps:
        trainer.learn_to_see(feeds, resume=given.resume)
    trainer.learn_to_talk(feeds, resume=given.resume)
    if rank == 0:
        model = trainer.learner.model
        size = save_checkpoint(model, trainer.tokenizer, trainer.sizes, given.out)
        tell(f"saved {size} bytes in {given.out}")
    trainer.crew.leave()


def load_vision(learner: Learner, file: Path) -> None:
    """Vision tower and heads from a checkpoint of stage one."""
    state = torch.load(file, weights_only=True)
    prefix = "model.visual."
    tower = {k.removeprefix(prefix): v for k, v in state["model"].items() if k.startswith(prefix)}
    learner.model.model.visual.load_state_dict(tower)
    learner.heads.load_state_dict(state["heads"])


if __name__ == "__main__":
    raise SystemExit(main())
