"""Named label sets, their typical facial signs, and the spelling of annotations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.answers.action_units import MEGC_ACTION_UNITS
from harness.answers.table import LabelTable, label_table
from harness.core.errors import HarnessError
from harness.core.field import FROM_DATA
from harness.core.registry import Listed

BASIC_7: tuple[str, ...] = (
    "anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral",
)  # fmt: skip

VOCABULARIES: Mapping[str, tuple[str, ...]] = {
    "basic-7": BASIC_7,
    "basic-6": BASIC_7[:-1],
    "basic-8": (*BASIC_7, "contempt"),
    "megc-coarse": ("negative", "positive", "surprise"),
    "casme2-fine": ("disgust", "happiness", "repression", "surprise"),
    "casme2-5": ("disgust", "happiness", "repression", "surprise", "others"),
    "samm-fine": ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"),
    "samm-5": ("anger", "contempt", "happiness", "surprise", "others"),
    "casme3-fine": ("anger", "disgust", "fear", "happiness", "sadness", "surprise"),
    "me-fine-7": ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"),
    "raf-compound": (
        "happily surprised", "happily disgusted", "sadly fearful", "sadly angry",
        "sadly surprised", "sadly disgusted", "fearfully angry", "fearfully surprised",
        "angrily surprised", "angrily disgusted", "disgustedly surprised",
    ),
    "mafw-11": (*BASIC_7, "contempt", "anxiety", "helplessness", "disappointment"),
    "disfa-units": (
        "AU1", "AU2", "AU4", "AU5", "AU6", "AU9", "AU12", "AU15", "AU17", "AU20", "AU25", "AU26",
    ),
    "aff-wild2-units": (
        "AU1", "AU2", "AU4", "AU6", "AU7", "AU10", "AU12", "AU15", "AU23", "AU24", "AU25", "AU26",
    ),
    "emonet-40": (
        "amusement", "elation", "pleasure/ecstasy", "contentment", "thankfulness/gratitude", "affection",
        "infatuation", "hope/enthusiasm/optimism", "triumph", "pride", "interest", "awe", "astonishment/surprise",
        "concentration", "contemplation", "relief", "longing", "teasing", "impatience and irritability", "sexual lust",
        "doubt", "fear", "distress", "confusion", "embarrassment", "shame", "disappointment", "sadness", "bitterness",
        "contempt", "disgust", "anger", "malevolence/malice", "sourness", "pain", "helplessness",
        "fatigue/exhaustion", "emotional numbness", "intoxication/altered states of consciousness",
        "jealousy & envy",
    ),
    "blemore-6": ("anger", "disgust", "fear", "happiness", "sadness", "neutral"),
    "academic-5": ("confused", "distracted", "happy", "neutral", "tired"),
    "megc-action-units": MEGC_ACTION_UNITS,
    "megc-side": ("left", "right"),
    "megc-event": ("micro-expression", "macro-expression"),
    "yes-no-unsure": ("yes", "no", "unsure"),
    "cue-eyebrows": ("raised", "neutral", "lowered", "inner-raised", "asymmetrical", "not visible"),
    "cue-eyes": ("wide", "normal", "narrowed", "closed", "not visible"),
    "cue-mouth": ("smile", "neutral", "frown", "open", "pressed", "pursed", "not visible"),
    "cue-teeth": ("yes", "no", "unsure"),
    "cue-cheeks": ("raised", "neutral"),
    "cue-nose": ("wrinkled", "neutral"),
    "cue-forehead": ("lined", "smooth"),
    "cue-gaze": ("ahead", "left", "right", "up", "down"),
}  # fmt: skip
"""Name -> labels, in the order in which prompts offer them."""

_LOOKS: Mapping[str, str] = {
    "anger": "brows drawn down and together, hard stare or tense lids, lips pressed or squared",
    "contempt": "one lip corner tightened and drawn up or in, the rest of the face at rest",
    "disgust": "nose wrinkled or upper lip raised, cheeks pushed up, brows often pulled down",
    "fear": "brows raised and drawn together, eyes wide with tense lower lids, lips stretched sideways",
    "happiness": "lip corners drawn up and back, cheeks raised, often creases beside the eyes",
    "sadness": "inner ends of the brows raised, lids heavy, lip corners pulled down",
    "surprise": "brows raised in a curve, eyes wide open, jaw dropped without tension",
    "neutral": "no action in brows, lids, nose or mouth: the face at rest",
    "confused": "brows pulled together, unevenly or with narrowed eyes, head often tilted",
    "distracted": "eyes turned away from the work, face slack or busy with something else",
    "tired": "lids drooping or shut, yawning or a slack jaw, head sinking or propped up",
    "repression": "a movement begun and held down: lips pressed or corners held while another shows",
    "negative": "signs of anger, contempt, disgust, fear or sadness",
    "positive": "lip corners drawn up or cheeks raised, as in happiness",
    "others": "a movement that fits none of the other classes",
}


def resolve_labels(labels: str | Sequence[str]) -> tuple[str, ...]:
    """The labels of a named vocabulary, or the given list as it stands.

    Raises HarnessError for a name that is not known, and for `from-data`, which only a source can
    resolve.
    """
    if not isinstance(labels, str):
        return tuple(labels)
    if labels in VOCABULARIES:
        return VOCABULARIES[labels]
    known = ", ".join(VOCABULARIES)
    if labels == FROM_DATA:
        raise HarnessError(
            f"labels are still {FROM_DATA}",
            hint=f"plan the task first, which reads them from its source, or name one of: {known}",
        )
    raise HarnessError(
        f"unknown label set {labels!r}",
        hint=f"use one of {known}, or write the labels as a list",
    )


def describe_labels() -> Iterator[Listed]:
    """Every named label set with its labels in order."""
    for name, labels in VOCABULARIES.items():
        yield Listed(name, f"{len(labels)}: {', '.join(labels)}")


def definitions(labels: Sequence[str]) -> dict[str, str]:
    """Label -> how it shows on a face, for those labels that have a definition.

    A synonym (`happy`) gets its class's text. The order is that of `labels`.
    """
    by_class = label_table(tuple(_LOOKS), {})
    found: dict[str, str] = {}
    for label in labels:
        name = by_class.label(label)
        if name is not None:
            found[label] = _LOOKS[name]
    return found


def usual_name(label: str) -> str | None:
    """The name under which a label has a definition (`happiness` for `Happy`), or None."""
    return label_table(tuple(_LOOKS), {}).label(label)


def canonical(
    value: str, labels: Sequence[str], synonyms: Mapping[str, Sequence[str]] | None = None
) -> str | None:
    """The label that an annotation's spelling means (`Happy` -> `happiness`), or None."""
    return label_table(tuple(labels), synonyms or {}).label(value)


def canonicaliser(
    labels: Sequence[str], synonyms: Mapping[str, Sequence[str]] | None = None
) -> LabelTable:
    """The table behind `canonical`, for many values: call its `label(value)`."""
    return label_table(tuple(labels), synonyms or {})
