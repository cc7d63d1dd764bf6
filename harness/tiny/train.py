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
from harness.tiny.evaluate import evaluate
from harness.tiny.export import save_checkpoint
from harness.tiny.grammar import Grammar, mirrored
from harness.tiny.heads import Heads
from harness.tiny.packing import Packer
from harness.tiny.pool import PoolSpec, draw_pool, load_pool, refuse_test_faces
from harness.tiny.speaker import Speaker
from harness.tiny.stages import (
    Course,
    Learner,
    Plan,
    Say,
    clip_head_loss,
    face_head_loss,
    vision_losses,
    vision_report,
)
from harness.tiny.tokenizer import train_tokenizer

VALIDATION = 256
"""Validation faces, and half as many clips."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides the outcome."""

    seed: int = 1
    pool_seed: int = 5000
    faces: int = 16384
    clips: int = 4096
    see_steps: int = 700
    see_faces: int = 56
    see_clips: int = 8
    see_rate: float = 2e-3
    talk_steps: int = 1400
    talk_faces: int = 24
    talk_clips: int = 8
    talk_rate: float = 2e-3
    talk_vision_rate: float = 8e-4
    aux: float = 0.15
    """Weight of the vision heads' loss while the model learns to talk."""
    blank: float = 0.05
    """Share of pictures that are blank while the model learns to talk."""


