"""The fixed inputs behind the golden renderings of shipped prompts.

`python -m tests.prompting.shipped` writes them anew; read the difference before keeping it.
"""

from __future__ import annotations

from pathlib import Path

from harness.core.field import FieldSpec
from harness.core.folders import shipped_folder
from harness.core.message import Image
from harness.core.prompt import ANY_FIELD, Prompt, Rendering
from harness.prompting.library import Library
from harness.prompting.variables import field_variables, made_up_examples
from harness.run.prepare import second_variable
from harness.sources.emonet_face import FIELDS as EMONET

GOLDEN = Path(__file__).parent.parent / "golden" / "prompts"

EMOTION = FieldSpec(
    kind="label",
    labels=("anger", "happiness", "neutral"),
    definitions={"anger": "brows lowered, lips pressed", "happiness": "lip corners pulled up"},
)
FIELDS = {
    "emotion": EMOTION,
    "valence": FieldSpec(kind="number"),
    "arousal": FieldSpec(kind="number", low=0, high=0.5),
    "age": FieldSpec(kind="age", low=0, high=116),
    "emotions": FieldSpec(kind="open-labels"),
    "same": FieldSpec(kind="pairs", low=0, high=100, words={"yes": 100, "no": 0}),
    "teeth_visible": FieldSpec(kind="label", labels=("yes", "no", "unsure")),
    "eyebrows": FieldSpec(kind="label", labels=("raised", "neutral", "lowered", "not visible")),
    "eyes": FieldSpec(kind="label", labels=("wide", "normal", "narrowed")),
    "mouth": FieldSpec(kind="label", labels=("smile", "neutral")),
    "cheeks": FieldSpec(kind="label", labels=("raised", "neutral")),
    "nose": FieldSpec(kind="set", labels=("wrinkled", "broad")),
    "forehead": FieldSpec(kind="text"),
    "coarse": FieldSpec(kind="label", labels=("negative", "positive", "surprise")),
    "fine": FieldSpec(kind="label", labels=("disgust", "happiness", "repression")),
    "action_units": FieldSpec(kind="set", labels=("brow lowerer", "lip corner puller")),
    "au_shown": FieldSpec(kind="yes-no"),
    "au_side": FieldSpec(kind="label", labels=("left", "right")),
    "answer": FieldSpec(kind="label", labels=("yes", "no")),
    "event_count": FieldSpec(kind="number", low=0, high=1000),
    "micro_count": FieldSpec(kind="number", low=0, high=1000),
    "macro_count": FieldSpec(kind="number", low=0, high=1000),
    "event_type": FieldSpec(kind="label", labels=("micro-expression", "macro-expression")),
    "judgement": FieldSpec(kind="label", labels=("trustworthy", "untrustworthy")),
} | {
    f"reliance_{cue}": FieldSpec(kind="number", low=0, high=10)
    for cue in ("eyebrows", "eyes", "forehead", "nose", "cheeks", "mouth", "teeth_visible")
}
_SET = FieldSpec(kind="set", labels=("anger", "happiness", "neutral"))
OWN = {
    "emonet/intensity": {name: FieldSpec(kind="number", low=0, high=7) for name in EMONET},
    "emonet/emotions": {"emotions": _SET},
    "clip/blend": {"emotions": _SET},
}
"""Prompt -> fields of its own, where others of their names are of another kind."""
OWN_QUESTIONS = {"ferbench/question": "Which is it? First ‹think›‹/think›, then ‹answer›‹/answer›."}
QUESTIONS = {
    "coarse": "What is the coarse class?",
    "au_shown": "Is the brow lowerer there?",
    "fine": "What is the fine-grained class?",
    "au_side": "Is the brow lowerer on the left or right face?",
    "micro_count": "How many micro-expression events are there?",
    "event_type": "What is the type of the 2nd event?",
    "action_units": "What are the action units?",
    "coarse+fine+action_units": "What are the action units and the classes?",
    "answer": "Does the mouth smile?",
    "emotion": "Which emotion does the face of the person on the left express?",
}


def cases(prompt: Prompt) -> dict[str, tuple[tuple[str, ...], int]]:
    """File stem -> the fields asked, the number of pictures."""
    stem = prompt.name.replace("/", "-")
    if prompt.name.startswith("lvqa/"):
        names = ("micro_count", "event_type", "action_units")
        return {f"{stem}-{name}": ((name,), 4) for name in names}
    if prompt.name.startswith("spot/"):
        return {stem: (prompt.head.fields, 3)}
    if prompt.name.startswith("pairs/"):
        return {stem: (("same",), 1)}
    if prompt.head.fields == ANY_FIELD:
        return {stem: (("emotion",), 2)}
    if not prompt.name.startswith("vqa/"):
        return {stem: (prompt.head.fields, 1)}
    more = {"vqa/structured": "au_side", "vqa/coarse-then-fine": "fine"}.get(prompt.name)
    extra: dict[str, tuple[tuple[str, ...], int]] = {f"{stem}-{more}": ((more,), 3)} if more else {}
    return extra | {
        f"{stem}-coarse": (("coarse",), 3),
        f"{stem}-shown": (("au_shown",), 1),
        f"{stem}-all": (("coarse", "fine", "action_units"), 5),
    }


def render(library: Library, prompt: Prompt, asked: tuple[str, ...], count: int) -> list[Rendering]:
    """The renderings from the first to the last reply."""
    known = FIELDS | OWN.get(prompt.name, {})
    fields = {name: known[name] for name in asked}
    shots = 2 if "exemplars" in library.variables(prompt) else 0
    variables = field_variables(
        fields,
        exemplars=made_up_examples(fields, shots),
        question=OWN_QUESTIONS.get(prompt.name, QUESTIONS.get("+".join(asked))),
        every={name: known[name] for name in known if prompt.head.fills([name])},
    )
    shown = [Image(f"frame {k}", b"%d" % k) for k in range(count)]
    if "paired" in library.variables(prompt):
        variables = {**variables, **second_variable([Image("other frame", b"other")])}
    replies: dict[str, str] = {}
    renderings = []
    while True:
        renderings.append(
            library.render(prompt, variables=variables, pictures=shown, replies=replies)
        )
        awaiting = renderings[-1].awaiting
        if awaiting is None:
            return renderings
        replies[awaiting] = "Negative." if awaiting == "coarse" else "The brows are low."


def as_text(renderings: list[Rendering]) -> str:
    """Every part on its own, so that white space around pictures shows."""
    lines = []
    for rendering in renderings:
        for message in rendering.messages:
            lines.append(f"=== {message.role}")
            for part in message.parts:
                kind = "picture" if isinstance(part, Image) else "text"
                lines.append(f"--- {kind}")
                lines.append(part.name if isinstance(part, Image) else part.text)
        lines.append(f"=== awaiting {rendering.awaiting}")
    return "\n".join(lines) + "\n"


def goldens() -> dict[str, str]:
    """File stem -> text, for every shipped prompt."""
    library = Library([shipped_folder()])
    return {
        stem: as_text(render(library, prompt, *case))
        for prompt in map(library.prompt, library.names())
        for stem, case in cases(prompt).items()
    }


if __name__ == "__main__":
    for name, text in goldens().items():
        (GOLDEN / f"{name}.txt").write_text(text, encoding="utf-8")
