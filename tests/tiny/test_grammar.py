"""The instruction grammar: same seed same text, every prompt covered, answers from annotations."""

from __future__ import annotations

import json
from random import Random

import pytest

from harness.faces import CUE_VALUES, UNIT_TABLE
from harness.faces.vqa import COARSE_QUESTION, FINE_QUESTION, UNIT_QUESTIONS
from harness.prompting import Library, shipped_folder
from harness.tiny import clip_grammar, cue_wording, face_grammar, labels
from harness.tiny import wording as say
from harness.tiny.exam import EXAM
from harness.tiny.exchange import PICTURE, trunk_of
from harness.tiny.grammar import mirrored, question_first
from harness.tiny.shipped import EMOTION
from tests.tiny.samples import grammar, some_truths


def test_the_same_seed_gives_the_same_rows() -> None:
    faces, clips = some_truths()
    for make, truth in ((grammar().face_row, faces[0]), (grammar().clip_row, clips[0])):
        first = [make(Random(5), truth, len) for _ in range(3)]
        assert first == [make(Random(5), truth, len) for _ in range(3)]
        assert make(Random(6), truth, len) != first[0]


def test_every_shipped_prompt_is_asked_in_training() -> None:
    rng, seen = Random(0), set()
    faces, clips = some_truths()
    shipped = grammar().shipped
    for number in range(120):
        face, clip = faces[number % 16], clips[number % 16]
        for exchange in (
            shipped.emotion(rng, face),
            shipped.question(rng, face),
            shipped.cues(rng, face),
            shipped.vqa(rng, clip),
        ):
            seen.add("/".join(exchange.kind.split("/")[:2]))
    assert seen == set(Library([shipped_folder()]).names())


@pytest.mark.parametrize("name", EMOTION)
def test_an_emotion_prompt_is_trained_on_as_a_run_asks_it(name: str) -> None:
    faces, _ = some_truths()
    usual = grammar().shipped.emotion_usual(faces[0], name)
    rng = Random(1)
    asked = [grammar().shipped.emotion(rng, faces[0], name) for _ in range(300)]
    assert any(
        (e.system, e.lead, e.question) == (usual.system, usual.lead, usual.question) for e in asked
    )


@pytest.mark.parametrize("kind", sorted(face_grammar.KINDS))
def test_answers_of_a_kind_follow_the_annotation(kind: str) -> None:
    rng = Random(2)
    for truth in some_truths()[0]:
        for _ in range(20):
            question, answer = face_grammar.KINDS[kind][0](rng, truth)
            assert question.strip() and answer and "{" not in question.replace('{"', "")
            _check_answer(kind, question, answer, truth)


def _check_answer(kind: str, question: str, answer: str, truth: dict) -> None:
    words = {family[truth["emotion"]] for family in labels.FAMILIES.values()}
    if kind == "emotion/open":
        assert answer == truth["emotion"]
    elif kind == "emotion/listed":
        assert answer.lower() in words
        assert answer in question
    elif kind == "emotion/reasoned":
        assert answer.splitlines()[-1].removeprefix("Answer: ").lower() in words
    elif kind in ("emotion/check", "cue/check", "unit"):
        assert answer in ("yes", "no")
    elif kind == "cue":
        assert answer in {str(truth[name]) for name in cue_wording.CUE_ASKS}
    elif kind == "affect":
        assert float(answer) <= 100
    elif kind == "json":
        told = json.loads(answer)
        assert told.get("emotion", truth["emotion"]) == truth["emotion"]
        assert abs(told.get("valence", truth["valence"]) - truth["valence"]) <= 0.051


def test_every_cue_has_questions() -> None:
    assert set(CUE_VALUES) <= set(cue_wording.CUE_ASKS)
    for name, values, _ in cue_wording.CUE_CHECKS:
        assert set(values) <= set(cue_wording.CUE_ANSWERS[name])


def test_yes_and_no_are_balanced() -> None:
    rng = Random(3)
    for make in (face_grammar.emotion_check, face_grammar.cue_check):
        said = [make(rng, truth)[1] for truth in some_truths()[0] for _ in range(60)]
        assert 0.35 < said.count("yes") / len(said) < 0.65


def test_a_lettered_question_names_the_letter_of_the_true_label() -> None:
    rng = Random(4)
    for truth in some_truths()[0]:
        question, answer = face_grammar.emotion_lettered(rng, truth)
        after = question.split(answer, 1)[1] if answer in question else ""
        words = {family[truth["emotion"]].lower() for family in labels.FAMILIES.values()}
        assert any(word in after.lower() for word in words)


