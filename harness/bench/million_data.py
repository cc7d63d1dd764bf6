"""A task of very many samples: a table of questions about a few small pictures, which many samples share."""

from __future__ import annotations

import io
from pathlib import Path

from harness.bench.server import WORDS

PICTURES = 1000
"""Different pictures. Samples that share one ask different questions, so that no two requests are the same."""
SIDE = 32
PER_SUBJECT = 10
TASK = """\
source: {family: table, file: samples.csv, image: image, id: id, label: emotion, question: question, subject: person}
prompts: [question/options]
fields: {emotion: {kind: label, labels: basic-7}}
"""
PROMPT = """\
---
description: The question of a sample and the labels.
fields: [emotion]
---
{% user %}
{{ image }}
{{ question }} Choose one: {{ labels | join(", ") }}.
{% enduser %}
"""


def write_many(folder: Path, samples: int) -> Path:
    """Write `samples.csv`, its pictures, the task and its prompt; returns the task file."""
    (folder / "faces").mkdir(parents=True)
    (folder / "prompts" / "question").mkdir(parents=True)
    small = _small_picture()
    for number in range(min(PICTURES, samples)):
        # Bytes behind the end of a JPEG are no part of the picture, and make the file its own.
        (folder / "faces" / f"{number:04}.jpg").write_bytes(small + b"%04d" % number)
    with (folder / "samples.csv").open("w", encoding="utf-8") as file:
        file.write("id,image,emotion,question,person\n")
        for i in range(samples):
            word = WORDS[i * 7919 % 104729 % len(WORDS)]
            file.write(
                f"s{i:07},faces/{i % PICTURES:04}.jpg,{word},Face {i}: which emotion does it show?,p{i // PER_SUBJECT}\n"
            )
    (folder / "prompts" / "question" / "options.j2").write_text(PROMPT, encoding="utf-8")
    task = folder / "many.yaml"
    task.write_text(TASK, encoding="utf-8")
    return task


def _small_picture() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.linear_gradient("L").resize((SIDE, SIDE)).convert("RGB").save(out, "JPEG")
    return out.getvalue()
