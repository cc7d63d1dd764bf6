"""Contact sheets for the trainer: as a run shows them, as the processor sees them, worded as a run does."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from PIL import Image

from harness.affect_tiny.training.architecture import Sizes
from harness.affect_tiny.training.exchange import PICTURE
from harness.affect_tiny.training.wording import CANNOT_TELL
from harness.conditions.sheet import CONTACT_SHEET
from tests.affect_tiny.samples import grammar, some_truths


def test_a_sheet_row_shows_one_picture_whatever_it_says() -> None:
    truth, said = some_truths()[1][0], set()
    for number in range(120):
        row = grammar().sheet_row(Random(number), truth, len, (3, 8))
        assert row.trunk.count(PICTURE) == 1 and row.grid == (3, 8)
        branches = "".join(text for branch in row.branches for text, _ in branch)
        said.add(CONTACT_SHEET.variables["shown"] in branches)
    assert said == {True, False}


def test_of_a_blank_sheet_nothing_is_told() -> None:
    truth = some_truths()[1][0]
    for number in range(20):
        row = grammar().sheet_row(Random(number), truth, len, (3, 8), blank=True)
        told = {text for branch in row.branches for text, own in branch if own}
        assert told == {CANNOT_TELL + "<|im_end|>"}


@pytest.mark.slow
def test_a_sheet_is_what_the_picture_processor_makes_of_a_runs_own() -> None:
    from harness.affect_tiny.training.architecture import MEAN, SPREAD, build_picture_processor
    from harness.affect_tiny.training.dataset_cache import DRAWN_AT
    from harness.affect_tiny.training.sheets import sheet_of, whole_sheet
    from harness.faces import clip_at, draw, frame_at

    clip = clip_at(3, seed=9000, split="train")
    frames = [
        draw(frame_at(clip, i), size=DRAWN_AT).pixels for i in (clip.onset, clip.apex, clip.offset)
    ]
    ours = sheet_of(frames, Sizes())
    sheet = whole_sheet(frames)
    processor, as_it_is = build_picture_processor(Sizes()), build_picture_processor(Sizes())
    as_it_is.do_resize = False
    theirs = processor(images=[sheet], return_tensors="np")
    assert theirs["image_grid_thw"].tolist() == [[1, ours.shape[0] // 14, ours.shape[1] // 14]]
    again = as_it_is(images=[Image.fromarray(ours)], return_tensors="np")
    error = np.abs(theirs["pixel_values"] - again["pixel_values"]) * min(SPREAD) * 255
    assert error.max() <= 1.01, (error.max(), MEAN)
