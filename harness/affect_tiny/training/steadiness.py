"""Measure the stability of a checkpoint's answers: the same faces, with labels presented differently."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from harness.affect_tiny.training import labels as lists
from harness.affect_tiny.training.evaluate import conversation, replies
from harness.affect_tiny.training.exchange import PICTURE, Exchange
from harness.affect_tiny.training.inference import Speaker
from harness.affect_tiny.training.scores import uar

ASK = "Which emotion does this face express: {list}? Answer with one word from this list."
MARKED = (
    "Which emotion does this face express?\n{list}\nAnswer with the {mark} of the right option."
)


def flips(
    speaker: Speaker, pictures: Sequence[Sequence[Any]], *, seed: int = 1
) -> dict[str, float]:
    """Share of faces whose answer changes when the labels are shown in another way.

    The usual way is the seven nouns in their usual order. `order`: shuffled for each face;
    `adjectives` and `synonyms`: other words for the same labels; `letters` and `numbers`: options
    with marks, the mark to be given. An answer that is none of the options counts as changed.
    """
    rng = Random(seed)  # noqa: S311
    usual = _answers(speaker, pictures, [list(lists.BASIC)] * len(pictures), "noun")
    orders = [rng.sample(lists.BASIC, len(lists.BASIC)) for _ in pictures]
    fixed = [list(lists.BASIC)] * len(pictures)
    told = {
        "order": _answers(speaker, pictures, orders, "noun"),
        "adjectives": _answers(speaker, pictures, fixed, "adjective"),
        "synonyms": _answers(speaker, pictures, fixed, "other"),
        "letters": _marked(speaker, pictures, fixed, lists.LETTERS, "letter"),
        "letters, order": _marked(speaker, pictures, orders, lists.LETTERS, "letter"),
        "numbers": _marked(speaker, pictures, fixed, lists.NUMBERS, "number"),
    }
    return {
        name: float(np.mean([a != b for a, b in zip(usual, answers, strict=True)]))
        for name, answers in told.items()
    }


def _answers(
    speaker: Speaker, pictures: Sequence[Sequence[Any]], orders: Sequence[list[str]], family: str
) -> list[str]:
    """The emotion that each reply names, "" for none."""
    words = lists.FAMILIES[family]
    meant = {words[emotion]: emotion for emotion in lists.BASIC}
    asked = [ASK.format(list=", ".join(words[e] for e in order)) for order in orders]
    said = _said(speaker, pictures, asked)
    return [meant.get(reply.strip().lower().rstrip("."), "") for reply in said]


def _marked(
    speaker: Speaker,
    pictures: Sequence[Sequence[Any]],
    orders: Sequence[list[str]],
    marks: Sequence[str],
    noun: str,
) -> list[str]:
    """The emotion that stands behind the mark in each reply, "" for none."""
    asked, meant = [], []
    for order in orders:
        lines = [f"{m}. {e}" for m, e in zip(marks, order, strict=False)]
        asked.append(MARKED.format(list="\n".join(lines), mark=noun))
        meant.append(dict(zip(marks, order, strict=False)))
    said = _said(speaker, pictures, asked)
    return [m.get(reply.strip().rstrip("."), "") for m, reply in zip(meant, said, strict=True)]


def _said(speaker: Speaker, pictures: Sequence[Sequence[Any]], asked: Sequence[str]) -> list[str]:
    exchanges = [Exchange("flip", "", PICTURE, "\n" + text, "") for text in asked]
    return replies(speaker, list(zip(exchanges, pictures, strict=True)))


def forced(speaker: Speaker, pictures: Sequence[Sequence[Any]]) -> list[str]:
    """The likeliest label for each picture, by the log-probability of each as the whole reply."""
    exchange = Exchange("forced", "", PICTURE, "\n" + ASK.format(list=", ".join(lists.BASIC)), "")
    chosen = []
    for shown in pictures:
        talk = conversation(exchange, shown)
        scores = [reply_score(speaker, talk, label) for label in lists.BASIC]
        chosen.append(lists.BASIC[int(np.argmax(scores))])
    return chosen


def reply_score(speaker: Speaker, talk: Any, reply: str) -> float:
    """Log-probability of a reply, the end of the turn included."""
    import torch

    fed = speaker.inputs([talk])
    wanted = speaker.tokenizer(reply + "<|im_end|>", add_special_tokens=False)["input_ids"]
    more = torch.tensor([wanted])
    fed["input_ids"] = torch.cat([fed["input_ids"], more], dim=1)
    fed["attention_mask"] = torch.ones_like(fed["input_ids"])
    kinds = torch.zeros_like(more, dtype=fed["mm_token_type_ids"].dtype)
    fed["mm_token_type_ids"] = torch.cat([fed["mm_token_type_ids"], kinds], dim=1)
    with torch.inference_mode():
        scores = speaker.model(**fed).logits[0, -len(wanted) - 1 : -1].log_softmax(-1)
    return float(scores.gather(1, more.T).sum())


def forced_on_blank(speaker: Speaker, emotions: Sequence[str], *, seed: int = 1) -> float:
    """UAR of the forced label against the emotions of faces that a flat picture hides.

    The flat colours are random, so that a colour which had become a label would show.
    """
    rng = Random(seed)  # noqa: S311
    flat = []
    for _ in emotions:
        colour = (rng.randrange(256), rng.randrange(256), rng.randrange(256))
        flat.append([Image.new("RGB", (224, 224), colour)])
    return uar(list(emotions), forced(speaker, flat))