@dataclass(slots=True)
class Trainer:
    """One training run in a work folder."""

    settings: Settings
    sizes: Sizes
    work: Path
    say: Say
    learner: Learner
    packer: Packer
    grammar: Grammar
    tokenizer: Any

    @classmethod
    def begin(cls, settings: Settings, sizes: Sizes, work: Path, say: Say) -> Trainer:
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
        return cls(settings, sizes, work, say, learner, packer, grammar, tokenizer)

    def pools(self, workers: int) -> tuple[FaceFeed, ClipFeed, FaceFeed, ClipFeed]:
        """Training and validation pictures, drawn where missing."""
        s, side = self.settings, self.sizes.picture
        refuse_test_faces(s.pool_seed, "train")
        specs = {
            "faces": PoolSpec("face", s.faces, s.pool_seed, "train", side),
            "clips": PoolSpec("clip", s.clips, s.pool_seed, "train", side),
            "faces-validation": PoolSpec("face", VALIDATION, s.pool_seed, "validation", side),
            "clips-validation": PoolSpec("clip", VALIDATION // 2, s.pool_seed, "validation", side),
        }
        for name, spec in specs.items():
            draw_pool(spec, self.work / name, workers=workers, progress=self.say)
        faces, clips, more_faces, more_clips = (load_pool(self.work / name) for name in specs)
        return FaceFeed(faces), ClipFeed(clips), FaceFeed(more_faces), ClipFeed(more_clips)

    def learn_to_see(self, feeds: Sequence[Any], *, resume: bool) -> None:
        """Stage one."""
        s, visual = self.settings, self.learner.model.model.visual
        course = Course(
            Plan("see", s.see_steps),
            self.learner,
            [([visual, self.learner.heads], s.see_rate)],
            self.work,
            self.say,
        )
        faces, clips, held_faces, held_clips = feeds
        some = faces.take(np.arange(0, len(faces.pool), max(1, len(faces.pool) // 400)))
        whiten_patches(self.learner.model, forward.patches_of(some.pixels).flatten(0, 1))
        course.run(
            vision_losses(
                self.learner, faces, clips, seed=s.seed, size=s.see_faces, clip_size=s.see_clips
            ),
            resume=resume,
            report=lambda: vision_report(self.learner, held_faces, held_clips),
        )

    def learn_to_talk(self, feeds: Sequence[Any], *, resume: bool) -> None:
        """Stage two."""
        s, model = self.settings, self.learner.model
        course = Course(
            Plan("talk", s.talk_steps),
            self.learner,
            [
                ([model.model.language_model, model.lm_head], s.talk_rate),
                ([model.model.visual, self.learner.heads], s.talk_vision_rate),
            ],
            self.work,
            self.say,
        )
        report = self.report(feeds[2], feeds[3])
        course.run(self.talk_losses(feeds), resume=resume, report=report, report_every=400)

    def report(self, faces: FaceFeed, clips: ClipFeed) -> Callable[[], str]:
        """A short check by transformers' own generate() on validation pictures."""

        def check() -> str:
            pictures = Speaker.pictures_for(self.sizes)
            speaker = Speaker(self.learner.model.eval(), self.tokenizer, pictures)
            shown = evaluate(speaker, self.grammar, faces.pool, clips.pool, count=64)
            self.learner.model.train()
            return " ".join(f"{name} {value:.3f}" for name, value in shown.items())

        return check

    def talk_losses(self, feeds: Sequence[Any]) -> Callable[[int], Iterable[Tensor]]:
        """Losses of a step of stage two: faces, then clips."""
        faces, clips = feeds[0], feeds[1]
        s = self.settings

        def losses(step: int) -> Iterable[Tensor]:
            rng = np.random.default_rng([s.seed, 2, step])
            words = Random(f"{s.seed}/{step}")  # noqa: S311
            share = s.talk_clips / (s.talk_faces + s.talk_clips)
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
                rows = [
                    make(words, truth, self._count, blank=i in blanks)
                    for i, truth in enumerate(truths)
                ]
                keep = torch.tensor([i for i in range(size) if i not in blanks], dtype=torch.long)
                aux, tokens = see(self.learner, batch, mean=0.0, keep=keep)
                weight = share if per == 3 else 1 - share
                talk = self.learner.language_loss(self.packer.pack(rows), tokens)
                yield weight * (talk + s.aux * aux)

        return losses

    def _count(self, text: str) -> int:
        return len(self.packer.encode(text))

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


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m harness.tiny.train", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="pictures and checkpoints")
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished checkpoint")
    parser.add_argument(
        "--threads", type=int, default=1, help="more than 1 only on an idle machine"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that draw pictures")
    parser.add_argument("--resume", action="store_true", help="go on where the last run stopped")
    parser.add_argument("--see-from", type=Path, help="start the vision tower from a see.pt")
    for name, kind in Settings.__annotations__.items():
        default = getattr(Settings(), name)
        parser.add_argument(
            "--" + name.replace("_", "-"), type={"int": int, "float": float}[kind], default=default
        )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Trains and saves; the exit status is 2 where something must be mended first."""
    given = arguments(argv)
    settings = Settings(**{name: getattr(given, name) for name in Settings.__annotations__})
    torch.set_num_threads(given.threads)
    torch.manual_seed(settings.seed)
    given.work.mkdir(parents=True, exist_ok=True)

    def say(text: str) -> None:
        print(text, flush=True)

    try:
        refuse_test_faces(settings.pool_seed, "train")
        trainer = Trainer.begin(settings, Sizes(), given.work, say)
        feeds = trainer.pools(given.workers)
    except HarnessError as error:
        print(error, file=sys.stderr)
        return 2
    if given.see_from is not None:
        load_vision(trainer.learner, given.see_from)
    if settings.see_steps:
        trainer.learn_to_see(feeds, resume=given.resume)
    trainer.learn_to_talk(feeds, resume=given.resume)
    size = save_checkpoint(trainer.learner.model, trainer.tokenizer, trainer.sizes, given.out)
    say(f"saved {size} bytes in {given.out}")
    return 0


def load_vision(learner: Learner, file: Path) -> None:
    """Vision tower and heads from a checkpoint of stage one."""
    state = torch.load(file, weights_only=True)
    prefix = "model.visual."
    tower = {k.removeprefix(prefix): v for k, v in state["model"].items() if k.startswith(prefix)}
    learner.model.model.visual.load_state_dict(tower)
    learner.heads.load_state_dict(state["heads"])


if __name__ == "__main__":
    raise SystemExit(main())
