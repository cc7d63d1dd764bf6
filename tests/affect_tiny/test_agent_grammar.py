"""Conversations with tools for the trainer: as a run holds them, and what is learnt of them."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from harness.affect_tiny.training import agent_grammar, wording
from harness.affect_tiny.training.agent_grammar import LARGE, WRITTEN, AgentRow, AgentRows
from harness.affect_tiny.training.exchange import PICTURE
from harness.affect_tiny.training.scenes import CALL, drawn_scene
from harness.answers.reader import read
from harness.core.field import FieldSpec
from harness.core.outcome import Outcome
from harness.faces import BASIC_7
from harness.protocols.calls import READERS
from harness.protocols.ways import closed, introduction
from harness.tools.toolbox import NO_RESULT, NOTHING_NEW, UNAVAILABLE, offer
from harness.tools.zoom import ZOOM
from tests.affect_tiny.samples import grammar, some_truths

LABEL = FieldSpec(kind="label", labels=tuple(BASIC_7))


def scene(share: float, **more: Any) -> dict[str, Any]:
    """What is true of a scene, as the trainer's cache tells it."""
    face = next(one for one in some_truths()[0] if one["emotion"] in BASIC_7)
    told = {"share": share, "people": 1, "side": None, "found": "zoom: face"}
    return {
        **face,
        **told,
        "question": "Which emotion does the face of the person express?",
        **more,
    }


def rows(share: float, count: int = 40) -> list[AgentRow]:
    made = AgentRows(grammar())
    return [made.scene_row(Random(number), scene(share)) for number in range(count)]


def first_words(row: AgentRow) -> str:
    """What the model learns to say first."""
    text, said = row.row.branches[0][0]
    assert said
    return text.removesuffix("<|im_end|>")


def test_the_call_is_one_that_the_engine_reads() -> None:
    assert READERS["text"](WRITTEN).calls == (CALL,)


def test_a_small_face_is_enlarged_wherever_zoom_is_offered() -> None:
    for row in rows(0.4):
        offered = '"name": "zoom", "description"' in row.row.trunk
        assert (first_words(row) == WRITTEN) == offered


def test_a_large_face_is_answered_at_once() -> None:
    assert all(first_words(row) != WRITTEN for row in rows(LARGE))


def test_of_a_face_between_small_and_large_the_first_reply_is_learnt() -> None:
    made = AgentRows(grammar())
    for share, calls in ((LARGE - 0.01, True), (LARGE, False)):
        row = made.near_row(Random(0), scene(share))
        assert (first_words(row) == WRITTEN) == calls
        assert row.pictures == ("scene",) and len(row.row.branches) == 1


def test_where_a_call_shows_nothing_the_model_says_that_it_cannot_tell() -> None:
    seen = set()
    for row in rows(0.4, 120):
        for branch in row.row.branches:
            if len(branch) < 3:
                continue
            shown, answer = branch[1][0], branch[2][0].removesuffix("<|im_end|>")
            for text in (NO_RESULT, UNAVAILABLE, "Not found", NOTHING_NEW):
                if f"<tool_response>\n{text}" in shown:
                    seen.add(text)
                    refused = read(answer, LABEL).outcome is Outcome.REFUSED
                    assert refused == (text != NOTHING_NEW)
                    assert (PICTURE in shown) == (text in (NO_RESULT, NOTHING_NEW))
    assert len(seen) == 4


def test_pictures_are_named_in_the_order_in_which_they_stand() -> None:
    for row in rows(0.4):
        told = row.row.trunk + "".join(text for branch in row.row.branches for text, _ in branch)
        assert told.count(PICTURE) == len(row.pictures)
        assert row.pictures[0] == "scene"


def test_only_the_first_branch_may_begin_with_the_models_own_words() -> None:
    for row in rows(0.4):
        assert not any(branch[0][1] for branch in row.row.branches[1:])


def test_a_blank_scene_is_told_apart_with_tools_and_without() -> None:
    made = AgentRows(grammar())
    for number in range(20):
        for make in (made.scene_row, made.plain_row):
            row = make(Random(number), scene(0.4), blank=True)
            assert [b[0][0] for b in row.row.branches] == [wording.CANNOT_TELL + "<|im_end|>"]


def test_every_sentence_that_is_reworded_is_one_of_the_engine() -> None:
    told = introduction("text", [offer(ZOOM)], calls=8)
    told += closed("text", last=True) + closed("text", last=False)
    told += NO_RESULT + UNAVAILABLE + NOTHING_NEW
    for sentence, others in agent_grammar._REWORDED:
        assert sentence in told
        assert sentence not in others


def test_a_face_that_fills_the_picture_needs_no_tool() -> None:
    made = AgentRows(grammar())
    for number in range(20):
        row = made.face_row(Random(number), some_truths()[0][number % 16])
        assert "<tool_call>" in row.row.trunk
        assert row.pictures == ("scene",) and len(row.row.branches) == 1
        assert first_words(row) != WRITTEN


def test_a_scene_of_training_holds_the_crop_of_the_tool() -> None:
    (pixels, crop), truth = drawn_scene(0, seed=9000, split="train")
    assert pixels.shape == crop.shape == (448, 448, 3)
    assert truth["found"] == "zoom: face" and 0.25 <= truth["share"] <= 1
    assert truth["emotion"] in BASIC_7


@pytest.mark.slow
def test_the_trainers_text_is_that_of_the_chat_template() -> None:
    from transformers import AutoTokenizer

    from harness.affect_tiny import weights_folder
    from harness.affect_tiny.training.agent_grammar import _messages, chat_text
    from harness.affect_tiny.training.exchange import Exchange
    from harness.core.message import Text

    tokenizer = AutoTokenizer.from_pretrained(weights_folder())
    messages = _messages(Exchange("x", "Look.", f"One {PICTURE}", "\nWhich?\n\nTools", "yes"))
    told = [
        {
            "role": one.role,
            "content": [
                {"type": "text", "text": p.text} if isinstance(p, Text) else {"type": "image"}
                for p in one.parts
            ],
        }
        for one in messages
    ]
    template = tokenizer.apply_chat_template(told, add_generation_prompt=True, tokenize=False)
    shown = chat_text(messages).replace(PICTURE, "<|vision_start|><|image_pad|><|vision_end|>")
    assert shown == template
