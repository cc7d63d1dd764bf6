"""The shipped checkpoint: small, loads with stock classes, reads drawn test subjects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.affect_tiny import weights_folder
from tests.affect_tiny.samples import grammar

FILES = {
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "preprocessor_config.json",
    "video_preprocessor_config.json",
}


def test_the_checkpoint_is_whole_and_small() -> None:
    files = {file.name: file.stat().st_size for file in weights_folder().iterdir()}
    assert set(files) >= FILES
    assert sum(files.values()) <= 15_000_000


def test_importing_the_room_is_light() -> None:
    import subprocess
    import sys

    code = "import sys, harness.affect_tiny; print('torch' in sys.modules or 'transformers' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert told.stdout.strip() == "False"


@pytest.fixture(scope="module")
def speaker():
    """The shipped model."""
    from harness.affect_tiny.training.inference import Speaker

    return Speaker.load(weights_folder())


@pytest.mark.slow
def test_seven_emotions_of_subjects_never_trained_on(speaker) -> None:
    from PIL import Image

    from harness.affect_tiny.training.evaluate import replies, test_pools
    from harness.affect_tiny.training.scores import uar

    faces, _ = test_pools(faces=70, clips=1, seed=3)
    pictures = [[Image.fromarray(frames[0])] for frames in faces.pixels]
    asked = [grammar().shipped.emotion_usual(truth, "plain") for truth in faces.truths]
    said = replies(speaker, list(zip(asked, pictures, strict=True)))
    assert uar([truth["emotion"] for truth in faces.truths], said) >= 0.88


@pytest.mark.slow
def test_wordings_never_trained_on_are_understood(speaker) -> None:
    from PIL import Image

    from harness.affect_tiny.training.evaluate import exam_answers, test_pools
    from harness.affect_tiny.training.held_out_eval import EXAM
    from harness.affect_tiny.training.labels import BASIC
    from harness.affect_tiny.training.scores import uar

    faces, _ = test_pools(faces=28, clips=1, seed=3)
    pictures = [[Image.fromarray(frames[0])] for frames in faces.pixels]
    emotions = [truth["emotion"] for truth in faces.truths]
    marked = [
        wording for wording in EXAM if wording.says != BASIC
    ]  # a letter, a number, adjectives
    worded = [*EXAM[::9], *marked]
    told = exam_answers(speaker, worded, faces.truths, pictures)
    assert min(uar(emotions, said) for said in told) >= 0.6


@pytest.mark.slow
def test_a_contact_sheet_is_read_better_than_without_looking(speaker) -> None:
    from random import Random

    from harness.affect_tiny.training.evaluate import replies, test_pools
    from harness.affect_tiny.training.scores import uf1
    from harness.affect_tiny.training.sheets import whole_sheet

    _, clips = test_pools(faces=1, clips=56, seed=3)
    sheets = [[whole_sheet(frames)] for frames in clips.pixels]
    asked = [grammar().sheets.vqa_usual(Random(0), t, "plain", "coarse") for t in clips.truths]
    said = replies(speaker, list(zip(asked, sheets, strict=True)))
    wanted = [truth["coarse"] for truth in clips.truths]
    assert set(said) <= set(wanted)
    always = max(uf1(wanted, [one] * len(wanted)) for one in set(wanted))
    assert uf1(wanted, said) > always + 0.1


@pytest.mark.slow
def test_a_blank_picture_is_told_apart(speaker) -> None:
    from random import Random

    from harness.affect_tiny.training.evaluate import blank_score
    from tests.affect_tiny.samples import some_truths

    assert blank_score(speaker, grammar(), some_truths()[0][:10], Random(1)) >= 0.9


@pytest.mark.slow
def test_batches_and_single_requests_agree(speaker) -> None:
    from PIL import Image

    from harness.affect_tiny.training.evaluate import conversation
    from tests.affect_tiny.samples import some_truths

    rng = np.random.default_rng(2)
    talks = []
    for number, truth in enumerate(some_truths()[0][:6]):
        exchange = grammar().shipped.emotion_usual(truth, ("plain", "defined")[number % 2])
        pixels = rng.integers(0, 255, (160, 160, 3), dtype=np.uint8)
        talks.append(conversation(exchange, [Image.fromarray(pixels)]))
    assert speaker.reply(talks) == [speaker.reply([talk])[0] for talk in talks]
