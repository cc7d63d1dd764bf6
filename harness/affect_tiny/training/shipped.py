"""The project's own prompts as training exchanges, rendered by the same library as runs."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from harness.affect_tiny.training import cue_wording as cues
from harness.affect_tiny.training import emotion_grammar, face_grammar, frames
from harness.affect_tiny.training import labels as lists
from harness.affect_tiny.training.exchange import ENDED, PICTURE, Exchange
from harness.affect_tiny.training.reports import RELIANCE, report
from harness.answers.vocabulary import VOCABULARIES, definitions
from harness.core.field import FieldSpec
from harness.core.message import Image, Message, Text
from harness.faces import UNIT_TABLE
from harness.prompting.library import Library
from harness.prompting.variables import field_variables

Truth = dict[str, Any]
_BLANKS = [Image(name=f"picture {i}", data=b"\x89PNG\r\n\x1a\n" + bytes([i])) for i in range(3)]
_PLAIN = (
    face_grammar.cue_asked,
    face_grammar.cue_asked,
    face_grammar.cue_check,
    emotion_grammar.emotion_open,
    emotion_grammar.emotion_check,
)
"""What is asked without options."""
TAUGHT: dict[str, tuple[str, ...]] = {
    "affect": ("numbers", "words"),
    "cues": ("after", "before", "judge-then-explain", "report", "separate"),
    "emotion": (
        "au-guided",
        "cot",
        "defined",
        "describe",
        "few-shot-text",
        "granular",
        "plain",
        "role",
    ),
    "spot": ("plain", "window"),
    "units": ("guided", "plain"),
    "vqa": (
        "au-glossary",
        "coarse-then-fine",
        "flow-legend",
        "guided",
        "label-list",
        "plain",
        "structured",
    ),
}
"""The prompts that are taught, by family: those added to the library later change no training."""
SCALE_WORDS: dict[str, tuple[str, ...]] = {
    "valence": ("very unpleasant", "unpleasant", "neutral", "pleasant", "very pleasant"),
    "arousal": ("very calm", "calm", "medium", "excited", "very excited"),
}
"""Words for -1, -0.5, 0, 0.5 and 1, as the task faces/affect has them."""


def parts_text(message: Message) -> str:
    """A turn's text with `PICTURE` where pictures stand."""
    return "".join(p.text if isinstance(p, Text) else PICTURE for p in message.parts)


