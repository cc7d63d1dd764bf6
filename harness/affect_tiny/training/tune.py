"""Teach affect-tiny to look again with a tool, without forgetting the rest. The shipped weights were tuned so.

    python -m harness.affect_tiny.training.tune --work DIR --out DIR [--weights DIR] [--resume]

The language model is tuned on conversations with tools (`agent_grammar.py`) among all that it was taught before; the
tower rests. On what was taught before, the answers of the weights that it starts from count as much as the right ones.
The pictures are those of `train`, fewer of them, and scenes.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor

from harness.affect_tiny import weights_folder
from harness.affect_tiny.training.agent_grammar import AgentRow, AgentRows, flat
from harness.affect_tiny.training.architecture import Sizes
from harness.affect_tiny.training.auxiliary_heads import Heads
from harness.affect_tiny.training.batches import ClipFeed, FaceFeed, Feeds, ToldFeed
from harness.affect_tiny.training.dataset_cache import (
    CachedDataset,
    DatasetSpec,
    draw_pool,
    load_pool,
    refuse_test_faces,
)
from harness.affect_tiny.training.export import save_checkpoint
from harness.affect_tiny.training.grammar import DRAWS, Grammar
from harness.affect_tiny.training.inference import Speaker
from harness.affect_tiny.training.losses import Lessons, Losses
from harness.affect_tiny.training.packing import Packer
from harness.affect_tiny.training.settings import TrainingSettings, pool_specs
from harness.affect_tiny.training.stages import Course, Learner, LearningGroup, StagePlan
from harness.core.errors import HarnessError
from harness.core.folders import shipped_folder
from harness.media.decode import MID_GREY
from harness.prompting.library import Library

NEAR = (0.5, 0.92)
"""Shares of the side at which it is hard to say whether a face is small."""
PART = 5
"""Number of this stage, for its random draws."""


@dataclass(frozen=True, slots=True)
class TuningSettings:
    """Everything that decides the outcome, beside the weights that are tuned."""

    seed: int = 1
    pool_seed: int = 5000
    faces: int = 8192
    clips: int = 1536
    windows: int = 512
    sheets: int = 768
    scenes: int = 1280
    steps: int = 150
    scene_rows: int = 6
    """Scenes with tools in a step."""
    near_rows: int = 0
    """Scenes with tools whose faces are neither small nor large (`NEAR`), up to the first reply."""
    plain_rows: int = 2
    """Scenes without tools."""
    face_rows: int = 2
    """Faces that fill the picture, with tools."""
    old_faces: int = 12
    """Faces of earlier lessons; then clips, windows, choices and contact sheets among them."""
    old_clips: int = 4
    old_windows: int = 1
    old_choices: int = 2
    old_sheets: int = 2
    free_sheets: int = 0
    """More contact sheets, of which the right answers alone count: the teacher reads sheets worst of all."""
    rate: float = 1e-3
    """AdamW's, for embeddings, heads, norms and biases."""
    matrix_rate: float = 8e-3
    """Muon's, for the matrices inside blocks."""
    weight: float = 0.6
    """Of the conversations with tools; the rest is that of earlier lessons."""
    blank: float = 0.04
    """Share of pictures that are blank."""

    def earlier(self) -> TrainingSettings:
        """The settings of the earlier lessons."""
        return TrainingSettings(
            seed=self.seed,
            pool_seed=self.pool_seed,
            faces=self.faces,
            clips=self.clips,
            windows=self.windows,
            sheets=self.sheets,
            talk_faces=self.old_faces,
            talk_rows=self.old_faces,
            talk_clips=self.old_clips,
            talk_windows=self.old_windows,
            blank=self.blank,
        )


def specs(settings: TuningSettings) -> dict[str, DatasetSpec]:
    """The pools by the names of their folders."""
    scenes = DatasetSpec("scene", settings.scenes, settings.pool_seed + 2, "train", Sizes().picture)
    return {**pool_specs(settings.earlier(), Sizes()), "scenes": scenes}


