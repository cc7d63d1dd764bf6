"""The project's own prompts as training exchanges, rendered by the library that runs use."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from harness.answers.vocabulary import VOCABULARIES, definitions
from harness.core.field import FieldSpec
from harness.core.message import Image, Message, Text
from harness.prompting import Library, field_variables
from harness.tiny import clip_grammar, face_grammar
from harness.tiny import cue_wording as cues
from harness.tiny import labels as lists
from harness.tiny import wording as say
from harness.tiny.exchange import PICTURE, Exchange

Truth = dict[str, Any]
_BLANKS = [Image(name=f"picture {i}", data=b"\x89PNG\r\n\x1a\n" + bytes([i])) for i in range(3)]

EMOTION = ("plain", "defined", "au-guided", "cot", "describe")
EMOTION_WEIGHTS = (3.0, 2.0, 2.0, 1.0, 1.0)
_PLAIN = (
    face_grammar.cue_asked,
    face_grammar.cue_asked,
    face_grammar.cue_check,
    face_grammar.emotion_open,
    face_grammar.emotion_check,
)
"""What is asked without options."""


def parts_text(message: Message) -> str:
    """A turn's text with `PICTURE` where pictures stand."""
    return "".join(p.text if isinstance(p, Text) else PICTURE for p in message.parts)


