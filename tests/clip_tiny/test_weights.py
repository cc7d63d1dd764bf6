"""The shipped checkpoint: small, loads with stock classes, reads drawn test subjects by what they show."""

from __future__ import annotations

import io
from typing import Any

import pytest

from harness.clip_tiny import weights_folder
from harness.core.field import FieldSpec
from harness.core.folders import shipped_folder
from harness.core.task import Task
from harness.faces import BASIC_7, draw, encode_png, face_at
from harness.models.dual.model import find_dual
from harness.prompting.library import Library
from harness.tune.tune import label_texts

FILES = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "preprocessor_config.json"}  # fmt: skip


def test_the_checkpoint_is_whole_and_small() -> None:
    files = {file.name: file.stat().st_size for file in weights_folder().iterdir()}
    assert set(files) >= FILES
    assert sum(files.values()) <= 8_000_000


@pytest.mark.slow
def test_descriptions_read_faces_and_names_do_not() -> None:
    import PIL.Image
    import torch

    encoder = find_dual("tiny").load()
    faces = [face_at(n, seed=11) for n in range(70)]
    pictures = [PIL.Image.open(io.BytesIO(encode_png(draw(face).pixels))) for face in faces]
    labels = torch.tensor([BASIC_7.index(face.emotion) for face in faces])
    library = Library([shipped_folder()])
    task = Task(name="x", source={"family": "faces"}, fields={"emotion": FieldSpec(kind="label", labels=BASIC_7)}, prompts=("dual/name",))  # fmt: skip

    def right(name: str, order: Any = range(7)) -> float:
        texts = label_texts(library, name, task, "emotion", BASIC_7)
        found = encoder.ensemble([texts[n] for n in order])
        return float((encoder.logits(seen, found).argmax(1) == labels).float().mean())

    with torch.no_grad():
        seen = encoder.of_pictures(encoder.pixels(pictures))
        described = right("dual/described")
        assert described > 0.5
        assert right("dual/name") < described - 0.2
        assert right("dual/described", [*range(1, 7), 0]) < 0.25
