"""Questions about a drawn clip, in the form of the MEGC ME-VQA training files."""

from __future__ import annotations

import zlib

import numpy as np

from harness.faces.annotate import annotate_clip
from harness.faces.clip import ClipSpec
from harness.faces.units import UNIT_TABLE

COARSE_QUESTION = "What is the coarse expression class?"
FINE_QUESTION = "What is the fine-grained expression class?"
UNIT_QUESTIONS = ("What is the action unit?", "What are the action units?")
PRESENT_QUESTION = "Is the action unit {name} shown on the face?"
COMBINED_QUESTIONS = (
    "What is the action unit present, and based on it, what is the fine-grained expression and "
    "the coarse expression class?",
    "What are the action units present, and based on them, what is the fine-grained expression "
    "and the coarse expression class?",
)
COMBINED_ANSWERS = (
    "The action unit present is: {units}. Therefore, the fine-grained expression class is {fine}, "
    "and the coarse expression class is {coarse}.",
    "The action units present are: {units}. Therefore, the fine-grained expression class is "
    "{fine}, and the coarse expression class is {coarse}.",
)
"""For one action unit, and for several."""


def vqa_rows(clip: ClipSpec, clip_id: str) -> list[dict[str, str]]:
    """Six rows: coarse, fine, action units, two yes/no (one of each), combined.

    Keys in the order of the MEGC file: id, dataset, image_id, subject, filename, question, answer.
    Which units the yes/no questions name, and which of the two comes first, is drawn from the
    clip's identifier, so that the order gives nothing away.
    """
    truth = annotate_clip(clip)
    shown: list[str] = truth["action_units"]
    several = int(len(shown) != 1)
    units = ", ".join(shown)
    rng = _stream(clip, clip_id)
    absent = [u.megc for u in UNIT_TABLE.values() if u.megc not in shown and u.number != 27]
    checks = [(str(rng.choice(shown)), "yes"), (str(rng.choice(absent)), "no")]
    if rng.random() < 0.5:
        checks.reverse()
    pairs = [
        (COARSE_QUESTION, truth["coarse"]),
        (FINE_QUESTION, truth["emotion"]),
        (UNIT_QUESTIONS[several], units),
        *((PRESENT_QUESTION.format(name=name), answer) for name, answer in checks),
        (
            COMBINED_QUESTIONS[several],
            COMBINED_ANSWERS[several].format(
                units=units, fine=truth["emotion"], coarse=truth["coarse"]
            ),
        ),
    ]
    return [
        {
            "id": f"{clip_id}_{number}",
            "dataset": "drawn",
            "image_id": clip_id,
            "subject": truth["subject"],
            "filename": clip_id,
            "question": question,
            "answer": answer,
        }
        for number, (question, answer) in enumerate(pairs, start=1)
    ]


def _stream(clip: ClipSpec, clip_id: str) -> np.random.Generator:
    parts = [zlib.crc32(clip_id.encode()), clip.rest.nuisance.seed]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(parts)))
