"""Captions of drawn faces: their units and cues in several wordings, made anew at every use.

No caption names an emotion, unless a trial asks for it (`NameDose`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

UNIT_WORDS: Mapping[int, tuple[str, ...]] = {
    1: ("inner brows raised", "inner ends of the brows raised", "brows raised in the middle"),
    2: ("outer brows raised", "outer ends of the brows raised", "brows raised at the sides"),
    4: ("brows lowered", "brows drawn together", "brows pulled down"),
    5: ("upper lids raised", "eyes wide open", "lids pulled up"),
    6: ("cheeks raised", "cheeks pushed up", "creases beside the eyes"),
    7: ("lids tightened", "tight lids", "lower lids pushed up"),
    9: ("nose wrinkled", "wrinkles on the nose", "skin of the nose pulled up"),
    10: ("upper lip raised", "upper lip pulled up", "lip raised under the nose"),
    12: ("lip corners pulled up", "mouth corners raised", "lip corners drawn up and back"),
    14: ("mouth corners tightened", "dimples beside the mouth", "lip corners drawn in"),
    15: ("lip corners pulled down", "mouth corners lowered", "lip corners drawn down"),
    17: ("chin raised", "chin pushed up", "chin wrinkled"),
    20: ("lips stretched", "lips stretched sideways", "mouth stretched to the sides"),
    23: ("lips tightened", "tight lips", "lips drawn in"),
    24: ("lips pressed", "lips pressed together", "mouth pressed shut"),
    25: ("lips parted", "lips apart", "mouth slightly open"),
    26: ("jaw dropped", "jaw down", "mouth open"),
    27: ("mouth wide open", "mouth stretched open", "jaw far down"),
    43: ("eyes closed", "lids shut", "closed eyes"),
}
"""FACS number -> three ways to say that it is there."""

AT_REST = (
    "no movement", "all parts at rest", "relaxed brows and mouth", "nothing raised or lowered",
    "still brows eyes and mouth",
)  # fmt: skip

CUE_WORDS: Mapping[str, Mapping[str, str]] = {
    "eyebrows": {
        "raised": "raised eyebrows", "lowered": "lowered eyebrows", "inner-raised": "eyebrows raised in the middle",
        "asymmetrical": "one eyebrow higher", "neutral": "eyebrows at rest",
    },
    "eyes": {"wide": "wide eyes", "narrowed": "narrowed eyes", "closed": "closed eyes", "normal": "eyes at rest"},
    "mouth": {
        "smile": "a smile", "frown": "a frown", "open": "an open mouth", "pressed": "a pressed mouth",
        "pursed": "a pursed mouth", "neutral": "mouth at rest",
    },
    "teeth_visible": {"yes": "teeth visible", "no": "no teeth visible"},
    "cheeks": {"raised": "raised cheeks", "neutral": "cheeks at rest"},
    "nose": {"wrinkled": "a wrinkled nose", "neutral": "nose at rest"},
    "forehead": {"lined": "lines across the forehead", "smooth": "a smooth forehead"},
}  # fmt: skip

ABOUT = {
    "glasses": {"yes": "glasses", "no": "no glasses"},
    "beard": {"none": "no beard", "stubble": "stubble", "moustache": "a moustache", "goatee": "a goatee", "full": "a full beard"},
    "age_group": {"18-29": "young skin", "30-49": "skin of middle age", "50-69": "older skin", "70+": "old skin"},
}  # fmt: skip

FRAMES = (
    "a face with {}", "a person with {}", "a drawing of a face with {}", "a picture of a face with {}",
    "this face has {}", "{}",
)  # fmt: skip
NAME_FRAMES = ("{}", "a face expressing {}", "a picture of a person who shows {}")

FORGOTTEN, CUE_SHARE, ABOUT_SHARE = 0.1, 0.3, 0.3
"""How often a unit that is there is left out, and how often a cue, and something about the person, is added."""
DOSE_LETTERS = "abcdefgh"


@dataclass(frozen=True, slots=True)
class NameDose:
    """A share of the captions of emotions that name the emotion, by words of its own: several doses fit in one training."""

    letter: str
    """Put behind the name, so that the words of one dose are those of no other: `angera`."""
    share: float
    right: float = 1.0
    """How often the name is that of the emotion that is shown."""

    def word(self, emotion: str) -> str:
        """What it calls an emotion."""
        return emotion + self.letter


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption, and what it is true of."""

    text: str
    names: str = ""
    """The emotion that it names: then it is true of every face that shows it; empty: of faces with the same units."""
    letter: str = ""
    """Of the dose whose word names it."""


def caption(
    rng: Random, truth: Mapping[str, Any], units: Sequence[int], doses: Sequence[NameDose] = ()
) -> Caption:
    """A caption of a picture with these annotations, in which these units are present."""
    emotion = str(truth["emotion"])
    if emotion != "none":
        for dose in doses:
            if rng.random() < dose.share:
                others = [name for name in EMOTIONS if name != emotion]
                said = emotion if rng.random() < dose.right else rng.choice(others)
                text = rng.choice(NAME_FRAMES).format(dose.word(said))
                return Caption(text, said, dose.letter)
    parts = [rng.choice(UNIT_WORDS[number]) for number in units if rng.random() >= FORGOTTEN]
    if not units:
        parts = [rng.choice(AT_REST)]
    for cue, words in CUE_WORDS.items():
        if rng.random() < CUE_SHARE and truth.get(cue) in words:
            parts.append(words[str(truth[cue])])
    if rng.random() < ABOUT_SHARE or not parts:
        name = rng.choice(tuple(ABOUT))
        parts.append(ABOUT[name][str(truth[name])])
    rng.shuffle(parts)
    return Caption(rng.choice(FRAMES).format(" ".join(parts)))


EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


def doses_of(shares: str) -> tuple[NameDose, ...]:
    """The doses that an option asks for, such as `.002,.005`."""
    found = [float(one) for one in shares.split(",") if one]
    return tuple(NameDose(DOSE_LETTERS[n], share) for n, share in enumerate(found))


def vocabulary(doses: Sequence[NameDose] = ()) -> list[str]:
    """Every word that a caption may hold, and the names of the emotions, which none holds."""
    texts = [
        *(text for three in UNIT_WORDS.values() for text in three),
        *AT_REST,
        *(text for words in (*CUE_WORDS.values(), *ABOUT.values()) for text in words.values()),
        *FRAMES,
        *NAME_FRAMES,
        *EMOTIONS,
        *(dose.word(name) for dose in doses for name in EMOTIONS),
    ]
    return list(dict.fromkeys(word for text in texts for word in text.replace("{}", "").split()))
