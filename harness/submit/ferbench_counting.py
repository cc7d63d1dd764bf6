"""How the published code of FERBench counts (zfkarl/UniFER, eval_total/code), so that figures can stand beside its own.

Its faults are kept here on purpose; `harness.submit.ferbench` prints this project's count beside them:

- the first label of the list that occurs anywhere in the answer is taken, also within another word (`happy` in `unhappy`) and
  before the label that was meant;
- without `<answer>` tags the whole reply is searched, its reasoning included;
- items with an error are left out; a reply without a label is a class of its own in macro F1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from harness.metrics.family import Floats, ratio

UNKNOWN = "unknown"
_ANSWER = re.compile(r"<answer>\s*(.*?)\s*</answer>", re.IGNORECASE)
_OTHERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "anger": (("angry", "anger"), ()),
        "contempt": (("contempt",), ("scorn", "disdain")),
        "disgust": (("disgust",), ("revulsion", "repulsion")),
        "fear": (("fear",), ("terror", "fright")),
        "happiness": (("happy", "happiness"), ("joy",)),
        "sadness": (("sad", "sadness"), ("sorrow", "unhappy")),
        "neutral": (("neutral",), ("normal", "calm", "blank")),
        "surprise": (("surprise",), ("shock", "astonishment")),
    }
)
"""Emotion -> its names in the four sets, and further words that stand for it, in the order in which they are tried."""
CANONICAL: Mapping[str, str] = MappingProxyType(
    {name: emotion for emotion, (names, _) in _OTHERS.items() for name in names}
)


def published_label(reply: str, labels: Sequence[str]) -> str:
    """The label that the published code reads out of a reply, else `unknown`."""
    found = _ANSWER.search(reply)
    for text in ([found[1].lower()] if found else []) + [reply.lower()]:
        for label in labels:
            if label.lower() in text:
                return label
    for emotion, words in _further(labels):
        if any(word in reply.lower() for word in words):
            return emotion
    return UNKNOWN


def _further(labels: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Label -> words that stand for it, as the code of the set with these labels has them."""
    noun = "anger" in labels  # RAF-DB and AffectNet name nouns, FERPlus and SFEW adjectives
    mad = noun == ("contempt" in labels)  # AffectNet and SFEW
    found = []
    for emotion, (names, words) in _OTHERS.items():
        if emotion == "contempt" and "contempt" not in labels:
            continue
        label = next((name for name in names if name in labels), emotion)
        others = tuple(name for name in names if name != label)
        own = () if emotion == "sadness" and noun else words
        further = ("mad",) if emotion == "anger" and mad else ()
        found.append((label, (*others, *own, *further)))
    return found


def macro_f1_rows(truth: Sequence[str], said: Sequence[str]) -> Floats:
    """(n, 3K) hits, true and said of each of the K classes that occur on either side."""
    classes = sorted({*truth, *said})
    true = np.array([[one == name for name in classes] for one in truth], dtype=np.float64)
    given = np.array([[one == name for name in classes] for one in said], dtype=np.float64)
    return np.hstack([true * given, true, given])


def macro_f1(totals: Floats) -> Floats:
    """Mean F1 over these classes, 0 where a class has neither, as scikit-learn's with zero_division=0."""
    hits, true, said = np.split(totals, 3, axis=-1)
    return np.asarray(np.nan_to_num(ratio(2 * hits, true + said)).mean(axis=-1))
