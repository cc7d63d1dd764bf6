"""Flips and forced labels, with speakers whose answers are known; the shipped model, slowly."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from harness.affect_tiny import weights_folder
from harness.affect_tiny.training import labels as lists
from harness.affect_tiny.training.evaluate import exam_answers
from harness.affect_tiny.training.held_out_eval import EXAM
from harness.affect_tiny.training.steadiness import flips

PICTURES = [[Image.new("RGB", (32, 32))] for _ in range(30)]


@dataclass(frozen=True)
class Reader:
    """Answers an emotion of its own in the words or the mark of the prompt."""

    emotion: str
    first: bool = False
    """Whether it takes the first option instead."""

    def reply(self, conversations, **_):
        return [self._one(messages[-1]["content"][-1]["text"]) for messages, _ in conversations]

    def _one(self, text: str) -> str:
        words = {w: e for family in lists.FAMILIES.values() for e, w in family.items()}
        marked = re.findall(r"^(\w)\. (\w+)$", text, re.M)
        if marked:
            return next(m for m, word in marked if self.first or word == self.emotion)
        listed = [w.strip() for w in text.split(": ")[1].split("?")[0].split(",")]
        return next(w for w in listed if self.first or words[w] == self.emotion)


def test_a_steady_reader_never_flips() -> None:
    assert set(flips(Reader("fear"), PICTURES).values()) == {0.0}


def test_a_reader_of_the_first_option_flips_with_the_order_only() -> None:
    told = flips(Reader("", first=True), PICTURES)
    assert told["adjectives"] == told["synonyms"] == told["letters"] == told["numbers"] == 0.0
    assert told["order"] > 0.6 and told["letters, order"] > 0.6


def test_exam_replies_are_read_as_emotions() -> None:
    class Fixed:
        def reply(self, conversations, **_):
            return ["Anger."] * len(conversations)

    nouns = [wording for wording in EXAM if wording.says == lists.BASIC][:2]
    letters = [wording for wording in EXAM if wording.says[0] == "A"]
    truths = [{"emotion": "anger"}, {"emotion": "fear"}]
    told = exam_answers(Fixed(), [*nouns, *letters], truths, PICTURES[:2])
    assert told == [["anger", "anger"]] * len(nouns) + [["", ""]] * len(letters)


@pytest.mark.slow
def test_the_likeliest_label_is_mostly_the_greedy_reply() -> None:
    from harness.affect_tiny.training.evaluate import replies, test_pools
    from harness.affect_tiny.training.exchange import PICTURE, Exchange
    from harness.affect_tiny.training.inference import Speaker
    from harness.affect_tiny.training.steadiness import ASK, forced

    speaker = Speaker.load(weights_folder())
    faces, _ = test_pools(faces=14, clips=1, seed=4)
    pictures = [[Image.fromarray(frames[0])] for frames in faces.pixels]
    ask = Exchange("", "", PICTURE, "\n" + ASK.format(list=", ".join(lists.BASIC)), "")
    said = replies(speaker, [(ask, shown) for shown in pictures])
    same = np.mean([a == b for a, b in zip(said, forced(speaker, pictures), strict=True)])
    assert same >= 0.9