@dataclass(frozen=True, slots=True)
class AgentLessons:
    """The losses of conversations with tools."""

    settings: TuningSettings
    lessons: Lessons
    """Of a learner without a teacher."""
    rows: AgentRows
    scenes: CachedDataset
    faces: FaceFeed

    def losses(self, step: int) -> Tensor:
        """The mean loss of a conversation in a step."""
        s = self.settings
        rng = np.random.default_rng([s.seed, PART, step])
        words = Random(f"{s.seed}/{PART}/{step}")  # noqa: S311
        near = [i for i, t in enumerate(self.scenes.truths) if NEAR[0] <= t["share"] < NEAR[1]]
        index = np.concatenate(
            [
                rng.integers(0, len(self.scenes), s.scene_rows + s.plain_rows),
                rng.choice(near, s.near_rows),
            ]
        ).astype(np.int64)
        pixels = torch.from_numpy(self.scenes.pixels[index])
        makes = [self.rows.scene_row] * s.scene_rows + [self.rows.plain_row] * s.plain_rows
        makes += [self.rows.near_row] * s.near_rows
        rows: list[AgentRow] = []
        for i, make in enumerate(makes):
            truth, blank = self.scenes.truths[index[i]], bool(rng.random() < s.blank)
            row = make(words, truth, blank=blank)
            rows.append(flat(row) if blank else row)
            if truth["people"] == 1 and rng.random() < 0.5:
                pixels[i] = pixels[i].flip(2)
        batch = self.faces.draw(rng, s.face_rows)
        for i in batch.index:
            blank = bool(rng.random() < s.blank)
            row = self.rows.face_row(words, self.faces.pool.truths[i], blank=blank)
            rows.append(flat(row) if blank else row)
        return self._loss(rows, pixels, batch.pixels)

    def _loss(self, rows: Sequence[AgentRow], scenes: Tensor, faces: Tensor) -> Tensor:
        grey = torch.tensor(MID_GREY, dtype=torch.uint8).expand(1, *faces.shape[1:])
        seen = self.lessons.look(torch.cat([scenes.flatten(0, 1), faces, grey]))
        many = 2 * len(scenes)
        place = [
            {"scene": 2 * i, "crop": 2 * i + 1}
            if i < len(scenes)
            else {"scene": many + i - len(scenes)}
            for i in range(len(rows))
        ]
        total, answers = torch.zeros(()), 0
        packer = self.lessons.packer
        for some, packed in packer.batches([one.row for one in rows]):
            wanted = [
                len(seen) - 1 if name == "grey" else place[i][name]
                for i in some
                for name in rows[i].pictures
            ]
            total = total + self.lessons.learner.language_loss(packed, seen[wanted])
            answers += packed.answers
        return total / answers


