"""Names and numbers of facial action units, and the many ways they are written.

Numbers and names after the Facial Action Coding System (Ekman, Friesen & Hager, 2002); the names'
spelling follows the MEGC ME-VQA files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from harness.answers.pattern import pattern

NUMBERS: Mapping[int, str] = {
    1: "inner brow raiser",
    2: "outer brow raiser",
    4: "brow lowerer",
    5: "upper lid raiser",
    6: "cheek raiser",
    7: "lid tightener",
    9: "nose wrinkler",
    10: "upper lip raiser",
    12: "lip corner puller",
    14: "dimpler",
    15: "lip corner depressor",
    16: "lower lip depressor",
    17: "chin raiser",
    18: "lip pucker",
    20: "lip stretcher",
    21: "neck tightener",
    23: "lip tightener",
    24: "lip pressor",
    25: "lips part",
    26: "jaw drop",
    27: "mouth stretch",
    31: "jaw clencher",
    38: "nostril dilater",
    39: "nostril compress",
    43: "eye closure",
    55: "tilt left",
    56: "tilt right",
    61: "eyes left",
    62: "eyes right",
}
"""Action unit number -> name."""

MEGC_ACTION_UNITS: tuple[str, ...] = (
    "brow lowerer", "cheek raiser", "chin raiser", "dimpler", "eye closure", "eyes left",
    "inner brow raiser", "jaw clencher", "jaw drop", "lid tightener", "lip corner depressor",
    "lip corner puller", "lip pressor", "lip stretcher", "lip tightener", "lips part",
    "lower lip depressor", "neck tightener", "nose wrinkler", "nostril compress", "nostril dilater",
    "outer brow raiser", "tilt right", "upper lid raiser", "upper lip raiser",
)  # fmt: skip
"""The 25 names that occur in the MEGC ME-VQA files."""

_EXTRA: Mapping[str, tuple[str, ...]] = {
    "nostril dilater": ("nostril dilator", "nostril dilation"),
    "nostril compress": ("nostril compressor", "nostril compression"),
    "eye closure": ("eyes closed", "eye closed", "eyes closure"),
    "lips part": ("lip part", "lips parted", "lips parting"),
    "jaw drop": ("jaw dropped", "jaw dropper"),
    "brow lowerer": ("brow lowered", "eyebrow lowerer", "brow furrower"),
    "dimpler": ("dimple", "dimples"),
    "lip pressor": ("lip presser", "lips pressor"),
    "lip pucker": ("lip puckerer", "lips pucker"),
    "mouth stretch": ("mouth stretcher",),
    "tilt right": ("head tilt right",),
    "tilt left": ("head tilt left",),
    "eyes left": ("eyes turn left",),
    "eyes right": ("eyes turn right",),
}

_NUMERIC = pattern(
    r"(?:[lrtb]|left |right )?(?:(?:au|a\.u\.|action unit) ?#?:? ?)?[lrtb]?0?(\d{1,2})[a-e]?"
)
_ROLES = (("raiser", "raise"), ("lowerer", "lower"), ("tightener", "tighten"), ("wrinkler", "wrinkle"),
          ("puller", "pull"), ("depressor", "depress"), ("stretcher", "stretch"),
          ("clencher", "clench"))  # fmt: skip


def is_action_unit_set(labels: Iterable[str]) -> bool:
    """True where most of the labels are action unit names or numbers (`AU12`)."""
    names = set(NUMBERS.values())
    marks = [label.lower() in names or number_of(label) is not None for label in labels]
    return bool(marks) and 2 * sum(marks) > len(marks)


def number_of(code: str) -> int | None:
    """The number in `AU12`, `AU 12`, `R12A`, `12`; None for anything else."""
    text = code.strip().lower()
    found = _NUMERIC.fullmatch(text)
    if not found:
        return None
    number = int(found.group(1))
    return number if number in NUMBERS else None


def variants(name: str) -> tuple[str, ...]:
    """Other spellings of a unit's name: verb forms, plurals, brow/eyebrow."""
    forms = [name, *_EXTRA.get(name, ())]
    for noun, verb in _ROLES:
        if name.endswith(noun):
            stem = name.removesuffix(noun)
            ending = verb + ("d" if verb.endswith("e") else "ed")
            forms += [
                stem + verb,
                stem + ending,
                stem + verb.rstrip("e") + "ing",
                stem + noun + "s",
            ]
    for form in tuple(forms):
        for short, long in (("brow", "eyebrow"), ("lid", "eyelid"), ("nostril", "nostrils"),
                            ("lip", "lips"), ("cheek", "cheeks"), ("brow", "brows"), ("corner", "corners")):  # fmt: skip
            swapped = re.sub(rf"\b{short}\b", long, form)
            if swapped != form:
                forms.append(swapped)
    return tuple(dict.fromkeys(forms))


def synonyms(labels: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Label -> other spellings, for labels that are unit names or codes.

    A spelling that is another label's own name is left out.
    """
    given = tuple(labels)
    own = {label.lower() for label in given}
    table: dict[str, tuple[str, ...]] = {}
    for label in given:
        number = number_of(label)
        name = NUMBERS[number] if number is not None else label.lower()
        if number is None:
            number = next((n for n, known in NUMBERS.items() if known == name), None)
        words = list(variants(name)) if name in NUMBERS.values() else []
        if number is not None:
            words += [f"au{number}", f"au {number}", f"action unit {number}", f"au{number:02d}"]
        table[label] = tuple(w for w in words if w not in own or w == label.lower())
    return table
