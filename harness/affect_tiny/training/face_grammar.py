"""Questions about one drawn face in many wordings, with their answers from the annotations."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from harness.affect_tiny.training import cue_wording as cues
from harness.affect_tiny.training import frames
from harness.affect_tiny.training import labels as lists
from harness.affect_tiny.training import wording as say
from harness.affect_tiny.training.emotion_grammar import (
    QA,
    Truth,
    emotion_check,
    emotion_listed,
    emotion_marked,
    emotion_open,
    fill,
)
from harness.affect_tiny.training.exchange import PICTURE, Exchange
from harness.affect_tiny.training.noise import cut, disturb, idle, pad
from harness.affect_tiny.training.reports import number_text, report
from harness.faces import UNIT_TABLE


def emotion_reasoned(rng: Random, truth: Truth) -> QA:
    """Which emotion, with reasons first and the answer on the last line."""
    labels, answer = (lists.plain_list if rng.random() < 0.6 else lists.label_list)(
        rng, truth["emotion"]
    )
    ask = frames.with_list(rng, fill(rng, frames.emotion_ask(rng)), lists.spell_list(rng, labels))
    return ask + rng.choice(say.STEPS) + rng.choice(say.LAST_LINE), reasoned(truth, answer)


def prose(truth: Truth) -> str:
    """The face in two short sentences that name no emotion."""
    said = {name: words[truth[name]] for name, words in cues.PROSE.items()}
    return (
        f"{said['eyebrows']} and {said['eyes']}. {said['nose']} and {said['cheeks']}; "
        f"{said['mouth']} and {said['teeth_visible']}."
    )


def reasoned(truth: Truth, answer: str) -> str:
    """Reasons and the answer on the last line."""
    return f"{prose(truth)}\nAnswer: {answer}"


def described(rng: Random, truth: Truth) -> QA:
    """Describe the face."""
    return fill(rng, rng.choice(say.DESCRIBE)), prose(truth)


def cue_asked(rng: Random, truth: Truth) -> QA:
    """One cue, with or without options."""
    names = tuple(cues.CUE_ASKS)
    name = rng.choices(names, [cues.WEIGHTS.get(n, 0.8) for n in names])[0]
    return cue_question(rng, truth, name)


def cue_question(rng: Random, truth: Truth, name: str) -> QA:
    """A question about the cue of that name."""
    ask = fill(rng, rng.choice(cues.CUE_ASKS[name]))
    options = list(cues.CUE_ANSWERS[name])
    if name in cues.NOT_GIVEN and rng.random() < 0.3:
        options.append(cues.NOT_GIVEN[name])
    draw = rng.random()
    if set(options) == {"yes", "no"}:
        ask += rng.choice(say.YES_NO)
    elif draw < 0.6:
        rng.shuffle(options)
        ask = frames.with_list(rng, ask, lists.spell_list(rng, options))
    return ask + (rng.choice(say.ONE_WORD) if draw < 0.8 else ""), str(truth[name])


def cue_check(rng: Random, truth: Truth) -> QA:
    """A yes/no question about one cue, half of the time one that is true."""
    want = rng.random() < 0.5
    fitting = [c for c in cues.CUE_CHECKS if (truth[c[0]] in c[1]) == want]
    name, values, asks = rng.choice(fitting or list(cues.CUE_CHECKS))
    answer = "yes" if truth[name] in values else "no"
    return fill(rng, rng.choice(asks)) + rng.choice(say.YES_NO), answer


def affect_asked(rng: Random, truth: Truth) -> QA:
    """Valence or arousal on some scale."""
    name, asks = rng.choice((("valence", say.VALENCE), ("arousal", say.AROUSAL)))
    low, high, decimals, scale = rng.choice(say.SCALES)
    ask = fill(rng, rng.choice(asks), scale=scale) + rng.choice(say.NUMBER)
    return ask, number_text(truth[name], low, high, decimals)


def unit_names(rng: Random) -> Callable[[int], str]:
    """A way to write action units: by name in some case, or by number."""
    style = rng.randrange(4)
    if style == 0:
        return lambda n: UNIT_TABLE[n].facs
    if style == 1:
        return lambda n: f"AU{n}"
    return lambda n: UNIT_TABLE[n].megc


def units_listed(rng: Random, truth: Truth) -> QA:
    """Which action units, in order of number."""
    shown = shown_units(truth)
    write = unit_names(rng)
    style = " Answer with AU numbers." if write(1) == "AU1" else " Answer with names."
    answer = ", ".join(map(write, shown)) or "none"
    return fill(rng, rng.choice(say.UNITS_ASK)) + style, answer


def shown_units(truth: Truth) -> list[int]:
    """Numbers of the units that are present."""
    by_name = {unit.facs: number for number, unit in UNIT_TABLE.items()}
    return [by_name[name] for name in truth["action_units"]]


def unit_check(rng: Random, truth: Truth) -> QA:
    """Is one action unit present, half of the time yes."""
    shown = shown_units(truth)
    absent = [n for n in UNIT_TABLE if n not in shown]
    yes = bool(shown) and rng.random() < 0.5
    number = rng.choice(shown if yes else absent)
    ask = fill(rng, rng.choice(say.UNIT_ASK), unit=unit_names(rng)(number))
    return ask + rng.choice(say.YES_NO), "yes" if yes else "no"


def json_asked(rng: Random, truth: Truth) -> QA:
    """A JSON report of some keys, by a schema or only by their names."""
    keys = rng.sample(cues.REPORT_KEYS, rng.choice((2, 3, 3, 4, 5, 6)))
    if "emotion" not in keys and rng.random() < 0.7:
        keys[0] = "emotion"
    if rng.random() < 0.5:
        names = ", ".join(keys[:-1]) + " and " + keys[-1]
        ask = rng.choice(cues.JSON_SHORT).format(keys=names)
    else:
        lines = []
        for key in keys:
            options = cues.CUE_ANSWERS.get(key, lists.BASIC)
            if key in ("valence", "arousal"):
                lines.append(f'"{key}": a number from -1 to 1')
            elif key == "emotion" and truth["emotion"] == "contempt":
                lines.append(f'"{key}": one of "' + '", "'.join(lists.EMOTIONS) + '"')
            else:
                lines.append(f'"{key}": one of "' + '", "'.join(options) + '"')
        ask = rng.choice(cues.JSON_ASKS).format(schema="\n".join(lines))
    return ask + rng.choice(cues.JSON_END), report(truth, keys)


KINDS: dict[str, tuple[Callable[[Random, Truth], QA], float]] = {
    "emotion/listed": (emotion_listed, 5.0),
    "emotion/open": (emotion_open, 2.0),
    "emotion/check": (emotion_check, 1.0),
    "emotion/marked": (emotion_marked, 1.0),
    "emotion/reasoned": (emotion_reasoned, 0.35),
    "describe": (described, 0.25),
    "cue": (cue_asked, 3.0),
    "cue/check": (cue_check, 1.0),
    "affect": (affect_asked, 1.0),
    "units": (units_listed, 0.5),
    "unit": (unit_check, 0.7),
    "json": (json_asked, 0.4),
}
"""Kind -> how to make one, and how often."""
_HEAVY = ("choice", "emotion/listed", "emotion/open", "emotion/marked", "cue")
"""Kinds whose labels or key words say all that matters."""
_FRAGILE = ("json", "units", "emotion/reasoned")
"""Kinds whose form must be kept to the letter."""


def ask(rng: Random, truth: Truth) -> tuple[str, str, str]:
    """A random question: kind, wording, answer."""
    names = tuple(KINDS)
    kind = rng.choices(names, [KINDS[n][1] for n in names])[0]
    question, answer = KINDS[kind][0](rng, truth)
    return kind, question, answer


def polite(rng: Random, question: str) -> str:
    """The question with some opening or closing words."""
    opener = rng.choice(say.OPENERS)
    if opener.endswith(", ") and question[:1].isupper():
        question = question[0].lower() + question[1:]
    return opener + question + rng.choice(say.CLOSERS)


def system_turn(rng: Random) -> str:
    """A system turn, often none."""
    draw = rng.random()
    if draw < 0.6:
        return rng.choice(say.SYSTEMS)
    if draw < 0.7:
        return idle(rng)
    role = rng.choice(say.ROLES) + rng.choice(say.OF)
    article = "an" if role[0] in "aeio" else "a"
    text = f"You are {article} {role}. {rng.choice(say.MANNER)}"
    return cut(rng, text.strip(), share=rng.choice((0.0, 0.1)))


def opening(rng: Random) -> tuple[str, str]:
    """A system turn, and the user's words up to the picture."""
    return system_turn(rng), rng.choice(say.LEADS) + PICTURE


def exchange(
    rng: Random, kind: str, told: QA, *, system: str, lead: str, then: QA | None = None
) -> Exchange:
    """A question with noise of the right sort round it, as an exchange."""
    question = polite(rng, told[0])
    if kind in _FRAGILE:
        question = pad(rng, question) if rng.random() < 0.2 else question
    else:
        question = disturb(rng, question, heavy=kind in _HEAVY)
    return Exchange(kind, system, lead, rng.choice(say.GAPS) + question, told[1], then)


def generic(rng: Random, truth: Truth, *, system: str, lead: str) -> Exchange:
    """A random exchange with the given system turn and lead."""
    kind, question, answer = ask(rng, truth)
    then = None
    if kind == "describe" and rng.random() < 0.6:
        follow, label = emotion_listed(rng, truth)
        then = (rng.choice(say.THEN_EMOTION) + follow, label)
    return exchange(rng, kind, (question, answer), system=system, lead=lead, then=then)
