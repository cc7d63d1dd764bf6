"""Questions about one drawn clip in the forms of the ME-VQA challenge, and paraphrases of them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from harness.affect_tiny.training import labels as lists
from harness.affect_tiny.training import wording as say
from harness.affect_tiny.training.exchange import PICTURE, Exchange
from harness.affect_tiny.training.noise import disturb
from harness.faces import MICRO_7, UNIT_TABLE
from harness.faces.vqa import (
    COARSE_QUESTION,
    COMBINED_ANSWERS,
    COMBINED_QUESTIONS,
    FINE_QUESTION,
    PRESENT_QUESTION,
    UNIT_QUESTIONS,
)

Truth = dict[str, Any]
Asked = tuple[str, str, tuple[str, ...]]
"""Question, answer, and the fields that it asks for."""

COARSE = ("negative", "positive", "surprise")
COARSE_ASKS: tuple[str, ...] = (
    "What is the coarse class of the expression?",
    "Which coarse expression class does the clip show?",
    "Is the micro-expression negative, positive or surprise?",
    "Classify the micro-expression as negative, positive or surprise.",
    "Coarse class?",
    "Which of negative, positive, surprise fits the micro-expression?",
)
FINE_ASKS: tuple[str, ...] = (
    "What is the fine-grained class of the expression?",
    "Which emotion does the micro-expression show?",
    "Which emotion do these frames show?",
    "Name the emotion of the micro-expression.",
    "Classify the micro-expression: {list}.",
    "Which of {list} fits the micro-expression?",
    "Fine class?",
    "Which emotion is shown at the apex?",
)
UNIT_ASKS: tuple[str, ...] = (
    "Which action units are active at the apex?",
    "List the action units of the micro-expression.",
    "Which action units does the clip show?",
    "Name the action units.",
)
CHECKS: tuple[str, ...] = (
    "Is {unit} present?",
    "Does the clip show {unit}?",
    "Is {unit} active at the apex?",
    "Is {unit} visible?",
)
SIDE_QUESTION = "Is the action unit {name} located on the left or right face?"
ANALYSES: tuple[str, ...] = (
    "Please analyse the micro-expression shown in this video in detail.",
    "Provide a detailed analysis of the micro-expression observed in this clip.",
    "Provide a comprehensive analysis of the facial micro-expression shown in this clip.",
)
SYSTEMS: tuple[str, ...] = (
    *say.SYSTEMS,
    "You are an expert in micro-expressions.",
    "You analyse subtle movements of the face.",
    "You code micro-expressions with FACS.",
)
LEADS: tuple[str, ...] = (
    "\n".join([PICTURE] * 3),
    PICTURE * 3,
    f"Onset: {PICTURE}\nApex: {PICTURE}\nOffset: {PICTURE}",
    f"Frame 1: {PICTURE}\nFrame 2: {PICTURE}\nFrame 3: {PICTURE}",
    "These are the onset, apex and offset frames of a micro-expression.\n" + PICTURE * 3,
    "Three frames of a clip:\n" + "\n".join([PICTURE] * 3),
)


def coarse(rng: Random, truth: Truth) -> Asked:
    """The coarse class."""
    ask = COARSE_QUESTION if rng.random() < 0.6 else rng.choice(COARSE_ASKS)
    return ask, truth["coarse"], ("coarse",)


def fine(rng: Random, truth: Truth) -> Asked:
    """The fine class."""
    names = rng.sample(MICRO_7, len(MICRO_7))
    ask = FINE_QUESTION if rng.random() < 0.6 else rng.choice(FINE_ASKS)
    return ask.format(list=lists.spell_list(rng, names)), truth["emotion"], ("fine",)


def units(rng: Random, truth: Truth) -> Asked:
    """The action units at the apex."""
    shown = truth["action_units"]
    several = int(len(shown) != 1)
    ask = UNIT_QUESTIONS[several] if rng.random() < 0.7 else rng.choice(UNIT_ASKS)
    return ask, ", ".join(shown), ("action_units",)


def check(rng: Random, truth: Truth) -> Asked:
    """Whether one action unit is shown, half of the time yes."""
    shown = truth["action_units"]
    absent = [u.megc for u in UNIT_TABLE.values() if u.megc not in shown]
    yes = rng.random() < 0.5
    ask = PRESENT_QUESTION.replace("{name}", "{unit}")
    ask = ask if rng.random() < 0.7 else rng.choice(CHECKS)
    named = rng.choice(shown if yes else absent)
    return ask.format(unit=named), "yes" if yes else "no", ("au_shown",)


def combined(rng: Random, truth: Truth) -> Asked:
    """Action units, fine and coarse class in one sentence."""
    several = int(len(truth["action_units"]) != 1)
    return (
        COMBINED_QUESTIONS[several],
        sentence(truth, several=several),
        ("coarse", "fine", "action_units"),
    )


def sentence(truth: Truth, *, several: int) -> str:
    """The combined sentence."""
    return COMBINED_ANSWERS[several].format(
        units=", ".join(truth["action_units"]), fine=truth["emotion"], coarse=truth["coarse"]
    )


def analysis(rng: Random, truth: Truth) -> Asked:
    """The free analysis of the 2026 challenge: the same sentence."""
    several = int(len(truth["action_units"]) != 1)
    return rng.choice(ANALYSES), sentence(truth, several=several), ()


def side(rng: Random, truth: Truth) -> Asked:
    """The side of a one-sided action unit; falls back on the coarse class where there is none."""
    by_number = {str(number): unit.megc for number, unit in UNIT_TABLE.items()}
    sided = {
        by_number[number]: "left" if left > right else "right"
        for number, (left, right) in truth["units"].items()
        if abs(left - right) > 0.15 and by_number[number] in truth["action_units"]
    }
    if not sided:
        return coarse(rng, truth)
    name = rng.choice(tuple(sided))
    return SIDE_QUESTION.format(name=name), sided[name], ("au_side",)


KINDS: dict[str, tuple[Callable[[Random, Truth], Asked], float]] = {
    "coarse": (coarse, 2.0),
    "fine": (fine, 2.0),
    "units": (units, 1.5),
    "unit": (check, 2.5),
    "combined": (combined, 1.0),
    "analysis": (analysis, 0.2),
    "side": (side, 0.2),
}
"""Kind -> how to make one, and how often."""


def ask(rng: Random, truth: Truth) -> tuple[str, Asked]:
    """A random question: kind, and what is asked."""
    names = tuple(KINDS)
    kind = rng.choices(names, [KINDS[n][1] for n in names])[0]
    return kind, KINDS[kind][0](rng, truth)


def generic(rng: Random, truth: Truth, *, system: str, lead: str) -> Exchange:
    """A random exchange with the given system turn and lead."""
    kind, (question, answer, _) = ask(rng, truth)
    gap = rng.choice(say.GAPS)
    closer = rng.choice(("", "", "", " Answer briefly.", " Be brief.", " Answer in lower case."))
    question = disturb(rng, question + closer, heavy=False)
    return Exchange(f"clip/{kind}", system, lead, gap + question, answer)


def verbatim(rng: Random, truth: Truth, kind: str) -> Asked:
    """A question of some kind in the challenge's own words."""
    shown = truth["action_units"]
    several = int(len(shown) != 1)
    if kind == "coarse":
        return COARSE_QUESTION, truth["coarse"], ("coarse",)
    if kind == "fine":
        return FINE_QUESTION, truth["emotion"], ("fine",)
    if kind == "units":
        return UNIT_QUESTIONS[several], ", ".join(shown), ("action_units",)
    if kind == "combined":
        return combined(rng, truth)
    absent = [u.megc for u in UNIT_TABLE.values() if u.megc not in shown]
    yes = rng.random() < 0.5
    named = rng.choice(shown if yes else absent)
    return PRESENT_QUESTION.format(name=named), "yes" if yes else "no", ("au_shown",)
