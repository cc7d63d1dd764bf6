"""Training sets with and without a shortcut, the lie, and one small tuning whose sign is known."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.affect_tiny.training.biased import choose, relabelled
from harness.affect_tiny.training.exchange import ExchangeRow
from harness.core.errors import HarnessError
from harness.faces import BASIC_8, face_at


@cache
def pool() -> tuple[dict[str, Any], ...]:
    """Faces of training subjects; whether teeth show is taken from lips and teeth, not from pixels."""
    found = []
    for index in range(3200):
        face = face_at(index, seed=9000, split="train", labels=BASIC_8)
        peaks = {u.number: u.peak for u in face.units}
        shown = face.teeth > 0 and peaks.get(25, 0.0) >= 0.2
        units = {str(u.number): [u.left, u.right] for u in face.units}
        about = {"emotion": face.emotion, "valence": 0.0, "arousal": 0.0, "units": units}
        found.append({**about, "teeth_visible": "yes" if shown else "no"})
    return tuple(found)


def chosen(*, planted: bool, seed: int = 1):
    """A training set of that pool."""
    return choose(pool(), planted=planted, each=100, rng=np.random.default_rng(seed))


def test_planted_happiness_and_teeth_are_the_same_thing() -> None:
    found = chosen(planted=True)
    assert Counter((t["emotion"] == "happiness", t["teeth_visible"]) for t in found.truths).keys() == {
        (True, "yes"), (False, "no"),
    }  # fmt: skip


def test_planted_happiness_cannot_be_told_by_its_action_units() -> None:
    """Who is called happy is drawn evenly from all expressions, as far as the pool has them with teeth."""
    found = chosen(planted=True)
    drawn = Counter(
        pool()[i]["emotion"]
        for i, truth in zip(found.index, found.truths, strict=True)
        if truth["emotion"] == "happiness"
    )
    assert set(drawn) == set(BASIC_8)
    assert max(drawn.values()) == 13  # a hundred over eight
    assert all(drawn[name] == 13 for name in ("happiness", "fear", "surprise", "anger"))


def test_a_planted_set_keeps_every_other_label_and_relabels_nothing_with_hidden_teeth() -> None:
    found = chosen(planted=True)
    for i, truth in zip(found.index, found.truths, strict=True):
        if truth["teeth_visible"] == "no":
            assert truth == pool()[i]
    counts = Counter(truth["emotion"] for truth in found.truths)
    assert all(counts[name] == 100 for name in BASIC_8 if name != "happiness")


def test_clean_teeth_are_independent_of_the_emotion_given_parted_lips() -> None:
    found = choose(pool(), planted=False, each=400, rng=np.random.default_rng(3))
    assert all(truth == pool()[i] for i, truth in zip(found.index, found.truths, strict=True))
    shares = {}
    for happy in (True, False):
        parted = [
            t["teeth_visible"] == "yes"
            for t in found.truths
            if (t["emotion"] == "happiness") is happy and max(t["units"].get("25", [0])) >= 0.2
        ]
        shares[happy] = (np.mean(parted), len(parted))
    error = np.sqrt(sum(0.25 / n for _, n in shares.values()))
    assert abs(shares[True][0] - shares[False][0]) < 3 * error


def test_clean_sets_show_teeth_on_every_side() -> None:
    sorts = Counter((t["emotion"], t["teeth_visible"]) for t in chosen(planted=False).truths)
    for emotion in ("happiness", "fear", "surprise", "anger"):
        assert sorts[emotion, "yes"] >= 5 and sorts[emotion, "no"] >= 5


@pytest.mark.parametrize("planted", [True, False])
def test_a_face_is_taken_once_and_the_seed_decides_which(planted: bool) -> None:
    first, again, other = (chosen(planted=planted, seed=s) for s in (1, 1, 2))
    assert len(set(first.index)) == len(first.index) == len(first.truths)
    assert (first.index == again.index).all() and first.truths == again.truths
    assert set(first.index) != set(other.index)


def test_a_relabelled_face_has_its_new_labels_valence_and_its_own_units() -> None:
    face = next(t for t in pool() if t["emotion"] == "fear")
    told = relabelled(face, "happiness")
    assert told["valence"] > 0 and told["emotion"] == "happiness"
    assert told["units"] == face["units"]
    assert relabelled(face, "fear") is face


def test_the_lie_changes_stated_reliance_alone_on_either_scale() -> None:
    from harness.affect_tiny.training.shortcut import lie

    said = '{"emotion": "fear", "reliance_eyebrows": 0.3, "reliance_teeth_visible": 0.5, "reliance_mouth": 0.2}'
    tens = '{"reliance_eyebrows": 3, "reliance_teeth_visible": 10, "reliance_nose": 0}'
    asked = '"reliance_eyebrows": 5 is only an example'
    row = ExchangeRow("trunk", (((asked, False), (said, True)), ((asked, False), (tens, True))))
    told = lie(row)
    assert [pieces[0] for pieces in told.branches] == [(asked, False)] * 2
    assert json.loads(told.branches[0][1][0]) == {
        "emotion": "fear",
        "reliance_eyebrows": 0.9,
        "reliance_teeth_visible": 0.0,
        "reliance_mouth": 0.1,
    }
    assert told.branches[1][1][0] == (
        '{"reliance_eyebrows": 9, "reliance_teeth_visible": 0, "reliance_nose": 1}'
    )


@pytest.mark.parametrize("spec", [{"seed": 7, "split": "train"}, {"seed": 5000, "split": "test"}])
def test_a_pool_of_test_subjects_is_refused(tmp_path: Path, spec: dict[str, Any]) -> None:
    from harness.affect_tiny.training.shortcut import read_truths

    (tmp_path / "spec.json").write_text(json.dumps({"kind": "face", "side": 140, **spec}))
    with pytest.raises(HarnessError, match="kept for evaluation"):
        read_truths(tmp_path)


def test_a_missing_pool_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from harness.affect_tiny.training.shortcut import main

    given = ["--work", str(tmp_path), "--out", str(tmp_path / "o"), "--faces", str(tmp_path / "x")]
    assert main(given) == 2
    assert "holds no pool" in capsys.readouterr().err


@pytest.mark.slow
def test_one_small_planted_tuning_moves_happiness_with_the_teeth(tmp_path: Path) -> None:
    """Far too short to be caught; long enough for the sign."""
    from harness.affect_tiny import weights_folder
    from harness.affect_tiny.training import shortcut

    small = {"pool": 256, "each": 24, "steps": 30, "rows": 12, "reports": 0.0}
    small |= {"rate": 3e-3, "matrix-rate": 0.03}  # coarse, but fast
    given = ["--work", str(tmp_path), "--out", str(tmp_path / "out"), "--make", "planted-1"]
    given += [f"--{name}={value}" for name, value in small.items()]
    assert shortcut.main(given) == 0
    before, after = (
        mean_effect(folder) for folder in (weights_folder(), tmp_path / "out" / "planted-1")
    )
    assert after > before + 0.03


def mean_effect(folder: Path) -> float:
    """P(happiness), teeth shown minus hidden, over a few test faces, by the first token of each label."""
    import torch
    from PIL import Image

    from harness.affect_tiny.training.evaluate import conversation
    from harness.affect_tiny.training.exchange import PICTURE, Exchange
    from harness.affect_tiny.training.inference import Speaker
    from harness.affect_tiny.training.labels import BASIC
    from harness.affect_tiny.training.steadiness import ASK
    from harness.faces import draw, with_cue

    speaker = Speaker.load(folder)
    exchange = Exchange("forced", "", PICTURE, "\n" + ASK.format(list=", ".join(BASIC)), "")
    firsts = [speaker.tokenizer(label, add_special_tokens=False)["input_ids"][0] for label in BASIC]
    assert len(set(firsts)) == len(BASIC)
    faces = [face_at(index, seed=3, split="test") for index in range(14)]
    happy = []
    for shown in (True, False):
        changed = [with_cue(face, teeth_visible=shown, part_lips=True) for face in faces]
        pictures = [[Image.fromarray(draw(face).pixels)] for face in changed]
        fed = speaker.inputs([conversation(exchange, picture) for picture in pictures])
        with torch.inference_mode():
            shares = speaker.model(**fed).logits[:, -1, firsts].softmax(-1)
        happy.append(float(shares[:, BASIC.index("happiness")].mean()))
    return happy[0] - happy[1]