@dataclass(slots=True)
class Tuner:
    """One tuning in a work folder."""

    settings: TuningSettings
    work: Path
    speaker: Speaker
    learner: Learner
    packer: Packer
    grammar: Grammar

    @classmethod
    def begin(
        cls,
        settings: TuningSettings,
        weights: Path,
        teacher: Path,
        work: Path,
        *,
        draws: tuple[int, ...] = DRAWS,
    ) -> Tuner:
        """The model that is tuned, and the one whose answers are to be kept."""
        speaker = Speaker.load(weights)
        speaker.model.requires_grad_(True)
        sizes = Sizes()
        learner = Learner(
            model=speaker.model.train(),
            heads=Heads(width=sizes.width, tokens=sizes.tokens),
            picture_id=speaker.tokenizer.convert_tokens_to_ids("<|image_pad|>"),
            teacher=Speaker.load(teacher).model.requires_grad_(False),
        )
        packer = Packer(speaker.tokenizer, sizes.tokens)
        grammar = replace(Grammar.of(Library([shipped_folder()])), draws=draws)
        return cls(settings, work, speaker, learner, packer, grammar)

    def run(self, *, resume: bool) -> None:
        """Tunes to the last step."""
        s, model = self.settings, self.learner.model
        text = LearningGroup((model.model.language_model, model.lm_head), s.rate, s.matrix_rate)
        plan = StagePlan("agent", s.steps, warm=15)
        course = Course(plan, self.learner, [text], self.work, tell, every=60.0)
        course.run(self.losses(self.feeds()), resume=resume)

    def feeds(self) -> Feeds:
        """The pictures of earlier lessons; none is held out here."""
        pools = {name: load_pool(self.work / name) for name in specs(self.settings)}
        faces, clips = FaceFeed(pools["faces"]), ClipFeed(pools["clips"])
        return Feeds(
            faces,
            clips,
            faces,
            clips,
            ToldFeed(pools["windows"], mirrors=True),
            ToldFeed(pools["sheets"], mirrors=False),
        )

    def losses(self, feeds: Feeds) -> Losses:
        """Conversations with tools, and everything that was taught before."""
        s = self.settings
        old = Lessons(s.earlier(), self.learner, self.packer, self.grammar)
        free = replace(old, learner=replace(self.learner, teacher=None))
        scenes = load_pool(self.work / "scenes")
        new = AgentLessons(s, free, AgentRows(self.grammar), scenes, feeds.faces)
        before = old.everything(
            feeds, choices=s.old_choices, sheets=s.old_sheets, part=PART, still=True
        )
        alone = replace(s.earlier(), talk_faces=0, talk_rows=0, talk_clips=0, talk_windows=0)
        sheets = replace(free, settings=alone).everything(
            feeds, choices=0, sheets=s.free_sheets, part=PART + 1, still=True
        )
        rows = s.old_faces + s.old_clips + s.old_windows + s.old_sheets
        share = s.free_sheets / (s.free_sheets + rows)

        def losses(step: int) -> Iterable[Tensor]:
            yield s.weight * new.losses(step)
            for loss in before(step):
                yield (1 - s.weight) * (1 - share) * loss
            for loss in sheets(step):
                yield (1 - s.weight) * share * loss

        return losses


def tell(text: str) -> None:
    """Progress, a line at a time."""
    print(text, flush=True)


def _draws(text: str) -> tuple[int, ...]:
    """`18,9,14,2,3`."""
    found = tuple(map(int, text.split(",")))
    if len(found) != len(DRAWS):
        raise argparse.ArgumentTypeError(f"{text} is not {len(DRAWS)} whole numbers")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Tunes and saves; the exit status is 2 where something must be fixed first."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.affect_tiny.training.tune",
        description="Teaches affect-tiny to call tools.",
    )
    parser.add_argument("--work", type=Path, required=True, help="pictures and checkpoints")
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished checkpoint")
    parser.add_argument("--weights", type=Path, default=weights_folder(), help="what is tuned")
    parser.add_argument("--teacher", type=Path, help="whose answers to keep; default: --weights")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw pictures")
    parser.add_argument(
        "--draws", type=_draws, default=DRAWS, metavar="E,Q,C,A,U",
        help="how often rows about faces begin with a prompt of emotions, questions, cue reports, affect, units; "
        "default: 18,9,14,2,3",
    )  # fmt: skip
    parser.add_argument("--resume", action="store_true", help="go on where the last run stopped")
    for name, kind in TuningSettings.__annotations__.items():
        default = getattr(TuningSettings(), name)
        parser.add_argument(
            "--" + name.replace("_", "-"), type={"int": int, "float": float}[kind], default=default
        )
    given = parser.parse_args(argv)
    names = TuningSettings.__annotations__
    settings = TuningSettings(**{name: getattr(given, name) for name in names})
    given.work.mkdir(parents=True, exist_ok=True)
    try:
        refuse_test_faces(settings.pool_seed, "train")
        for name, spec in specs(settings).items():
            draw_pool(spec, given.work / name, workers=given.workers, progress=tell)
    except HarnessError as error:
        print(error, file=sys.stderr)
        return 2
    torch.set_num_threads(1)
    torch.manual_seed(settings.seed)
    tuner = Tuner.begin(
        settings, given.weights, given.teacher or given.weights, given.work, draws=given.draws
    )
    tuner.run(resume=given.resume)
    size = save_checkpoint(tuner.learner.model, tuner.speaker.tokenizer, Sizes(), given.out)
    for file in given.weights.iterdir():  # all but the weights stays as it was
        if file.suffix != ".safetensors":
            shutil.copyfile(file, given.out / file.name)
    tell(f"saved {size} bytes in {given.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