class ShippedPrompts:
    """Exchanges with the prompts of one library."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def names(self, family: str) -> tuple[str, ...]:
        """The prompts of a family that are taught, such as those of "emotion"."""
        return tuple(f"{family}/{name}" for name in TAUGHT[family])

    def choose(self, rng: Random, family: str) -> str:
        """One of a family's prompts, the plain one most often."""
        names = self.names(family)
        return rng.choices(names, [3.0 if n.endswith("/plain") else 1.0 for n in names])[0]

    def render(
        self,
        name: str,
        fields: Mapping[str, FieldSpec],
        *,
        question: str | None = None,
        pictures: int = 1,
        replies: Mapping[str, str] | None = None,
        every: Mapping[str, FieldSpec] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> tuple[str, list[str]]:
        """System text and the user's turns of a prompt; turns shown as examples, the model's among
        them, stand whole before the first. `more` are variables of a condition."""
        rendering = self.library.render(
            self.library.prompt(name),
            variables=field_variables(fields, question=question, every=every) | dict(more or {}),
            pictures=_BLANKS[:pictures],
            replies=replies or {},
        )
        system, turns, before = "", [], ""
        for message in rendering.messages:
            if message.role == "system":
                system = system or message.text
            elif message.role == "user":
                turns.append(before + parts_text(message))
                before = ""
            elif PICTURE not in "".join(turns):
                before = f"{turns.pop()}{ENDED}{parts_text(message)}<|im_end|>\n<|im_start|>user\n"
        return system, turns

    def exchange(
        self, kind: str, system: str, turns: list[str], answer: str, then: str | None = None
    ) -> Exchange:
        """The exchange with the first turn cut behind its last picture."""
        lead, mark, question = turns[0].rpartition(PICTURE)
        follow = (turns[1], then) if then is not None else None
        return Exchange(kind, system, lead + mark, question, answer, follow)

    def emotion(self, rng: Random, truth: Truth, name: str | None = None) -> Exchange:
        """One of the emotion prompts."""
        name = name or self.choose(rng, "emotion")
        maker = lists.plain_list if rng.random() < 0.6 else lists.label_list
        labels, answer = maker(rng, truth["emotion"])
        texts = definitions(labels) if rng.random() < 0.7 else {}
        spec = FieldSpec(kind="label", labels=tuple(labels), definitions=texts)
        return self._emotion(truth, name, spec, answer)

    def _emotion(self, truth: Truth, name: str, spec: FieldSpec, answer: str) -> Exchange:
        head = self.library.prompt(name).head
        system, turns = self.render(name, {"emotion": spec}, replies={"description": "x"})
        if len(turns) > 1:
            return self.exchange(name, system, turns, face_grammar.prose(truth), answer)
        said = face_grammar.reasoned(truth, answer) if head.answer == "final" else answer
        return self.exchange(name, system, turns, said)

    def question(self, rng: Random, truth: Truth, name: str | None = None) -> Exchange:
        """A question of a table, with or without its options."""
        name = name or rng.choice(("question/plain", "question/options", "question/options"))
        if name == "question/plain":
            question, answer = rng.choice(_PLAIN)(rng, truth)
            options = ["yes", "no"]
        else:
            question, options, answer = self._with_options(rng, truth)
        spec = FieldSpec(kind="label", labels=tuple(options))
        system, turns = self.render(name, {"answer": spec}, question=question)
        return self.exchange(name, system, turns, answer)

    def _with_options(self, rng: Random, truth: Truth) -> tuple[str, list[str], str]:
        """A bare question, its options in random order, and the right one."""
        draw = rng.random()
        if draw < 0.3:
            labels, answer = lists.label_list(rng, truth["emotion"])
            return emotion_grammar.fill(rng, frames.emotion_ask(rng)), labels, answer
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
        return emotion_grammar.fill(rng, question), options, answer

    def cues(self, rng: Random, truth: Truth, name: str | None = None) -> Exchange:
        """One of the cue report prompts, with all keys or some."""
        name = name or rng.choice(self.names("cues"))
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
        if rng.random() < 0.3:
            high = rng.choice((1, 10))
            scale = FieldSpec(kind="number", low=0, high=high)
            fields |= {f"reliance_{k}": scale for k in RELIANCE["anger"] if k in keys}
        return self._cues(truth, name, fields, answer)

    def _cues(
        self, truth: Truth, name: str, fields: Mapping[str, FieldSpec], answer: str
    ) -> Exchange:
        """The exchange; each turn is answered by the keys that it asks for, in its order."""
        system, turns = self.render(name, fields, replies={"judgement": "x", "cues": "x"})
        said = [self._keys(truth, turn, fields, answer) for turn in turns]
        if name == "cues/judge-then-explain":
            said[0] = f"{answer}\n{said[0]}"
        # Two conversations that know nothing of each other are learnt one at a time.
        if len(turns) > 1 and PICTURE in turns[1]:
            return self.exchange(name, system, turns[:1], said[0])
        return self.exchange(name, system, turns, said[0], said[1] if len(said) > 1 else None)

    def _keys(self, truth: Truth, turn: str, fields: Mapping[str, FieldSpec], answer: str) -> str:
        asked = [key for key in fields if f'"{key}":' in turn]
        asked.sort(key=lambda key: turn.index(f'"{key}":'))
        tens = any(fields[key].high == 10 for key in asked)
        return report(truth, asked, label=answer, tens=tens)

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

    def affect(self, rng: Random, truth: Truth, name: str | None = None) -> Exchange:
        """Valence and arousal, as numbers or in words."""
        name = name or rng.choice(self.names("affect"))
        keys = rng.choice((("valence", "arousal"), ("valence", "arousal"), ("arousal",)))
        steps = (-1.0, -0.5, 0.0, 0.5, 1.0)
        fields = {
            k: FieldSpec(kind="number", words=dict(zip(SCALE_WORDS[k], steps, strict=True)))
            for k in keys
        }
        system, turns = self.render(name, fields)
        words = SCALE_WORDS if name == "affect/words" else None
        return self.exchange(name, system, turns, report(truth, keys, words=words))

    def units(self, rng: Random, truth: Truth, name: str | None = None) -> Exchange:
        """The action units among those that are listed."""
        name = name or rng.choice(self.names("units"))
        numbers = sorted(rng.sample(tuple(UNIT_TABLE), rng.choice((8, 12, 16, len(UNIT_TABLE)))))
        write = face_grammar.unit_names(rng)
        labels = [write(n) for n in numbers]
        if rng.random() < 0.3:
            rng.shuffle(labels)
        shown = {write(n) for n in face_grammar.shown_units(truth)}
        answer = ", ".join(label for label in labels if label in shown) or "none"
        spec = FieldSpec(kind="set", labels=tuple(labels))
        system, turns = self.render(name, {"action_units": spec})
        return self.exchange(name, system, turns, answer)

    def emotion_usual(self, truth: Truth, name: str) -> Exchange:
        """An emotion prompt as the shipped task asks it: seven labels in their usual order."""
        labels = VOCABULARIES["basic-7"]
        spec = FieldSpec(kind="label", labels=labels, definitions=definitions(labels))
        return self._emotion(truth, f"emotion/{name}", spec, truth["emotion"])

    def cues_usual(self, truth: Truth, name: str) -> Exchange:
        """A cue report with every key."""
        fields = {}
        for key in cues.REPORT_KEYS:
            options = lists.BASIC if key == "emotion" else cues.CUE_ANSWERS.get(key, ())
            spec = FieldSpec(kind="label", labels=tuple(options)) if options else None
            fields[key] = spec or FieldSpec(kind="number")
        return self._cues(truth, f"cues/{name}", fields, truth["emotion"])

    def teeth(self, truth: Truth) -> Exchange:
        """The teeth question of a table with its options."""
        spec = FieldSpec(kind="label", labels=("no", "yes"))
        question = "Are the teeth visible?"
        system, turns = self.render("question/options", {"answer": spec}, question=question)
        return self.exchange("question/options", system, turns, truth["teeth_visible"])