class Shipped:
    """Exchanges with the prompts of one library."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def render(
        self,
        name: str,
        fields: Mapping[str, FieldSpec],
        *,
        question: str | None = None,
        pictures: int = 1,
        replies: Mapping[str, str] | None = None,
    ) -> tuple[str, list[str]]:
        """System text and the user's turns of a prompt."""
        rendering = self.library.render(
            self.library.prompt(name),
            variables=field_variables(fields, question=question),
            pictures=_BLANKS[:pictures],
            replies=replies or {},
        )
        system = "".join(m.text for m in rendering.messages if m.role == "system")
        return system, [parts_text(m) for m in rendering.messages if m.role == "user"]

    def exchange(
        self, kind: str, system: str, turns: list[str], answer: str, then: str | None = None
    ) -> Exchange:
        """The exchange with the first turn cut behind its last picture."""
        lead, mark, question = turns[0].rpartition(PICTURE)
        follow = (turns[1], then) if then is not None else None
        return Exchange(kind, system, lead + mark, question, answer, follow)

    def emotion(self, rng: Random, truth: Truth, name: str | None = None) -> Exchange:
        """One of the emotion prompts."""
        name = name or rng.choices(EMOTION, EMOTION_WEIGHTS)[0]
        maker = lists.plain_list if rng.random() < 0.6 else lists.label_list
        labels, answer = maker(rng, truth["emotion"])
        texts = definitions(labels) if rng.random() < 0.7 else {}
        spec = FieldSpec(kind="label", labels=tuple(labels), definitions=texts)
        prompt = f"emotion/{name}"
        if name == "describe":
            system, turns = self.render(prompt, {"emotion": spec}, replies={"description": "x"})
            return self.exchange(prompt, system, turns, face_grammar.prose(truth), answer)
        system, turns = self.render(prompt, {"emotion": spec})
        said = face_grammar.reasoned(truth, answer) if name == "cot" else answer
        return self.exchange(prompt, system, turns, said)

    def question(self, rng: Random, truth: Truth, name: str | None = None) -> Exchange:
        """A question of a table, with or without its options."""
        name = name or rng.choice(("plain", "options", "options"))
        if name == "plain":
            question, answer = rng.choice(_PLAIN)(rng, truth)
            options = ["yes", "no"]
        else:
            question, options, answer = self._with_options(rng, truth)
        spec = FieldSpec(kind="label", labels=tuple(options))
        system, turns = self.render(f"question/{name}", {"answer": spec}, question=question)
        return self.exchange(f"question/{name}", system, turns, answer)

    def _with_options(self, rng: Random, truth: Truth) -> tuple[str, list[str], str]:
        """A bare question, its options in random order, and the right one."""
        draw = rng.random()
        if draw < 0.3:
            labels, answer = lists.label_list(rng, truth["emotion"])
            ask = face_grammar.fill(rng, rng.choice(say.EMOTION_ASKS))
            return ask, labels, answer
        if draw < 0.5:
            name, values, asks = rng.choice(cues.CUE_CHECKS)
            options, answer = ["yes", "no"], "yes" if truth[name] in values else "no"
            question = rng.choice(asks)
        else:
            names = tuple(cues.CUE_ASKS)
            name = rng.choices(names, [cues.WEIGHTS.get(n, 0.8) for n in names])[0]
            options, answer = list(cues.CUE_ANSWERS[name]), str(truth[name])
            question = rng.choice(cues.CUE_ASKS[name])
        if rng.random() < 0.15:
            options = [o.capitalize() for o in options]
            answer = answer.capitalize()
        rng.shuffle(options)
        return face_grammar.fill(rng, question), options, answer

    def cues(self, rng: Random, truth: Truth, name: str | None = None) -> Exchange:
        """One of the cue report prompts, with all keys or some."""
        name = name or rng.choice(("report", "judge-then-explain"))
        keys = set(cues.REPORT_KEYS)
        draw = rng.random()
        if draw < 0.35:
            keys = {"emotion", "valence", "arousal", "teeth_visible", "eyebrows"}
        elif draw < 0.55:
            keys = {"emotion", *rng.sample(cues.REPORT_KEYS, rng.randint(2, 7))}
        labels, answer = lists.plain_list(rng, truth["emotion"])
        if rng.random() < 0.15:
            labels, answer = lists.label_list(rng, truth["emotion"])
        fields = {k: self._cue_field(rng, k, labels) for k in cues.REPORT_KEYS if k in keys}
        system, turns = self.render(f"cues/{name}", fields)
        order = sorted(keys, key=lambda key: turns[0].index(f'"{key}":'))
        said = face_grammar.report(truth, order, label=answer)
        said = f"{answer}\n{said}" if name == "judge-then-explain" else said
        return self.exchange(f"cues/{name}", system, turns, said)

    def _cue_field(self, rng: Random, name: str, labels: list[str]) -> FieldSpec:
        if name in ("valence", "arousal"):
            return FieldSpec(kind="number")
        if name == "emotion":
            return FieldSpec(kind="label", labels=tuple(labels))
        options = list(cues.CUE_ANSWERS[name])
        if name == "teeth_visible" and rng.random() < 0.5:
            return FieldSpec(kind="yes-no")
        if name in cues.NOT_GIVEN and rng.random() < 0.3:
            options.append(cues.NOT_GIVEN[name])
        if rng.random() < 0.2:
            rng.shuffle(options)
        return FieldSpec(kind="label", labels=tuple(options))

    def vqa(self, rng: Random, truth: Truth, name: str | None = None) -> Exchange:
        """One of the clip prompts."""
        name = name or rng.choice(("plain", "guided"))
        asked: tuple[str, ...] = ()
        while not asked:
            kind, (question, answer, asked) = clip_grammar.ask(rng, truth)
        fields = {field: self._clip_field(rng, field) for field in asked}
        if kind == "combined" and name == "guided":
            answer = clip_grammar.sentence(truth, several=1)
        system, turns = self.render(f"vqa/{name}", fields, question=question, pictures=3)
        return self.exchange(f"vqa/{name}/{kind}", system, turns, answer)

    def emotion_usual(self, truth: Truth, name: str) -> Exchange:
        """An emotion prompt as the shipped task asks it: seven labels in their usual order."""
        labels = VOCABULARIES["basic-7"]
        spec = FieldSpec(kind="label", labels=labels, definitions=definitions(labels))
        prompt, answer = f"emotion/{name}", truth["emotion"]
        system, turns = self.render(prompt, {"emotion": spec}, replies={"description": "x"})
        return self.exchange(prompt, system, turns, answer, answer if len(turns) > 1 else None)

    def cues_usual(self, truth: Truth, name: str) -> Exchange:
        """A cue report with every key."""
        fields = {}
        for key in cues.REPORT_KEYS:
            options = lists.BASIC if key == "emotion" else cues.CUE_ANSWERS.get(key, ())
            spec = FieldSpec(kind="label", labels=tuple(options)) if options else None
            fields[key] = spec or FieldSpec(kind="number")
        system, turns = self.render(f"cues/{name}", fields)
        order = sorted(fields, key=lambda key: turns[0].index(f'"{key}":'))
        return self.exchange(f"cues/{name}", system, turns, face_grammar.report(truth, order))

    def teeth(self, truth: Truth) -> Exchange:
        """The teeth question of a table with its options."""
        spec = FieldSpec(kind="label", labels=("no", "yes"))
        question = "Are the teeth visible?"
        system, turns = self.render("question/options", {"answer": spec}, question=question)
        return self.exchange("question/options", system, turns, truth["teeth_visible"])

    def vqa_usual(self, rng: Random, truth: Truth, name: str, kind: str) -> Exchange:
        """A question of the ME-VQA file in its own words."""
        question, answer, asked = clip_grammar.verbatim(rng, truth, kind)
        if kind == "combined" and name == "guided":
            answer = clip_grammar.sentence(truth, several=1)
        fields = {field: self._clip_field(None, field) for field in asked}
        system, turns = self.render(f"vqa/{name}", fields, question=question, pictures=3)
        return self.exchange(f"vqa/{name}/{kind}", system, turns, answer)

    def _clip_field(self, rng: Random | None, name: str) -> FieldSpec:
        """The field's labels, now and then shuffled where a generator is given."""
        if name == "au_shown":
            return FieldSpec(kind="yes-no")
        labels = VOCABULARIES[_CLIP_LABELS[name]]
        if name == "action_units":
            return FieldSpec(kind="set", labels=labels)
        if rng is not None and rng.random() < 0.3:
            labels = tuple(rng.sample(labels, len(labels)))
        return FieldSpec(kind="label", labels=labels)


_CLIP_LABELS = {
    "coarse": "megc-coarse",
    "fine": "me-fine-7",
    "au_side": "megc-side",
    "action_units": "megc-action-units",
}
"""Field of a clip task to the name of its labels."""
