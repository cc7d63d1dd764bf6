"""Quick check of a checkpoint with transformers' generate() and the project's prompts.

    python -m harness.affect_tiny.training.evaluate [--weights DIR] [--faces N] [--clips N]

draws fresh test subjects and prints the model card's table. Replies are compared as they stand;
a run through the harness, with its parsers and intervals, is the real measure.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from harness.affect_tiny import weights_folder
from harness.affect_tiny.training import wording as say
from harness.affect_tiny.training.dataset_cache import CachedDataset
from harness.affect_tiny.training.exchange import PICTURE, Exchange
from harness.affect_tiny.training.grammar import Grammar
from harness.affect_tiny.training.held_out_eval import EXAM, Wording
from harness.affect_tiny.training.inference import Conversation, Speaker
from harness.affect_tiny.training.scores import accuracy, ccc, set_f1, uar, uf1
from harness.core.folders import shipped_folder
from harness.faces import (
    BASIC_7,
    annotate,
    annotate_clip,
    clip_at,
    draw,
    face_at,
    frame_at,
    vqa_rows,
)
from harness.prompting.library import Library

Truth = dict[str, Any]


def conversation(exchange: Exchange, pictures: Sequence[Any]) -> Conversation:
    """An exchange's first turns as transformers' messages."""
    messages: list[dict[str, Any]] = []
    if exchange.system:
        messages.append({"role": "system", "content": exchange.system})
    content: list[dict[str, Any]] = []
    for number, piece in enumerate(exchange.lead.split(PICTURE)):
        if number:
            content.append({"type": "image"})
        if piece:
            content.append({"type": "text", "text": piece})
    if exchange.question:
        content.append({"type": "text", "text": exchange.question})
    return [*messages, {"role": "user", "content": content}], list(pictures)


def replies(speaker: Speaker, asked: Sequence[tuple[Exchange, Sequence[Any]]]) -> list[str]:
    """Last replies to exchanges; a second turn is asked with the model's own first reply."""
    talks = [conversation(exchange, pictures) for exchange, pictures in asked]
    order = sorted(range(len(talks)), key=lambda i: str(asked[i][0].kind))
    said = [""] * len(talks)
    for i, reply in zip(order, speaker.reply([talks[i] for i in order]), strict=True):
        said[i] = reply.strip()
    second = [i for i, (exchange, _) in enumerate(asked) if exchange.then is not None]
    for i in second:
        follow = asked[i][0].then
        assert follow is not None
        talks[i][0].extend(
            [{"role": "assistant", "content": said[i]}, {"role": "user", "content": follow[0]}]
        )
    for i, reply in zip(second, speaker.reply([talks[i] for i in second]), strict=True):
        said[i] = reply.strip()
    return said


def last_label(reply: str) -> str:
    """The word behind the last "Answer:", or the whole reply."""
    return reply.rpartition("Answer:")[2].strip()


