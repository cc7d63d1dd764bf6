"""Text scores against sacrebleu, NLTK and rouge-score, and what a perfect answer reaches."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics import points, text_family
from harness.metrics.bleu import counts, nltk_bleu, sacrebleu, words_13a
from harness.metrics.porter import stem
from harness.metrics.rouge import rouge_1

SHARED = Path(__file__).parents[3] / "shared" / "data" / "megc"

SENTENCE = (
    "The action units present are: brow lowerer, lid tightener. Therefore, the fine-grained expression "
    "class is anger, and the coarse expression class is negative."
)
TEXTS = (
    "negative", "positive", "brow lowerer", "brow lowerer, lid tightener", "lid tightener, brow lowerer",
    "yes", "no", "", SENTENCE, SENTENCE.replace("anger", "disgust"), SENTENCE.lower(),
    "A face at rest; nothing moves & nothing shows.", "3.5 of 10, then 2-3 (or 4).",
    "The brows are lowered and the lids tightening.", "Yes.", "消极", "he said \"no\" - twice\n-\nnot thrice",
)  # fmt: skip
PAIRS = [(said, wanted) for said in TEXTS for wanted in TEXTS if wanted]
WORDS = st.lists(
    st.sampled_from(
        [
            "the",
            "brow",
            "lowerer,",
            "lid",
            "raiser.",
            "3.5",
            "-",
            "raising",
            "lower",
            "&amp;",
            "-x",
            ",",
        ]
    ),
    min_size=0,
    max_size=12,
).map(" ".join)


@pytest.mark.parametrize("order", [1, 4])
def test_sacrebleu_is_met_on_corpus_and_sentence(order: int) -> None:
    library = pytest.importorskip("sacrebleu")
    corpus = library.BLEU(max_ngram_order=order)
    sentence = library.BLEU(max_ngram_order=order, effective_order=True)
    rows = np.array([counts(words_13a(a), words_13a(b)) for a, b in PAIRS], dtype=float)
    wanted = corpus.corpus_score([a for a, _ in PAIRS], [[b for _, b in PAIRS]]).score / 100
    assert float(sacrebleu(rows.sum(axis=0), order=order)) == pytest.approx(wanted, abs=1e-12)
    for row, (said, truth) in zip(rows, PAIRS, strict=True):
        wanted = sentence.sentence_score(said, [truth]).score / 100
        ours = float(sacrebleu(row, order=order, effective=True))
        assert ours == pytest.approx(wanted, abs=1e-12), (said, truth)


@settings(deadline=None, max_examples=50)
@given(said=WORDS, wanted=WORDS)
def test_words_are_parted_as_sacrebleu_parts_them(said: str, wanted: str) -> None:
    library = pytest.importorskip("sacrebleu")
    tokenizer = library.tokenizers.tokenizer_13a.Tokenizer13a()
    assert words_13a(said) == tokenizer(said).split()
    row = np.array(counts(words_13a(said), words_13a(wanted)), dtype=float)
    theirs = library.BLEU(effective_order=True).sentence_score(said, [wanted]).score / 100
    assert float(sacrebleu(row, order=4, effective=True)) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("order", [1, 4])
def test_nltk_is_met(order: int) -> None:
    library = pytest.importorskip("nltk.translate.bleu_score")
    method1 = library.SmoothingFunction().method1
    for said, truth in PAIRS:
        ours, theirs = said.lower().split(), truth.lower().split()
        wanted = library.sentence_bleu(
            [theirs], ours, weights=(1 / order,) * order, smoothing_function=method1
        )
        assert nltk_bleu(ours, theirs, order=order) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("stemmed", [False, True])
def test_rouge_score_is_met(stemmed: bool) -> None:
    library = pytest.importorskip("rouge_score.rouge_scorer")
    scorer = library.RougeScorer(["rouge1"], use_stemmer=stemmed)
    for said, truth in PAIRS:
        wanted = scorer.score(truth, said)["rouge1"]
        ours = rouge_1(said, truth, stemmed=stemmed)
        assert ours == pytest.approx((wanted.precision, wanted.recall, wanted.fmeasure), abs=1e-12)


def test_stems_are_those_of_nltk() -> None:
    stemmer = pytest.importorskip("nltk.stem.porter").PorterStemmer()
    text = " ".join(p.read_text(errors="replace") for p in Path(__file__).parents[2].glob("*.md"))
    found = {word.lower() for word in text.replace("-", " ").split() if word.isalpha()}
    ends = [
        "s",
        "ies",
        "ied",
        "ed",
        "ing",
        "eed",
        "y",
        "ational",
        "alli",
        "bli",
        "logi",
        "fulli",
        "ness",
        "ical",
        "ement",
        "ion",
        "ll",
        "e",
        "ive",
    ]
    found |= {body + end for body in ["ag", "plast", "happ", "tr", "fl", "hopp", "enjo", "rel", "geo", "adopt", "rol", "yy"] for end in ends}  # fmt: skip
    assert len(found) > 800
    assert {word: stem(word) for word in found} == {word: stemmer.stem(word) for word in found}


@settings(deadline=None, max_examples=50)
@given(word=st.text(alphabet="abeilnostuydg", min_size=1, max_size=9))
def test_stems_of_made_up_words_are_those_of_nltk(word: str) -> None:
    assert stem(word) == pytest.importorskip("nltk.stem.porter").PorterStemmer().stem(word)


def test_order_of_units_moves_bleu_and_not_rouge() -> None:
    scores = points(text_family(["brow lowerer, lid tightener"], ["lid tightener, brow lowerer"]))
    assert scores["rouge1_f1"] == 1.0 and scores["exact_match"] == 0.0
    assert scores["sacrebleu4"] < 0.7


def test_a_verbose_answer_has_full_recall() -> None:
    scores = points(text_family(["negative"], ["The coarse expression class is negative"]))
    assert scores["rouge1_recall"] == 1.0
    assert scores["rouge1_f1"] == pytest.approx(2 / 7)


def test_stemming_makes_different_names_equal() -> None:
    scores = points(text_family(["brow lowerer"], ["brow lowering"]))
    assert (scores["rouge1_f1"], scores["rouge1_stem_f1"]) == (0.5, 1.0)


def test_a_missing_answer_is_an_empty_text() -> None:
    family = text_family([SENTENCE, "negative"], [None, "negative"])
    missing, empty = points(family), points(text_family([SENTENCE, "negative"], ["", "negative"]))
    assert family.answered.tolist() == [False, True]
    assert missing == empty
    assert 0 < missing["sacrebleu1"] < 1


def test_one_word_answers_have_a_low_ceiling() -> None:
    scores = points(text_family(["negative"] * 3, ["negative", "positive", None]))
    assert scores["nltk_bleu4_ceiling"] == pytest.approx(0.1**0.75)
    assert scores["sacrebleu4_ceiling"] == 0.0, "no four words, no corpus BLEU-4"
    assert scores["sacrebleu4_sentence_ceiling"] == 1.0 == scores["rouge1_f1_ceiling"]
    assert scores["nltk_bleu4"] == pytest.approx(0.1**0.75 / 3)


@settings(deadline=None, max_examples=50)
@given(texts=st.lists(st.sampled_from(TEXTS), min_size=1, max_size=8))
def test_a_perfect_answer_reaches_its_ceiling_and_no_more(texts: list[str]) -> None:
    scores = points(text_family(texts, texts))
    for name, value in scores.items():
        if f"{name}_ceiling" in scores:
            assert value == pytest.approx(scores[f"{name}_ceiling"])


@pytest.mark.skipif(not SHARED.is_dir(), reason="no real files here")
@pytest.mark.parametrize(("file", "ceiling"), [("casme2", 0.400), ("samm", 0.377)])
def test_the_ceiling_of_the_real_training_files(file: str, ceiling: float) -> None:
    lines = (SHARED / f"me_vqa_{file}.jsonl").read_text().splitlines()
    answers = [json.loads(line)["answer"] for line in lines]
    scores = points(text_family(answers, answers), ["nltk_bleu4", "nltk_bleu4_ceiling"])
    assert scores["nltk_bleu4"] == pytest.approx(ceiling, abs=5e-4)
    assert scores["nltk_bleu4_ceiling"] == scores["nltk_bleu4"]
