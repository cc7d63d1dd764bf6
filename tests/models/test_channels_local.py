"""The channels of the local engine, on affect-tiny and drawn faces."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.core.constraint import Constraint
from harness.core.generation import Generation
from harness.core.message import Message
from harness.core.model import Model
from harness.core.request import Sampling, make_request
from harness.models.registry import open_model

pytest.importorskip("torch")
pytestmark = pytest.mark.slow

LABELS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
COUNT = 6


@pytest.fixture(scope="module")
def faces() -> list[tuple[Message, ...]]:
    """The shipped prompt over drawn faces."""
    from harness.conditions.registry import load_condition
    from harness.prompting.library import Library
    from harness.run.prepare import prompt_variables
    from harness.run.presentation import show
    from harness.run.task_files import load_task
    from harness.run.workspace import open_workspace
    from harness.sources import open_source

    place = open_workspace(Path())
    task = load_task("faces/emotion", place, changes=[f"source.n={COUNT}"])
    source = open_source(task.source, fields=task.fields, base=Path())
    library = Library(place.prompts)
    prompt = library.prompt("emotion/plain")
    variables = prompt_variables(task, ["emotion"])
    return [
        library.render(
            prompt,
            variables=variables,
            pictures=show(sample.medium, load_condition("none"), task).pictures,
            replies={},
        ).messages
        for sample in source
    ]


@pytest.fixture(scope="module")
def tiny() -> Iterator[Model]:
    model = open_model("affect-tiny")
    yield model
    asyncio.run(model.close())


def put(
    model: Model, turns: Sequence[tuple[Message, ...]], *, temperature: float = 0.0, **wanted: Any
) -> list[Generation]:
    async def all_of() -> list[Generation]:
        requests = [
            make_request(t, Sampling(max_tokens=12, temperature=temperature), model="t", **wanted)
            for t in turns
        ]
        return list(await asyncio.gather(*(model.reply(request) for request in requests)))

    return asyncio.run(all_of())


def test_the_card_says_what_holds(tiny: Model) -> None:
    assert tiny.card.constraints == {"choice": "token-trie"}
    assert tiny.card.estimators == ("continuation",)


def test_labels_are_scored_whole_and_mostly_as_answered(
    tiny: Model, faces: list[tuple[Message, ...]]
) -> None:
    free = put(tiny, faces)
    scored = put(tiny, faces, candidates=LABELS)
    for one in scored:
        assert one.scores is not None and one.finish == "stop"
        assert one.scores.labels == LABELS and one.scores.estimator == "continuation"
        assert all(count >= 2 for count in one.scores.tokens)  # a label has a token, and an end
        assert 0 < sum(map(math.exp, one.scores.logprobs)) <= 1 + 1e-6
        assert one.text == LABELS[max(range(7), key=one.scores.logprobs.__getitem__)]
    same = sum(a.text == b.text for a, b in zip(free, scored, strict=True))
    assert same >= COUNT - 2


def test_a_label_alone_scores_as_among_others_and_in_any_batch(
    tiny: Model, faces: list[tuple[Message, ...]]
) -> None:
    together = put(tiny, faces[:2], candidates=LABELS)
    mixed = ("surprise", "anger", "a face at rest")
    for turns, whole in zip(faces[:2], together, strict=True):
        (alone,) = put(tiny, [turns], candidates=mixed)
        assert alone.scores is not None and whole.scores is not None
        for label in ("surprise", "anger"):
            expected = whole.scores.logprobs[LABELS.index(label)]
            assert alone.scores.logprobs[mixed.index(label)] == pytest.approx(expected, abs=1e-4)


def test_the_score_of_a_label_is_that_of_its_tokens_one_by_one(
    tiny: Model, faces: list[tuple[Message, ...]]
) -> None:
    """Against a plain pass through the checkpoint, without batch and padding."""
    import torch

    engine = tiny._load()  # type: ignore[attr-defined]
    turns = faces[0]
    (got,) = put(tiny, [turns], candidates=("happiness", "fear"))
    prompt = engine.prepare(make_request(turns, Sampling(), model="t"))
    tokenizer, network = engine._processor.tokenizer, engine._model
    whole = engine._processor(
        text=[prompt.text + "happiness<|im_end|>"],
        images=[list(prompt.pictures)],
        return_tensors="pt",
    )
    with torch.inference_mode():
        known = network(**whole).logits[0].float().log_softmax(-1)
    ids = whole["input_ids"][0].tolist()
    own = tokenizer("happiness<|im_end|>", add_special_tokens=False)["input_ids"]
    assert ids[-len(own) :] == own
    total = sum(float(known[len(ids) - len(own) + k - 1, token]) for k, token in enumerate(own))
    assert got.scores is not None
    assert got.scores.logprobs[0] == pytest.approx(total, abs=1e-4)
    assert got.scores.tokens[0] == len(own)


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_a_held_reply_is_one_of_its_choices(
    tiny: Model, faces: list[tuple[Message, ...]], temperature: float
) -> None:
    """Choices that no free reply of this model would be, one the beginning of another."""
    choices = ("on reflection, joy", "on reflection", "fear it is")
    held = put(
        tiny, faces[:4], temperature=temperature, constraint=Constraint("choice", choices=choices)
    )
    assert {one.finish for one in held} == {"stop"}
    assert all(one.text in choices for one in held)


def test_a_choice_is_mostly_the_likeliest_label(
    tiny: Model, faces: list[tuple[Message, ...]]
) -> None:
    held = put(tiny, faces, constraint=Constraint("choice", choices=LABELS))
    scored = put(tiny, faces, candidates=LABELS)
    assert all(one.text in LABELS for one in held)
    assert sum(a.text == b.text for a, b in zip(held, scored, strict=True)) >= COUNT - 2


def test_what_the_engine_cannot_hold_fails_typed(
    tiny: Model, faces: list[tuple[Message, ...]]
) -> None:
    (got,) = put(tiny, faces[:1], constraint=Constraint("regex", text="[0-9]"))
    assert got.failure is not None and got.failure.kind == "unsupported"
