"""Emotions in free words: read, placed on wheels, scored, and handed in as the MER challenge wants them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.answers.reader import Reader, read
from harness.answers.wheels import shipped_wheels, wheel_words
from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.kind import kind_of
from harness.core.outcome import Outcome
from harness.metrics import family_for
from harness.metrics.wheels import WHEELS, wheel_f1, wheel_rows
from harness.submit import Options, form_named
from harness.submit.mer import words_of
from harness.submit.wheel_files import read_wheels

SPEC = FieldSpec(kind="open-labels")


def test_chinese_words_on_no_wheel_are_kept_though_they_are_short() -> None:
    found = read("\u7126\u8651\u3001\u75b2\u60eb", SPEC, languages=("zh",))  # anxious, tired
    assert found.value == ("anxiety", "\u75b2\u60eb")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("happy, relieved", ("happy", "relieved")),
        ("Emotions: joy, surprise and wistfulness", ("joy", "surprise", "wistfulness")),
        ('{"emotions": ["angry", "betrayed"]}', ("angry", "betrayed")),
        ("- sad\n- lonely", ("lonely", "sad")),
        ("She looks ashamed and a little afraid.", ("afraid", "ashamed")),
        ("She does not look angry, only sad.", ("sad",)),
        (
            "The person seems to be proud, slightly nervous, and not at all bored",
            ("nervous", "proud"),
        ),
        ("bittersweet nostalgia, mild joy", ("bittersweet nostalgia", "joy")),
        ("wistful, nostalgic", ("nostalgic", "wistful")),
        ("Confused.", ("confused",)),
        ('{"emotions": ["confused", "skeptical"]}', ("confused", "skeptical")),
        ('{"emotions": ["very happy", "slightly confused", null, 3]}', ("confused", "happy")),
        ('{"emotions": [{"emotion": "happy"}, {"emotion": "sad"}]}', ("happy", "sad")),
        ("pleasantly surprised, a bit doubtful", ("doubtful", "surprised")),
        ("• joy\n• trust", ("joy", "trust")),
        ("happy\r\nsad", ("happy", "sad")),
        ("1. happy 2. sad 3. puzzled", ("happy", "puzzled", "sad")),
        ("Emotion 1: happy\nEmotion 2: puzzled", ("happy", "puzzled")),
        (
            "- **Relief**: her brow, once drawn, relaxes\n- **Confusion**: she blinks",
            ("confusion", "relief"),
        ),
        ("joy: 0.8\nsadness: 0", ("joy",)),
        ("neutral", ("neutral",)),
        ("None", ()),
        ("Sad rather than angry", ("sad",)),
        ("happily-surprised, self-conscious", ("happily", "self-conscious", "surprised")),
        ("She looks overjoyed. Also a bit proud.", ("overjoyed", "proud")),
        ("crosses his arms, grumpy", ("grumpy",)),
        ("harmless fearless madam", ("harmless fearless madam",)),
    ],
)
def test_free_words_are_read(reply: str, words: tuple[str, ...]) -> None:
    assert Reader.build({"emotions": SPEC})(reply)["emotions"].value == words


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("", Outcome.EMPTY),
        ("I'm sorry, I can't help with that.", Outcome.REFUSED),
        ("unknown", Outcome.REFUSED),
        ("not angry", Outcome.UNPARSED),
        ("free of fear", Outcome.UNPARSED),
        ('{"emotions": ["hardly angry"]}', Outcome.UNPARSED),
        ('{"emotions": [{"a": "happy", "b": "sad"}]}', Outcome.UNPARSED),
        ("The man sits at a table with a cup of coffee.", Outcome.UNPARSED),
        ("Yes", Outcome.UNPARSED),
    ],
)
def test_what_is_no_word_is_no_answer(reply: str, outcome: Outcome) -> None:
    assert Reader.build({"emotions": SPEC})(reply)["emotions"].outcome is outcome


@pytest.mark.parametrize(
    ("language", "reply", "words"),
    [
        ("de", "glücklich, nachdenklich", ("happiness", "nachdenklich")),
        ("de", "Die Person wirkt wütend, aber nicht traurig.", ("anger",)),
        ("zh", "高兴、惊讶", ("happiness", "surprise")),
        ("fr", "heureux, triste", ("happiness", "sadness")),
    ],
)
def test_basic_emotions_are_read_in_the_languages_named(
    language: str, reply: str, words: tuple[str, ...]
) -> None:
    reader = Reader.build({"emotions": SPEC}, languages=(language,))
    assert reader(reply)["emotions"].value == words


def test_forms_and_synonyms_fall_under_one_basic_emotion() -> None:
    wheels = shipped_wheels()
    assert len(wheels.wheels) == WHEELS
    parrott, plutchik, geneva = wheels.wheels
    assert {wheels.group(w, parrott) for w in ("furious", "Anger", "annoyed", " jealous ")} == {
        "anger"
    }
    assert [wheels.group("happy", wheel) for wheel in wheels.wheels] == ["joy"] * 3
    assert wheels.group("boredom", plutchik) == "disgust" and not wheels.group("boredom", geneva)
    assert not wheels.known("wistfulness")
    for word, forms in wheel_words().items():
        assert wheels.known(word) and all(wheels.known(form) for form in forms), word


def test_labels_of_the_field_have_no_effect_and_are_refused() -> None:
    assert "labels" in kind_of(SPEC).unused


def test_the_score_is_that_of_the_formula() -> None:
    truth = [("joy", "surprise"), ("anger",), ("wistfulness",)]
    said = [("happiness", "fear"), None, ("joy",)]
    family = family_for(SPEC, truth, said)
    totals = family.rows().sum(axis=0)
    parrott, plutchik = 2 * 0.25 * 0.25 / 0.5, 2 * 0.25 * 0.25 / 0.5
    geneva = 2 * (0.5 / 2) * (1 / 2) / (0.5 / 2 + 1 / 2)  # surprise is not on it
    assert family.value("wheel_f1", totals) == pytest.approx(np.mean([parrott, plutchik, geneva]))
    assert family.value("on_wheel", totals) == 1.0


@given(
    st.lists(
        st.tuples(*[st.frozensets(st.sampled_from(["happy", "joy", "sad", "furious", "disgust", "bored", "tired"]))] * 2),
        min_size=1,
    )
)  # fmt: skip
def test_scores_agree_with_a_count_by_hand(
    rows: list[tuple[frozenset[str], frozenset[str]]],
) -> None:
    groups = (  # by hand, of the words above
        {"happy": "joy", "joy": "joy", "sad": "sadness", "furious": "anger", "disgust": "anger"},
        {"happy": "joy", "joy": "joy", "sad": "sadness", "disgust": "disgust", "bored": "disgust"},
        {"happy": "joy", "joy": "joy", "sad": "sadness", "disgust": "disgust"},
    )
    scores = []
    for group in groups:
        precisions, recalls = [], []
        for true, said in rows:
            right = {group[word] for word in true if word in group}
            told = {group[word] for word in said if word in group}
            if right:
                precisions.append(len(right & told) / len(told) if told else 0)
                recalls.append(len(right & told) / len(right))
        if not precisions:
            scores.append(np.nan)
            continue
        p, r = float(np.mean(precisions)), float(np.mean(recalls))
        scores.append(2 * p * r / (p + r) if p + r else 0)
    truth, given = zip(*rows, strict=True)
    family = family_for(SPEC, [tuple(one) for one in truth], [tuple(one) for one in given])
    found = family.value("wheel_f1", family.rows().sum(axis=0))
    assert found == pytest.approx(np.mean(scores), nan_ok=True)


@given(
    st.lists(
        st.tuples(*[st.frozensets(st.sampled_from(["joy", "sad", "furious", "xyz"]))] * 2),
        min_size=1,
    )
)
def test_scores_stay_in_range_and_a_perfect_answer_is_perfect(
    rows: list[tuple[frozenset[str], frozenset[str]]],
) -> None:
    truth, said = [one for one, _ in rows], [one for _, one in rows]
    found = wheel_f1(wheel_rows(truth, said, shipped_wheels()).sum(axis=0))
    assert np.isnan(found) or 0 <= found <= 1
    best = wheel_f1(wheel_rows(truth, truth, shipped_wheels()).sum(axis=0))
    assert np.isnan(best) or best == 1


def published(folder: Path) -> Path:
    """Wheels in the layout that the challenge publishes, made up."""

    def book(name: str, rows: list[tuple[object, ...]]) -> None:
        made = openpyxl.Workbook()
        for row in rows:
            made.active.append(row)
        made.save(folder / name)

    folder.mkdir()
    book("wheel1.xlsx", [("level1", "level2", "level3"), ("Mad", "Hurt", "Jealous"), (None, None, "Bitter"), ("Glad ", "Proud", "Sure")])  # fmt: skip
    book("synonym.xlsx", [("word_run1", "synonym_run1", "word_run2", "synonym_run2"), ("hurt", "wounded, stung", "Glad", "cheered"), ("sure", "certain", "mad", "stung")])  # fmt: skip
    (folder / "format.csv").write_text(
        'name,format\nstung,"sting,stings"\nglad,"gladness"\nhurt,hurts\ncertain,certainly\n'
    )
    return folder


def test_the_challenge_s_files_are_read_as_its_code_reads_them(tmp_path: Path) -> None:
    wheels = read_wheels(published(tmp_path / "w"))
    (wheel,) = wheels.wheels
    assert wheel.groups["bitter"] == "mad" and wheel.groups["sure"] == "glad"
    told = {
        word: wheels.group(word, wheel) for word in ("stings", "gladness", "certainly", "cheered")
    }
    assert told == {"stings": "mad", "gladness": "glad", "certainly": "glad", "cheered": ""}
    (tmp_path / "w" / "format.csv").unlink()
    with pytest.raises(HarnessError, match=r"format\.csv is missing"):
        read_wheels(tmp_path / "w")


def test_a_file_of_words_is_checked_and_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = tmp_path / "candidate.csv"
    asked.write_text("name\na\nb\n")
    answers = tmp_path / "predictions.csv"
    with answers.open("w", newline="") as file:
        csv.writer(file).writerows([("name", "openset"), ("a", "stings, happy"), ("b", "gladness")])
    folder = published(tmp_path / "w")
    (folder / "truth.csv").write_text("name,openset\na,\"['hurt', 'sure']\"\nb,['jealous']\n")
    check = ["submit", "mer2026-fg", "--to-answer", str(asked), "--check", str(answers)]
    assert main([*check, "--truth", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "mean F1 over 1 wheels: 0.333" in said  # precision 1/2 and 0, recall 1/2 and 0
    assert (
        "on no wheel of this package, such as gladness, stings" in said or "such as stings" in said
    )
    assert main([*check, "--truth", str(folder / "truth.csv")]) == 0
    assert "with the wheels of this package" in capsys.readouterr().out
    form = form_named("mer2026-fg")
    for body in (b"", b"name\na\n", b"name,openset\na,\nb,joy\n", b"name,openset\nb,joy\na,joy\n"):
        assert form.check(body, form.read(asked), Options(), name="p").faults, body


def test_cells_of_words() -> None:
    assert (
        words_of("['Happy', \"relieved\"]") == words_of("happy, relieved") == ("happy", "relieved")
    )
    assert words_of("[]") == words_of("") == ()
