"""Train affect-tiny from scratch on drawn faces.

    python -m harness.affect_tiny.training.train --work DIR --out DIR [--threads N] [--resume]

The pictures are drawn once into the work folder; then the vision tower learns what the renderer
knows, the whole model learns the instruction grammar, the language model learns to choose among
options, and all of it settles together. Each part goes on where it stopped with `--resume`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.affect_tiny.training import forward
from harness.affect_tiny.training.architecture import (
    CHAT_TEMPLATE,
    Sizes,
    build_model,
    whiten_patches,
)
from harness.affect_tiny.training.auxiliary_heads import Heads
from harness.affect_tiny.training.batches import ClipFeed, FaceFeed, Feeds, ToldFeed
from harness.affect_tiny.training.corpus import corpus
from harness.affect_tiny.training.dataset_cache import draw_pool, load_pool, refuse_test_faces
from harness.affect_tiny.training.evaluate import evaluate
from harness.affect_tiny.training.export import save_checkpoint
from harness.affect_tiny.training.grammar import Grammar
from harness.affect_tiny.training.inference import Speaker
from harness.affect_tiny.training.losses import Lessons
from harness.affect_tiny.training.packing import Packer
from harness.affect_tiny.training.process_group import ALONE, Crew
from harness.affect_tiny.training.settings import TrainingSettings, arguments, pool_specs
from harness.affect_tiny.training.stages import (
    Course,
    Learner,
    LearningGroup,
    StagePlan,
    vision_losses,
    vision_report,
)
from harness.affect_tiny.training.tokenizer import train_tokenizer
from harness.core.errors import HarnessError
from harness.core.folders import shipped_folder
from harness.prompting.library import Library


def tell(text: str) -> None:
    """Progress, a line at a time."""
    print(text, flush=True)


@dataclass(slots=True)
class Trainer:
    """One training run in a work folder."""

    settings: TrainingSettings
    sizes: Sizes
    work: Path
    learner: Learner
    packer: Packer
    grammar: Grammar
    tokenizer: Any
    crew: Crew = ALONE

    @classmethod
    def begin(cls, settings: TrainingSettings, sizes: Sizes, work: Path) -> Trainer:
        """Untrained model, tokenizer and grammar."""
        grammar = Grammar.of(Library([shipped_folder()]))
        texts = corpus(grammar, seed=settings.seed)
        tokenizer = train_tokenizer(texts, size=sizes.vocabulary, chat_template=CHAT_TEMPLATE)
        model = build_model(sizes, tokenizer, seed=settings.seed)
        heads = Heads(width=sizes.width, tokens=sizes.tokens)
        learner = Learner(
            model=model,
            heads=heads,
            picture_id=tokenizer.convert_tokens_to_ids("<|image_pad|>"),
        )
        packer = Packer(tokenizer, sizes.tokens)
        return cls(settings, sizes, work, learner, packer, grammar, tokenizer)

    @staticmethod
    def draw(settings: TrainingSettings, sizes: Sizes, work: Path, *, workers: int) -> None:
        """Draws whatever pictures are missing."""
        for name, spec in pool_specs(settings, sizes).items():
            draw_pool(spec, work / name, workers=workers, progress=tell)

    def feeds(self) -> Feeds:
        """The pictures that were drawn."""
        pools = {
            name: load_pool(self.work / name) for name in pool_specs(self.settings, self.sizes)
        }
        return Feeds(
            FaceFeed(pools["faces"]),
            ClipFeed(pools["clips"], mix=self.settings.mix),
            FaceFeed(pools["faces-validation"]),
            ClipFeed(pools["clips-validation"]),
            ToldFeed(pools["windows"], mirrors=True),
            ToldFeed(pools["sheets"], mirrors=False),
        )

    @property
    def lessons(self) -> Lessons:
        """What is taught once the tower sees."""
        return Lessons(self.settings, self.learner, self.packer, self.grammar, self.crew.rank)

    def learn_to_see(self, feeds: Feeds, *, resume: bool) -> None:
        """Stage one."""
        s, visual = self.settings, self.learner.model.model.visual
        course = Course(
            StagePlan("see", s.see_steps),
            self.learner,
            [LearningGroup((visual, self.learner.heads), s.see_rate, s.matrix_rate)],
            self.work,
            tell,
            crew=self.crew,
        )
        faces = feeds.faces
        some = faces.take(np.arange(0, len(faces.pool), max(1, len(faces.pool) // 400)))
        whiten_patches(self.learner.model, forward.patches_of(some.pixels).flatten(0, 1))
        course.run(
            vision_losses(
                self.learner,
                faces,
                feeds.clips,
                seed=(s.seed, self.crew.rank),
                size=s.see_faces,
                clip_size=s.see_clips,
            ),
            resume=resume,
            report=lambda: vision_report(self.learner, feeds.held_faces, feeds.held_clips),
        )

    def learn_to_talk(self, feeds: Feeds, *, resume: bool) -> None:
        """Stage two: everything."""
        plan = StagePlan("talk", self.settings.talk_steps, floor=0.25)
        self._talk(plan, feeds, part=2, pace=1.0, resume=resume)

    def learn_to_choose(self, feeds: Feeds, *, resume: bool) -> None:
        """Stage three: choices alone; the tower rests."""
        s, model = self.settings, self.learner.model
        course = Course(
            StagePlan("choose", s.choose_steps, warm=20, floor=0.25),
            self.learner,
            [
                LearningGroup(
                    (model.model.language_model, model.lm_head), s.talk_rate, s.matrix_rate
                )
            ],
            self.work,
            tell,
            crew=self.crew,
        )
        course.run(self.lessons.choices(feeds.faces), resume=resume)

    def settle(self, feeds: Feeds, *, resume: bool) -> None:
        """Stage four: everything again, choices among it."""
        s, plan = self.settings, StagePlan("settle", self.settings.settle_steps)
        more = {"choices": s.settle_choices, "sheets": s.settle_sheets}
        self._talk(plan, feeds, part=4, pace=s.settle, resume=resume, **more)

    def _talk(
        self,
        plan: StagePlan,
        feeds: Feeds,
        *,
        part: int,
        pace: float,
        resume: bool,
        choices: int = 0,
        sheets: int = 0,
    ) -> None:
        s, model = self.settings, self.learner.model
        text = (model.model.language_model, model.lm_head)
        tower = (model.model.visual, self.learner.heads)
        look = pace * s.talk_vision
        course = Course(
            plan,
            self.learner,
            [
                LearningGroup(text, pace * s.talk_rate, pace * s.matrix_rate),
                LearningGroup(tower, look * s.see_rate, look * s.matrix_rate),
            ],
            self.work,
            tell,
            crew=self.crew,
        )
        losses = self.lessons.everything(feeds, choices=choices, sheets=sheets, part=part)
        course.run(
            losses,
            resume=resume,
            report=self.report(feeds.held_faces, feeds.held_clips),
            report_every=300,
        )

    def report(self, faces: FaceFeed, clips: ClipFeed) -> Callable[[], str]:
        """A short check by transformers' own generate() on validation pictures."""

        def check() -> str:
            pictures = Speaker.pictures_for(self.sizes)
            speaker = Speaker(self.learner.model.eval(), self.tokenizer, pictures)
            shown = evaluate(speaker, self.grammar, faces.pool, clips.pool, count=40)
            self.learner.model.train()
            return " ".join(f"{name} {value:.3f}" for name, value in shown.items())

        return check


def main(argv: Sequence[str] | None = None) -> int:
    """Trains and saves; the exit status is 2 where something must be fixed first."""
    given = arguments(argv)
    settings = TrainingSettings(
        **{name: getattr(given, name) for name in TrainingSettings.__annotations__}
    )
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


def train_in(rank: int, given: argparse.Namespace, settings: TrainingSettings) -> None:
    """One process of the crew: trains; the first one saves the result."""
    torch.set_num_threads(given.threads)
    torch.manual_seed(settings.seed)
    trainer = Trainer.begin(settings, Sizes(), given.work)
    trainer.crew = Crew.join(rank, given.processes, meeting(given.work))
    feeds = trainer.feeds()
    if given.see_from is not None:
        load_vision(trainer.learner, given.see_from)
    for steps, learn in (
        (settings.see_steps, trainer.learn_to_see),
        (settings.talk_steps, trainer.learn_to_talk),
        (settings.choose_steps, trainer.learn_to_choose),
        (settings.settle_steps, trainer.settle),
    ):
        if steps:
            learn(feeds, resume=given.resume)
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
