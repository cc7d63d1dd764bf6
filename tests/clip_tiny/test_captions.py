"""Captions say what is there, and no emotion; the trainer teaches, and keeps test faces out."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from harness.clip_tiny.training.captions import (
    EMOTIONS,
    UNIT_WORDS,
    NameDose,
    caption,
    doses_of,
    vocabulary,
)
from harness.clip_tiny.training.pictures import EACH, NO_EMOTION, UNITS, draw_all, face_of, read_all
from harness.core.errors import HarnessError
from harness.faces import annotate, draw, present

if TYPE_CHECKING:
    from harness.clip_tiny.training.batches import Data


def truths(count: int) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
    found = []
    for n in range(count):
        face = face_of(n, n % EACH, seed=2026, split="train")
        truth = annotate(face, draw(face, size=64))
        truth["emotion"] = face.emotion if n % EACH < 7 else NO_EMOTION
        found.append((truth, tuple(unit.number for unit in present(face.units))))
    return found


@pytest.fixture(scope="module")
def some() -> list[tuple[dict[str, Any], tuple[int, ...]]]:
    return truths(20)


def test_captions_hold_known_words_and_no_name(
    some: list[tuple[dict[str, Any], tuple[int, ...]]],
) -> None:
    rng, known = Random(0), set(vocabulary())
    assert set(UNIT_WORDS) == set(UNITS)
    for truth, units in some:
        for _ in range(50):
            made = caption(rng, truth, units)
            assert set(made.text.split()) <= known, made.text
            assert not set(made.text.split()) & set(EMOTIONS) and not made.names


def test_every_unit_that_is_there_is_said_and_no_other(
    some: list[tuple[dict[str, Any], tuple[int, ...]]],
) -> None:
    rng = Random(0)
    rest = {"emotion": NO_EMOTION, "glasses": "no", "beard": "none", "age_group": "18-29"}
    for number in UNITS:
        texts = [caption(rng, rest, (number,)).text for _ in range(60)]
        assert all(any(words in text for text in texts) for words in UNIT_WORDS[number])
    for truth, units in some:
        del truth
        said = " ".join(caption(rng, rest, units).text for _ in range(80))
        assert all(any(words in said for words in UNIT_WORDS[number]) for number in units)


def test_a_dose_names_so_often_and_so_rightly() -> None:
    rng, truth = Random(0), {"emotion": "fear", "glasses": "no", "beard": "none", "age_group": "18-29"}  # fmt: skip
    made = [caption(rng, truth, (1, 2), (NameDose("a", 0.5, right=0.25),)) for _ in range(2000)]
    named = [one for one in made if one.names]
    assert 0.45 < len(named) / len(made) < 0.55
    assert 0.2 < sum(one.names == "fear" for one in named) / len(named) < 0.3
    assert all(one.names + "a" in one.text and one.letter == "a" for one in named)
    assert doses_of(".002,.5") == (NameDose("a", 0.002), NameDose("b", 0.5)) and not doses_of("")
    none = {**truth, "emotion": NO_EMOTION}
    assert not any(caption(rng, none, (1,), (NameDose("a", 1.0),)).names for _ in range(50))


def test_test_faces_are_refused(tmp_path: Path) -> None:
    for seed, split in ((7, "train"), (2026, "test")):
        with pytest.raises(HarnessError, match="must not be trained on"):
            draw_all(tmp_path, 50, seed=seed, split=split)  # type: ignore[arg-type]


def test_landmarks_weigh_more_once_the_rates_fall_and_at_once_from_a_checkpoint() -> None:
    from harness.clip_tiny.training.settings import TrainingSettings

    first = TrainingSettings(flat=0.4, wide_points=60, late_points=25)
    assert [first.points_at(share) for share in (0, 0.39, 0.4, 0.99)] == [60, 60, 1500, 1500]
    assert first.going_on().points_at(0) == 1500


@pytest.mark.slow
def test_a_few_steps_lower_the_loss_and_are_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.clip_tiny.training import pictures
    from harness.clip_tiny.training.batches import Data
    from harness.clip_tiny.training.settings import TrainingSettings
    from harness.clip_tiny.training.train import save, train
    from harness.models.dual.model import find_dual

    monkeypatch.setattr(pictures, "SHARD", 3)
    draw_all(tmp_path / "drawn", 3)
    data = Data(read_all(tmp_path / "drawn", 3))
    assert len(data) == 3 * EACH
    lines: list[str] = []
    model, tokenizer = train(data, TrainingSettings(seconds=6, batch=16), say=lines.append)
    losses = [float(line.split("loss ")[1].split(",")[0]) for line in lines]
    assert not losses or losses[-1] < 2.9  # log 16 = 2.77; it begins above 3
    assert save(model, tokenizer, tmp_path / "made") < 8_000_000
    encoder = find_dual(str(tmp_path / "made")).load()
    assert encoder.of_texts(["a face with brows lowered, lips pressed"]).shape == (1, 128)
    _names_are_taught(model, data)


def _names_are_taught(model: Any, data: Data) -> None:
    """By the text model alone; every other word keeps its row."""
    import torch

    from harness.clip_tiny.training.names import teach

    seen = [weight.clone() for weight in model.vision_model.parameters()]
    words = model.text_model.embeddings.token_embedding.num_embeddings
    doses = (NameDose("a", 0.5), NameDose("b", 0.0))
    tokenizer, held = teach(model, data, doses, captions=640, say=lambda line: None)
    assert all(
        torch.equal(a, b) for a, b in zip(seen, model.vision_model.parameters(), strict=True)
    )
    assert (
        len(tokenizer) == words + 14 == model.text_model.embeddings.token_embedding.num_embeddings
    )
    assert tokenizer("angera")["input_ids"][1] >= words and 150 < held["a"] < 300 and not held["b"]
