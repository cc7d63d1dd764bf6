"""Training texts of the tokenizer: those of the grammar, with more weight on label words."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from harness.affect_tiny.training import cue_wording as cues
from harness.affect_tiny.training import labels as lists
from harness.affect_tiny.training.exchange import CUT, PICTURE
from harness.affect_tiny.training.grammar import Grammar
from harness.affect_tiny.training.plain_words import CLAUSES, WORDS
from harness.faces import MICRO_7, UNIT_TABLE, annotate, annotate_clip, clip_at, draw, face_at
from harness.faces.prototypes import BASIC_8

SEED = 4000
"""Faces that only lend their annotations to the corpus."""


def words() -> list[str]:
    """Words that should be one token each, at the start of a text and inside one."""
    found = {word for family in lists.FAMILIES.values() for word in family.values()}
    found |= {word.capitalize() for word in lists.FAMILIES["noun"].values()}
    found |= {value for values in cues.CUE_ANSWERS.values() for value in values}
    found |= {"positive", "negative", "yes", "no", "Yes", "No", "left", "right", "unsure"}
    found |= {"system", "user", "assistant", "Answer", *cues.REPORT_KEYS, *MICRO_7}
    found |= {word for unit in UNIT_TABLE.values() for word in unit.megc.split()}
    found |= {word for unit in UNIT_TABLE.values() for word in unit.facs.split()}
    return sorted(found)


def truths(count: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Annotations of a few faces and clips."""
    faces = []
    for index in range(count):
        face = face_at(index, seed=SEED, split="train", labels=BASIC_8)
        units = {str(u.number): [u.left, u.right] for u in face.units}
        faces.append({**annotate(face, draw(face, size=112)), "units": units})
    clips = []
    for index in range(count):
        clip = clip_at(index, seed=SEED, split="train")
        units = {str(u.number): [u.left, u.right] for u in clip.apex_units}
        clips.append({**annotate_clip(clip), "units": units})
    return faces, clips


def corpus(grammar: Grammar, *, seed: int, rows: int = 1500) -> Iterator[str]:
    """The same texts each time for the same seed."""
    rng = Random(f"corpus/{seed}")  # noqa: S311
    faces, clips = truths(48)
    for number in range(rows):
        if number % 4:
            row = grammar.face_row(rng, rng.choice(faces), len)
        else:
            row = grammar.clip_row(rng, rng.choice(clips), len)
        text = row.trunk.replace(PICTURE, "\n").replace(CUT, "")
        yield text.replace("<|im_start|>", "").replace("<|im_end|>", "\n")
        for branch in row.branches:
            for piece, _ in branch:
                whole = piece.replace(CUT, "")
                yield whole.replace("<|im_start|>", "").replace("<|im_end|>", "\n")
    for word in words():
        for _ in range(60):
            yield word
            yield " " + word
    yield from CLAUSES
    for word in WORDS:
        for _ in range(3):
            yield " " + word
