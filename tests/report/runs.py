"""Run folders made by hand: a journal as a run would leave it, scored by the real scorer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.core.cell import Cell, trial_id
from harness.core.field import FieldSpec
from harness.core.generation import Failure, Generation
from harness.core.medium import image
from harness.core.message import Image, Message, Text
from harness.core.picture import HeldPicture
from harness.core.sample import Sample
from harness.core.task import Task
from harness.run.folder import RunFolder
from harness.run.journal import Journal
from harness.run.samples import write_samples
from harness.sources import open_source

LABELS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
MODEL = "affect-tiny"
HEADS: Mapping[str, Mapping[str, Any]] = {
    "emotion/plain": {"fields": ["emotion"], "description": "The label, nothing else."},
    "emotion/cot": {"fields": ["emotion"], "answer": "final"},
    "emotion/both": {"fields": ["emotion", "mouth"]},
    "vqa/plain": {"fields": ["presence", "coarse", "units", "valence"]},
    "pairs/plain": {"fields": ["same"]},
}

Speak = Callable[[Cell, Sample, int], "str | Failure | None"]
"""(cell, sample, its number) -> the reply, why there is none, or None for a trial not run yet."""


def emotion_task(n: int = 28, **more: Any) -> Task:
    """Drawn faces with one label each."""
    return Task(
        name="emotion/drawn",
        description="Drawn faces, seven basic emotions.",
        source={"family": "faces", "kind": "image", "n": n, "seed": 3, "size": 64},
        fields={"emotion": FieldSpec(kind="label", labels=LABELS)},
        prompts=("emotion/plain", "emotion/cot"),
        slices=("glasses",),
        notice="Drawn faces are no people: scores here say nothing about photographs.",
        **more,
    )


def right_by_share(share: Mapping[tuple[str, str], float]) -> Speak:
    """Replies right on this share of the samples of each model and prompt; the same one label where the picture is
    blank. Prompts of one model are right on nested samples."""

    def reply(cell: Cell, sample: Sample, number: int) -> str:
        truth = str(sample.targets["emotion"])
        if cell.condition == "blank":
            return f"Final answer: {LABELS[-1]}"
        drawn = hashlib.sha256(f"{sample.id}{cell.model}".encode()).digest()
        right = drawn[0] / 256 < share[cell.model, cell.prompt]
        return f"Final answer: {truth if right else LABELS[(LABELS.index(truth) + 1) % 7]}"

    return reply


def question_task() -> Task:
    """Pictures that must not be shown, with questions of three kinds and a number."""
    return Task(
        name="vqa/table",
        source={"family": "table", "file": "questions.csv"},
        fields={
            "presence": FieldSpec(kind="yes-no"),
            "coarse": FieldSpec(kind="label", labels=("negative", "positive", "surprise")),
            "units": FieldSpec(kind="set", labels=("inner brow raiser", "lip corner puller")),
            "valence": FieldSpec(kind="number", low=-1, high=1),
        },
        prompts=("vqa/plain",),
        parts="kind",
        cluster="image",
    )


def question_samples(n: int = 40) -> list[Sample]:
    """Made-up rows: a quarter of each kind."""
    found = []
    for i in range(n):
        kind = ("presence", "coarse", "units", "valence")[i % 4]
        truth: Any = {
            "presence": "yes" if i % 8 else "no",
            "coarse": ("negative", "positive", "surprise")[i // 4 % 3],
            "units": ("inner brow raiser",)
            if i % 3
            else ("inner brow raiser", "lip corner puller"),
            "valence": round((i % 11) / 5 - 1, 2),
        }[kind]
        found.append(
            Sample(
                id=f"row-{i:03d}",
                medium=image(HeldPicture(f"photo-{i}.png", b"not a picture")),
                targets={kind: truth},
                question=f"Question {i}?",
                asks=(kind,),
                annotations={"kind": kind},
            )
        )
    return found


def samples_of(task: Task) -> list[Sample]:
    if task.source["family"] == "faces":
        return list(open_source(task.source, fields=task.fields, base=Path()))
    return question_samples()


def speak(cell: Cell, sample: Sample, number: int) -> str | Failure | None:
    """A model that is right two times in three, and fails in every way there is."""
    mishaps: Mapping[int, str | Failure] = {
        5: "I'm sorry, but I can't judge a person's emotions.",
        11: "The weather is fine today.",
        17: "",
        23: Failure("timeout", "no answer within 60 s"),
    }
    if cell.condition == "blank":
        return "neutral"
    if number in mishaps:
        return mishaps[number]
    field, truth = next(iter(sample.targets.items()))
    wrong = number % 3 == 0
    if field == "emotion":
        label = LABELS[number % len(LABELS)] if wrong else str(truth)
        return f"Looking closely.\nFinal answer: {label}" if cell.prompt == "emotion/cot" else label
    if field == "units":
        return ", ".join(truth[:1] if wrong else truth)
    return (
        "positive"
        if wrong and field == "coarse"
        else "no"
        if wrong and field == "presence"
        else str(truth)
    )


def make_run(
    path: Path,
    *,
    tasks: Sequence[Task] = (),
    conditions: Sequence[str] = ("none", "blank"),
    reply: Speak = speak,
    models: Sequence[str] = (MODEL,),
    details: Mapping[str, Any] | None = None,
) -> RunFolder:
    """A run folder whose journal holds what `reply` said."""
    folder = RunFolder(path)
    folder.create()
    tasks = tasks or (emotion_task(), question_task())
    entries, cells = {}, []
    journal = Journal(folder)
    for task in tasks:
        samples = samples_of(task)
        summary = write_samples(samples, task, folder.samples(task.name), limited=False)
        own = summary.own_clusters and task.cluster == "auto"
        entries[task.name] = _task_entry(
            task, samples, summary.clusters, "subject" if own else "image"
        )
        shown = conditions if task.source["family"] == "faces" else ("none",)
        mine = [
            Cell(task.name, m, p, c, "single") for m in models for p in task.prompts for c in shown
        ]
        cells += mine
        for cell in mine:
            _answer(journal, cell, samples, reply)
    journal.close()
    folder.manifest.write_text(json.dumps(_manifest(entries, cells, models, details), indent=1))
    return folder


def _answer(journal: Journal, cell: Cell, samples: Sequence[Sample], reply: Speak) -> None:
    for number, sample in enumerate(samples):
        if not set(sample.asks or HEADS[cell.prompt]["fields"]) & set(HEADS[cell.prompt]["fields"]):
            continue
        said = reply(cell, sample, number)
        trial = trial_id(cell, sample.id)
        if isinstance(said, Failure):
            journal.add_trial(trial, "basis", [], said)
        elif said is not None:
            key = hashlib.sha256(f"{len(journal)}".encode()).hexdigest()[:32]
            asked = sample.question or "Which expression?"
            turn = Message(
                "user", (Image("face", b"\x89PNG\r\n\x1a\n"), Text(f" {asked} One word."))
            )
            journal.add_reply(Generation(key, said, "stop"), (turn,))
            journal.add_trial(trial, "basis", [key])


def _task_entry(task: Task, samples: Sequence[Sample], clusters: int, unit: str) -> dict[str, Any]:
    digest = "0" * 64
    if task.source["family"] == "faces":
        digest = open_source(task.source, fields=task.fields, base=Path()).digest()
    return {
        "config": task.model_dump(mode="json"), "digest": "d" * 64, "data_digest": digest,
        "samples": len(samples), "clusters": clusters, "cluster_unit": unit,
        "skipped": [{"reason": "no picture", "count": 2}],
    }  # fmt: skip


def _manifest(
    entries: Mapping[str, Any],
    cells: Sequence[Cell],
    models: Sequence[str],
    details: Mapping[str, Any] | None,
) -> dict[str, Any]:
    return {
        "schema": 1,
        "started": "2026-01-02T03:04:05+00:00",
        "command": ["harness", "run", *entries, *(f"--model={name}" for name in models)],
        "git": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": True},
        "packages": {"affect-harness": "0.1.0", "numpy": "2.0.0"},
        "hardware": {"system": "Linux", "machine": "x86_64", "processor": "CPU", "cores": 2, "memory_gib": 8.0},
        "parser": "1",
        "seeds": {"sampling": 0, "selection": 0, "bootstrap": 0},
        "limit": None,
        "conditions": ["none", "blank"],
        "tasks": dict(entries),
        "prompts": {
            name: {"digest": name.encode().hex().ljust(64, "0"), "head": head, "source": f"{{% user %}}{name}{{% enduser %}}"}
            for name, head in HEADS.items()
        },
        "models": {
            name: {"identity": "weights 1234", "details": dict(details or {"revision": "1234"})} for name in models
        },
        "cells": [
            {
                "id": cell.id, "task": cell.task, "model": cell.model, "prompt": cell.prompt,
                "condition": cell.condition, "protocol": cell.protocol, "basis": "basis",
                "sampling": {"max_tokens": 16, "temperature": 0.0}, "trials": entries[cell.task]["samples"],
            }
            for cell in cells
        ],
        "fit_on": None,
    }  # fmt: skip


def strings_of(value: Any) -> Iterator[str]:
    """Every string in plain JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings_of(item)
