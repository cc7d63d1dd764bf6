"""The project's prompts about clips as training exchanges."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from harness.affect_tiny.training import clip_grammar
from harness.affect_tiny.training import labels as lists
from harness.affect_tiny.training.exchange import Exchange
from harness.affect_tiny.training.shipped import ShippedPrompts
from harness.affect_tiny.training.windows import REST
from harness.answers.vocabulary import VOCABULARIES
from harness.conditions.sheet import CONTACT_SHEET
from harness.core.field import FieldSpec
from harness.faces import MICRO_7

Truth = dict[str, Any]
LABELS = {
    "coarse": "megc-coarse",
    "fine": "me-fine-7",
    "au_side": "megc-side",
    "action_units": "megc-action-units",
}
"""Field of a clip task to the name of its labels."""
WEIGHTS = {"vqa/plain": 4.0, "vqa/guided": 2.0, "vqa/label-list": 2.0, "vqa/au-glossary": 0.7}
"""How often a prompt is asked, where not once; the glossary is long, and its words are learnt."""


class ShippedClips:
    """Exchanges with the clip prompts of one library, about three frames or one sheet of them."""

    def __init__(self, shipped: ShippedPrompts, *, sheets: bool = False) -> None:
        """`sheets`: whether the frames are shown as one contact sheet."""
        self.shipped = shipped
        self.names = shipped.names("vqa")
        self.pictures = 1 if sheets else 3
        self.more = CONTACT_SHEET.variables if sheets else {}

    def vqa(self, rng: Random, truth: Truth, name: str | None = None) -> Exchange:
        """One of the ME-VQA prompts with one of the question kinds."""
        weights = [WEIGHTS.get(n, 1.0) for n in self.names]
        name = name or rng.choices(self.names, weights)[0]
        asked: tuple[str, ...] = ()
        while not asked:
            kind, (question, answer, asked) = clip_grammar.ask(rng, truth)
        return self.asked(truth, name, kind, (question, answer, asked), rng=rng)

    def vqa_usual(self, rng: Random, truth: Truth, name: str, kind: str) -> Exchange:
        """A question of the ME-VQA file in its own words."""
        question = clip_grammar.verbatim(rng, truth, kind)
        return self.asked(truth, f"vqa/{name}", kind, question, rng=None)

    def asked(
        self,
        truth: Truth,
        name: str,
        kind: str,
        told: clip_grammar.Asked,
        *,
        rng: Random | None,
    ) -> Exchange:
        """The exchange of a prompt with this question, its answer and the fields asked for."""
        question, answer, asked = told
        fields = {field: clip_field(rng, field) for field in asked}
        every = {field: clip_field(None, field) for field in ("coarse", "fine", "action_units")}
        render = self.shipped.render
        system, turns = render(
            name,
            fields,
            question=question,
            pictures=self.pictures,
            replies={"coarse": truth["coarse"]},
            every=every,
            more=self.more,
        )
        label = f"{name}/{kind}"
        if name == "vqa/structured":
            return self.shipped.exchange(label, system, turns, structured(truth, answer, asked))
        if kind == "combined" and name != "vqa/plain":
            answer = clip_grammar.sentence(truth, several=1)
        if len(turns) > 1:
            return self.shipped.exchange(label, system, turns, truth["coarse"], answer)
        return self.shipped.exchange(label, system, turns, answer)

    def emotion(self, rng: Random, truth: Truth) -> Exchange:
        """The emotion of a clip among the usual labels."""
        labels, answer = lists.plain_list(rng, truth["emotion"])
        spec = FieldSpec(kind="label", labels=tuple(labels))
        system, turns = self.shipped.render(
            "clip/emotion", {"emotion": spec}, pictures=self.pictures, more=self.more
        )
        return self.shipped.exchange("clip/emotion", system, turns, answer)

    def window(self, rng: Random, truth: Truth) -> Exchange:
        """What passes in a window of a long video, or that nothing does."""
        labels = [REST, *MICRO_7]
        if rng.random() < 0.3:
            rng.shuffle(labels)
        spec = FieldSpec(kind="label", labels=tuple(labels))
        name = "spot/window" if rng.random() < 0.75 else "spot/plain"
        system, turns = self.shipped.render(name, {"emotion": spec}, pictures=3)
        return self.shipped.exchange(name, system, turns, truth["emotion"])


def structured(truth: Truth, answer: str, asked: tuple[str, ...]) -> str:
    """The JSON object that serves all questions of a clip but that of the side."""
    if asked == ("au_side",):
        return json.dumps({"au_side": answer})
    told = {
        "action_units": truth["action_units"],
        "fine": truth["emotion"],
        "coarse": truth["coarse"],
    }
    return json.dumps(told)


def clip_field(rng: Random | None, name: str) -> FieldSpec:
    """The field's labels, now and then shuffled where a generator is given."""
    if name == "au_shown":
        return FieldSpec(kind="yes-no")
    labels = VOCABULARIES[LABELS[name]]
    if name == "action_units":
        return FieldSpec(kind="set", labels=labels)
    if rng is not None and rng.random() < 0.3:
        labels = tuple(rng.sample(labels, len(labels)))
    return FieldSpec(kind="label", labels=labels)