def test_descriptions_name_no_emotion() -> None:
    emotions = {w for family in labels.FAMILIES.values() for w in family.values()}
    for truth in some_truths()[0]:
        assert not emotions & set(face_grammar.prose(truth).lower().replace(".", "").split())


def test_reports_have_the_keys_and_values_of_the_prompt() -> None:
    rng = Random(5)
    for truth in some_truths()[0]:
        exchange = grammar().shipped.cues(rng, truth, "report")
        told = json.loads(exchange.answer)
        positions = [exchange.question.index(f'"{key}":') for key in told]
        assert positions == sorted(positions)
        assert str(told["emotion"]) in exchange.question


def test_a_blank_picture_gets_one_answer_whatever_is_asked() -> None:
    faces, clips = some_truths()
    for seed in range(40):
        rows = (
            grammar().face_row(Random(seed), faces[0], len, blank=True),
            grammar().clip_row(Random(seed), clips[0], len, blank=True),
        )
        said = {text for row in rows for b in row.branches for text, own in b if own}
        assert said == {say.CANNOT_TELL + "<|im_end|>"}


def test_clip_questions_are_verbatim_and_answered_from_the_clip() -> None:
    rng = Random(6)
    for truth in some_truths()[1]:
        several = int(len(truth["action_units"]) != 1)
        names = ", ".join(truth["action_units"])
        assert clip_grammar.verbatim(rng, truth, "coarse")[:2] == (COARSE_QUESTION, truth["coarse"])
        assert clip_grammar.verbatim(rng, truth, "fine")[:2] == (FINE_QUESTION, truth["emotion"])
        assert clip_grammar.verbatim(rng, truth, "units")[:2] == (UNIT_QUESTIONS[several], names)
        question, answer, _ = clip_grammar.verbatim(rng, truth, "unit")
        shown = any(f"unit {name} shown" in question for name in truth["action_units"])
        assert answer == ("yes" if shown else "no")
        told = clip_grammar.combined(rng, truth)[1]
        assert names in told and truth["emotion"] in told and truth["coarse"] in told


def test_rows_share_one_trunk_and_hold_every_picture() -> None:
    faces, clips = some_truths()
    for seed in range(40):
        row = grammar().face_row(Random(seed), faces[seed % 16], len)
        assert row.trunk.count(PICTURE) == 1
        assert grammar().clip_row(Random(seed), clips[seed % 16], len).trunk.count(PICTURE) == 3


def test_a_question_may_stand_before_its_picture() -> None:
    exchange = question_first(Random(7), some_truths()[0][0])
    assert exchange.lead.endswith(PICTURE) and len(exchange.lead) > len(PICTURE)
    assert not exchange.question and PICTURE in trunk_of(exchange)


def test_mirroring_swaps_sides_and_nothing_else() -> None:
    truth = {**some_truths()[0][0], "gaze": "left", "head_pose": "tilted right"}
    turned = mirrored(truth)
    assert (turned["gaze"], turned["head_pose"]) == ("right", "tilted left")
    assert {k: v[::-1] for k, v in truth["units"].items()} == turned["units"]
    assert mirrored(turned) == truth


def test_the_exam_is_not_in_the_training_grammar() -> None:
    asked = {
        question.strip()
        for truth in some_truths()[0]
        for seed in range(60)
        for _, question, _ in [face_grammar.ask(Random(seed), truth)]
    }
    assert not asked & set(EXAM)
    frames = {frame.split("{")[0].strip() for frame in say.EMOTION_ASKS if "{" in frame}
    assert not [e for e in EXAM if any(f and e.startswith(f) and len(f) > 12 for f in frames)]


def test_numbers_on_other_scales() -> None:
    assert face_grammar.number_text(-0.04, -1, 1, 1) == "0.0"
    assert face_grammar.number_text(0.0, 1, 9, 0) == "5"
    assert face_grammar.number_text(1.0, 0, 100, -1) == "100"
    assert face_grammar.number_text(-0.72, -1, 1, 1) == "-0.7"


def test_action_units_are_listed_by_number() -> None:
    truth = {"action_units": [UNIT_TABLE[4].facs, UNIT_TABLE[7].facs]}
    assert face_grammar.shown_units(truth) == [4, 7]
