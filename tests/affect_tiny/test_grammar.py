"""The instruction grammar: same seed same text, every prompt covered, answers from annotations."""

from __future__ import annotations

import json
import re
from random import Random

import pytest

from harness.affect_tiny.training import (
    clip_grammar,
    cue_wording,
    face_grammar,
    frames,
    labels,
    noise,
    plain_words,
    reports,
)
from harness.affect_tiny.training import wording as say
from harness.affect_tiny.training.exchange import CUT, PICTURE, trunk_of
from harness.affect_tiny.training.grammar import mirrored, question_first
from harness.affect_tiny.training.held_out_eval import EXAM
from harness.affect_tiny.training.shipped import TAUGHT
from harness.affect_tiny.training.windows import REST
from harness.core.folders import shipped_folder
from harness.faces import CUE_VALUES, UNIT_TABLE
from harness.faces.vqa import COARSE_QUESTION, FINE_QUESTION, UNIT_QUESTIONS
from harness.prompting.library import Library
from tests.affect_tiny.samples import grammar, some_truths

SLOT = re.compile(r"\{(person|thing|kind|shown?|list|nouns|Nouns|Take|from|unit|noun|scale|keys)\}")


def test_the_same_seed_gives_the_same_rows() -> None:
    faces, clips = some_truths()
    for make, truth in ((grammar().face_row, faces[0]), (grammar().clip_row, clips[0])):
        first = [make(Random(5), truth, len) for _ in range(3)]
        assert first == [make(Random(5), truth, len) for _ in range(3)]
        assert make(Random(6), truth, len) != first[0]


def test_every_prompt_to_be_taught_is_asked_in_training() -> None:
    rng, seen = Random(0), set()
    faces, clips = some_truths()
    shipped = grammar().shipped
    for number in range(120):
        face, clip = faces[number % 16], clips[number % 16]
        for exchange in (
            shipped.emotion(rng, face),
            shipped.question(rng, face),
            shipped.cues(rng, face),
            shipped.affect(rng, face),
            shipped.units(rng, face),
            grammar().clips.vqa(rng, clip),
            grammar().clips.emotion(rng, clip),
            grammar().clips.window(rng, {"emotion": REST}),
        ):
            seen.add("/".join(exchange.kind.split("/")[:2]))
    taught = {f"{family}/{name}" for family, names in TAUGHT.items() for name in names}
    assert seen == taught | {"clip/emotion", "question/options", "question/plain"}
    assert taught <= set(Library([shipped_folder()]).names())


@pytest.mark.parametrize("name", ("plain", "defined", "cot", "describe", "role", "granular"))
def test_an_emotion_prompt_is_trained_on_as_a_run_asks_it(name: str) -> None:
    faces, _ = some_truths()
    usual = grammar().shipped.emotion_usual(faces[0], name)
    rng = Random(1)
    asked = [grammar().shipped.emotion(rng, faces[0], f"emotion/{name}") for _ in range(300)]
    assert any(
        (e.system, e.lead, e.question) == (usual.system, usual.lead, usual.question) for e in asked
    )


@pytest.mark.parametrize("kind", sorted(face_grammar.KINDS))
def test_answers_of_a_kind_follow_the_annotation(kind: str) -> None:
    rng = Random(2)
    for truth in some_truths()[0]:
        for _ in range(20):
            question, answer = face_grammar.KINDS[kind][0](rng, truth)
            assert question.strip() and answer and not SLOT.search(question)
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
        question, answer = face_grammar.emotion_marked(rng, truth)
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
        exchange = grammar().shipped.cues(rng, truth, "cues/report")
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


def _runs(text: str, *, length: int = 5) -> set[tuple[str, ...]]:
    """Runs of words, without labels and slots, in lower case."""
    bare = re.sub(r"\{\w+\}", " ", text.lower())
    labels_ = {w for family in labels.FAMILIES.values() for w in family.values()}
    found = re.findall(r"[a-z][a-z']+", bare)
    words = [w for w in found if w not in labels_]
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def test_the_exam_holds_sixty_wordings_and_more() -> None:
    assert len(EXAM) >= 60
    assert len({wording.name for wording in EXAM}) == len(EXAM)
    for wording in EXAM:
        assert len(set(wording.says)) == 7


def test_no_wording_of_the_exam_stands_in_the_training_grammar() -> None:
    rng, asked = Random(8), set()
    for truth in some_truths()[0]:
        for _ in range(150):
            _, question, _ = face_grammar.ask(rng, truth)
            asked |= _runs(face_grammar.polite(rng, question))
            asked |= _runs(face_grammar.system_turn(rng).replace(CUT, ""))
    banks = [
        value
        for room in (say, frames, plain_words, cue_wording)
        for value in vars(room).values()
        if isinstance(value, tuple) and value and isinstance(value[0], str)
    ]
    for phrase in (phrase for bank in banks for phrase in bank):
        asked |= _runs(phrase)
    for wording in EXAM:
        assert not _runs(f"{wording.text} {wording.system}") & asked, wording.name


def test_noise_keeps_what_decides_the_answer() -> None:
    rng = Random(9)
    for truth in some_truths()[0]:
        for make in (face_grammar.emotion_listed, face_grammar.emotion_marked):
            for _ in range(40):
                question, answer = make(rng, truth)
                noisy = noise.disturb(rng, question, heavy=True).replace(CUT, "")
                kept = [w for w in re.findall(r"[A-Za-z]+", question) if w.lower() in noise.KEYS]
                kept = [w for w in kept if w.lower() not in noise.ASKING.split()]
                assert all(word in noisy for word in kept), (question, noisy)
                for word in re.findall(r"[A-Za-z]+", answer):  # "no emotion" may turn "no EMOTION"
                    assert word.lower() in noisy.lower(), (question, noisy)


def test_fillers_decide_nothing() -> None:
    assert not noise.KEYS & set(noise.FILLERS)
    assert len(noise.FILLERS) > 800


def test_what_a_judgement_rests_on_adds_up_to_one() -> None:
    for emotion, shares in reports.RELIANCE.items():
        whole = 0.0 if emotion == "neutral" else 1.0
        assert abs(sum(shares.values()) - whole) <= 0.11
    assert reports.RELIANCE["disgust"]["nose"] == max(reports.RELIANCE["disgust"].values())


def test_numbers_on_other_scales() -> None:
    assert reports.number_text(-0.04, -1, 1, 1) == "0.0"
    assert reports.number_text(0.0, 1, 9, 0) == "5"
    assert reports.number_text(1.0, 0, 100, -1) == "100"
    assert reports.number_text(-0.72, -1, 1, 1) == "-0.7"


def test_action_units_are_listed_by_number() -> None:
    truth = {"action_units": [UNIT_TABLE[4].facs, UNIT_TABLE[7].facs]}
    assert face_grammar.shown_units(truth) == [4, 7]