def read_object(reply: str) -> dict[str, Any]:
    """The JSON object in a reply; empty where there is none."""
    start, end = reply.find("{"), reply.rfind("}")
    if start < 0 or end < start:
        return {}
    try:
        found = json.loads(reply[start : end + 1])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def evaluate(
    speaker: Speaker,
    grammar: Grammar,
    faces: CachedDataset,
    clips: CachedDataset,
    *,
    count: int,
    full: bool = False,
) -> dict[str, float]:
    """Scores by name. `count` faces and half as many clips at most; `full` adds the slow rows."""
    rng = Random("evaluate")  # noqa: S311
    shown = [i for i, t in enumerate(faces.truths) if t["emotion"] in BASIC_7][:count]
    pictures = [[Image.fromarray(faces.pixels[i, 0])] for i in shown]
    truths = [faces.truths[i] for i in shown]
    out = emotion_scores(speaker, grammar, truths, pictures, rng, full=full)
    out |= cue_scores(speaker, grammar, truths, pictures, rng, full=full)
    out |= clip_scores(speaker, grammar, clips, rng, count=max(1, count // 2), full=full)
    out["blank"] = blank_score(speaker, grammar, truths[:24], rng)
    return out


def emotion_scores(
    speaker: Speaker,
    grammar: Grammar,
    truths: Sequence[Truth],
    pictures: Sequence[Sequence[Any]],
    rng: Random,
    *,
    full: bool,
) -> dict[str, float]:
    """UAR of the emotion prompts, and of the wording exam."""
    out = {}
    wanted = [t["emotion"] for t in truths]
    names = [n.partition("/")[2] for n in grammar.shipped.names("emotion")]
    for name in names if full else ("plain",):
        asked = [grammar.shipped.emotion_usual(t, name) for t in truths]
        said = replies(speaker, list(zip(asked, pictures, strict=True)))
        out[f"emotion/{name}"] = uar(wanted, [last_label(r) for r in said])
    few = min(len(truths), 140 if full else 35)
    told = exam_answers(speaker, EXAM if full else EXAM[::6], truths[:few], pictures[:few])
    scores = [uar(wanted[:few], said) for said in told]
    return {**out, "exam": float(np.mean(scores)), "exam-worst": min(scores)}


def exam_answers(
    speaker: Speaker,
    exam: Sequence[Wording],
    truths: Sequence[Truth],
    pictures: Sequence[Sequence[Any]],
) -> list[list[str]]:
    """What each wording gets for each face, as one of the seven emotions; "" for anything else.

    Case and a full stop in a reply do not count.
    """
    told = []
    for wording in exam:
        meant = {word.lower(): emotion for word, emotion in zip(wording.says, BASIC_7, strict=True)}
        asked = [wording.exchange(truth["emotion"]) for truth in truths]
        said = replies(speaker, list(zip(asked, pictures, strict=True)))
        told.append([meant.get(reply.strip().strip(".").lower(), "") for reply in said])
    return told


def cue_scores(
    speaker: Speaker,
    grammar: Grammar,
    truths: Sequence[Truth],
    pictures: Sequence[Sequence[Any]],
    rng: Random,
    *,
    full: bool,
) -> dict[str, float]:
    """Teeth, and the cue reports."""
    out = {}
    asked = [grammar.shipped.teeth(t) for t in truths]
    said = replies(speaker, list(zip(asked, pictures, strict=True)))
    out["teeth"] = uar([t["teeth_visible"] for t in truths], said)
    for name in ("report", "judge-then-explain") if full else ("report",):
        asked = [grammar.shipped.cues_usual(t, name) for t in truths]
        said = replies(speaker, list(zip(asked, pictures, strict=True)))
        found = [read_object(r) for r in said]
        keys = set(read_object(asked[0].answer))
        out[f"{name}/valid"] = float(np.mean([set(f) == keys for f in found]))
        for key in ("valence", "arousal"):
            given = [_number(f.get(key)) for f in found]
            out[f"{name}/{key}-ccc"] = ccc([t[key] for t in truths], given)
        for key in ("emotion", "eyebrows", "teeth_visible", "mouth") if full else ("eyebrows",):
            out[f"{name}/{key}"] = uar([t[key] for t in truths], [str(f.get(key)) for f in found])
    return out


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def clip_scores(
    speaker: Speaker, grammar: Grammar, clips: CachedDataset, rng: Random, *, count: int, full: bool
) -> dict[str, float]:
    """ME-VQA: coarse and fine class, units, yes/no."""
    out = {}
    truths = clips.truths[:count]
    frames = [[Image.fromarray(f) for f in clips.pixels[i]] for i in range(len(truths))]
    for name in ("plain", "guided", "label-list") if full else ("plain",):
        for kind, score in _CLIP_SCORES.items():
            asked = [grammar.clips.vqa_usual(rng, t, name, kind) for t in truths]
            said = replies(speaker, list(zip(asked, frames, strict=True)))
            out[f"vqa/{name}/{kind}"] = score([e.answer for e in asked], said)
    return out


_CLIP_SCORES: dict[str, Callable[[Sequence[str], Sequence[str]], float]] = {
    "coarse": uf1,
    "fine": uar,
    "units": set_f1,
    "unit": accuracy,
    "combined": accuracy,
}


def blank_score(speaker: Speaker, grammar: Grammar, truths: Sequence[Truth], rng: Random) -> float:
    """Share of replies to flat pictures that say so, over the prompts and the free grammar."""
    asked: list[tuple[Exchange, Sequence[Any]]] = []
    makers = (grammar.shipped.emotion, grammar.shipped.question, grammar.shipped.cues)
    for number, truth in enumerate(truths):
        side = rng.choice((64, 112, 224, 300))
        colour = (128, 128, 128) if number % 2 else tuple(rng.randrange(256) for _ in range(3))
        picture = Image.new("RGB", (side, side), colour)
        for make in makers:
            exchange = make(rng, truth)
            asked.append((Exchange(*_first(exchange)), [picture]))
    said = replies(speaker, asked)
    return float(np.mean([r == say.CANNOT_TELL for r in said]))


def _first(exchange: Exchange) -> tuple[str, str, str, str, str]:
    e = exchange
    return e.kind, e.system, e.lead, e.question, e.answer


def test_pools(*, faces: int, clips: int, seed: int) -> tuple[CachedDataset, CachedDataset]:
    """Fresh test subjects at the size at which data sets are exported; never for training."""
    drawn = [face_at(i, seed=seed, split="test") for i in range(faces)]
    drawings = [draw(face) for face in drawn]
    truths = tuple(
        {**annotate(f, d), "units": {str(u.number): [u.left, u.right] for u in f.units}}
        for f, d in zip(drawn, drawings, strict=True)
    )
    specs = [clip_at(i, seed=seed, split="test") for i in range(clips)]
    frames = [[draw(frame_at(c, at)).pixels for at in (c.onset, c.apex, c.offset)] for c in specs]
    told = tuple(
        {**annotate_clip(c), "units": {str(u.number): [u.left, u.right] for u in c.apex_units}}
        | {"rows": vqa_rows(c, f"clip-{i}")}
        for i, c in enumerate(specs)
    )
    still = np.stack([d.pixels[None] for d in drawings])
    return CachedDataset(still, truths), CachedDataset(
        np.stack([np.stack(f) for f in frames]), told
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Prints one score a line."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.affect_tiny.training.evaluate", description=__doc__
    )
    parser.add_argument("--weights", type=Path, default=weights_folder())
    parser.add_argument("--faces", type=int, default=280)
    parser.add_argument("--clips", type=int, default=140)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--dtype", default="float32")
    given = parser.parse_args(argv)
    faces, clips = test_pools(faces=given.faces, clips=given.clips, seed=given.seed)
    speaker = Speaker.load(given.weights, dtype=given.dtype)
    grammar = Grammar.of(Library([shipped_folder()]))
    count = max(given.faces, 2 * given.clips)
    for name, value in evaluate(speaker, grammar, faces, clips, count=count, full=True).items():
        print(f"{name:32s} {value:.3f}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
