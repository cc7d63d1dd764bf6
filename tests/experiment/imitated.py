"""Three models of known skill behind servers of their own, and an experiment with them on drawn faces.

with running_experiment(folder, n=84) as servers:
    ...  # harness run experiment.yaml, in `folder`

Ada reads more faces where the prompt defines the labels, Bo fewer where it is to think aloud, and refuses some; Cy reads
the same share by any prompt. Everyone guesses "neutral" of a grey picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from harness.sources import open_source
from tests.models.stub import WORDS, Stub, contents, running_stub

PROMPTS = ("emotion/plain", "emotion/defined", "emotion/cot", "emotion/au-guided")
_SAID = {"Think step by step": "emotion/cot", "action units": "emotion/au-guided", "Choose from": "emotion/defined"}  # fmt: skip
REFUSAL = "I'm sorry, but I can't judge the emotions of a person in a picture."
EXPERIMENT = """\
name: Do definitions help?
models: [{models}]
tasks: [faces/emotion]
prompts: [{prompts}]
conditions: [none, blank]
against: {{prompt: emotion/plain}}
set: {{source: {{n: {n}, seed: 3}}}}
"""


@dataclass(frozen=True)
class Imitated:
    """A model, the share of faces that it reads right by each prompt, and what its tokens cost."""

    name: str
    usual: float
    """Share right, where nothing else is said of a prompt."""
    by: Mapping[str, float] = field(default_factory=dict)
    refuses: float = 0.0
    """Share of faces that it refuses to judge."""
    price: tuple[float, float] = (0.5, 1.5)
    """Of a million tokens of the prompt and of the reply, in USD."""

    def share(self, prompt: str) -> float:
        return self.by.get(prompt, self.usual)


MODELS = (
    Imitated("ada-7b", 0.50, {"emotion/defined": 0.84}, price=(0.2, 0.6)),
    Imitated("bo-11b", 0.62, {"emotion/cot": 0.28}, refuses=0.04, price=(2.5, 10.0)),
    Imitated("cy-1b", 0.55, price=(0.05, 0.2)),
)


def drawn(*words: str) -> float:
    """A number from 0 to 1 that depends on the words alone."""
    return int(hashlib.sha256("/".join(words).encode()).hexdigest()[:8], 16) / 2**32


def answering(model: Imitated, truths: Mapping[str, str]) -> Callable[[dict[str, Any]], str]:
    """What the model says to a request. `truths`: digest of a picture -> its label."""

    def answer(body: dict[str, Any]) -> str:
        text, pictures = contents(body)
        if not pictures:
            return "Hello"
        prompt = next((name for words, name in _SAID.items() if words in text), PROMPTS[0])
        face = hashlib.sha256(pictures[-1]).hexdigest()
        said = _word(model, prompt, face, truths.get(face))
        if prompt == "emotion/cot" and said != REFUSAL:
            return f"The brows and the mouth are what stands out in this face.\nAnswer: {said}"
        return said

    return answer


def _word(model: Imitated, prompt: str, face: str, truth: str | None) -> str:
    if truth is None:
        return "neutral"
    if drawn("refuses", model.name, face) < model.refuses:
        return REFUSAL
    # Of 10 faces 7 are as easy for one prompt and model as for another, so that answers are paired.
    shared = drawn("shared", model.name, face) < 0.7
    luck = drawn("face", face) if shared else drawn("own", model.name, prompt, face)
    if luck < model.share(prompt):
        return truth
    others = [word for word in WORDS if word != truth]
    return others[int(len(others) * drawn("wrong", model.name, face))]


def _usage(body: dict[str, Any], completion: dict[str, Any]) -> None:
    """Tokens as a server would count them: 85 a picture, and one for four characters."""
    text, pictures = contents(body)
    said = completion["choices"][0]["message"]["content"] or ""
    asked, replied = 85 * len(pictures) + len(text) // 4, 1 + len(said) // 4
    completion["usage"] = {
        "prompt_tokens": asked, "completion_tokens": replied, "total_tokens": asked + replied
    }  # fmt: skip


def truths_of(*, n: int, seed: int = 3) -> dict[str, str]:
    """Digest of each drawn face of `faces/emotion` -> its label."""
    task = load_task("faces/emotion", open_workspace(Path.cwd()))
    faces = open_source({**task.source, "n": n, "seed": seed}, fields=task.fields, base=Path())
    return {
        hashlib.sha256(face.medium.frames[0].read()).hexdigest(): str(face.targets["emotion"])
        for face in faces
    }


@contextmanager
def running_experiment(folder: Path, *, n: int) -> Iterator[list[Stub]]:
    """The servers until the block ends; `harness.toml` with their addresses and prices, and `experiment.yaml`, in `folder`."""
    truths = truths_of(n=n)
    with ExitStack() as stack:
        entries, stubs = [], []
        for model in MODELS:
            stub = stack.enter_context(
                running_stub(
                    model=model.name, answer=answering(model, truths), extend=_usage, latency=0.002
                )
            )
            stubs.append(stub)
            asked, replied = model.price
            entries.append(
                f'[models."{model.name}"]\nmodel = "openai:{model.name}@{stub.url}/v1"\n'
                f"price = {{input = {asked}, output = {replied}}}\n"
            )
        (folder / "harness.toml").write_text("\n".join(entries), encoding="utf-8")
        experiment = folder / "experiment.yaml"
        names = ", ".join(model.name for model in MODELS)
        experiment.write_text(
            EXPERIMENT.format(models=names, prompts=", ".join(PROMPTS), n=n), encoding="utf-8"
        )
        yield stubs
