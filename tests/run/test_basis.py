"""The basis: it changes with all that determines a reply, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import create_model

from harness.core.cell import Cell
from harness.core.field import FieldSpec
from harness.core.prompt import Prompt, PromptHead
from harness.core.request import Sampling
from harness.core.task import MediaSpec, Task
from harness.run import scoring
from harness.run.basis import FIELD_KEYS, TASK_KEYS, basis, basis_0_2, basis_of, may_define

CELL = Cell("t", "m", "p", "none", "single")
FIELD: dict[str, Any] = {
    "kind": "label",
    "labels": ("anger", "fear"),
    "definitions": {"fear": "of harm"},
}
TASK: dict[str, Any] = {
    "name": "t",
    "source": {"family": "table", "file": "a.csv"},
    "fields": {"emotion": FIELD, "valence": {"kind": "number"}},
    "prompts": ["p"],
}
SAMPLING = Sampling(temperature=0.0, seed=0, max_tokens=64)


def prompt(source: str = "{{ labels }}", digest: str = "d1") -> Prompt:
    return Prompt("p", Path("p.j2"), PromptHead(fields=("emotion",)), source, digest)


def task(**changes: Any) -> Task:
    return Task.model_validate({**TASK, **changes})


def field(**changes: Any) -> Task:
    """The task with another `emotion`."""
    return task(fields={**TASK["fields"], "emotion": {**FIELD, **changes}})


def number(**changes: Any) -> Task:
    """The task with another `valence`."""
    return task(fields={**TASK["fields"], "valence": {"kind": "number", **changes}})


def made(asked: Task | None = None, **changes: Any) -> str:
    given: dict[str, Any] = {
        "cell": CELL, "prompt": prompt(), "identity": "i1", "sampling": SAMPLING, "max_images": None,
    } | changes  # fmt: skip
    return basis(
        given["cell"], asked or task(), given["prompt"], given["identity"], given["sampling"],
        max_images=given["max_images"],
    )  # fmt: skip


@pytest.mark.parametrize(
    "asked",
    [
        field(metrics=["kappa"]), field(scored=False), field(synonyms={"fear": ["dread"]}), field(definitions={}),
        number(tolerance=0.2), task(slices=["gender"]), task(folds="fold"), task(cluster="image"), task(parts="kind"),
        task(public=True), task(notice="N"), task(description="D"), task(people_at="work"), task(confidence="valence"), task(prompts=["p", "q"]),
        task(source={"family": "table", "file": "b.csv"}), task(sentences="megc"), task(unconstrained="free"),
        task(spotting={"field": "emotion"}), task(exemplars={"split": "train"}),
    ],
)  # fmt: skip
def test_what_concerns_scoring_or_the_choice_of_samples_changes_nothing(asked: Task) -> None:
    assert asked != task()
    assert made(asked) == made()


@pytest.mark.parametrize(
    "asked",
    [
        field(labels=("anger", "joy"), definitions={}), field(labels=("fear", "anger")), field(kind="set"),
        number(low=0.0), number(high=9.0), number(words={"fine": 0.5}), number(kind="text"),
        task(media={"resize": 64}), task(media={"frames": "apex"}), task(media={"fps": 30}),
        task(fields={"emotion": FIELD}), task(spotting={"given": {"origin": "a.csv", "digest": "d"}}),
    ],
)  # fmt: skip
def test_what_is_shown_or_taken_changes_it(asked: Task) -> None:
    assert made(asked) != made()


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": prompt(digest="d2")}, {"identity": "i2"}, {"max_images": 1},
        *({"sampling": replace(SAMPLING, **{name: value})} for name, value in
          (("temperature", 0.7), ("seed", 1), ("max_tokens", 65), ("top_p", 0.9), ("top_k", 5), ("repetition_penalty", 1.1))),
        *({"cell": replace(CELL, **{name: value})} for name, value in
          (("condition", "blank"), ("shots", 2), ("label_order", "reversed"), ("protocol", "vote-5"), ("channel", "choice"))),
    ],
)  # fmt: skip
def test_prompt_model_sampling_and_cell_change_it(changes: dict[str, Any]) -> None:
    assert made(**changes) != made()


def test_definitions_count_where_the_prompt_may_show_them() -> None:
    other = field(definitions={"fear": "of loss"})
    for source in ("{{ definitions }}", "{% extends 'own/base' %}", "{%- include 'x' -%}"):
        shows = prompt(source)
        assert made(other, prompt=shows) != made(prompt=shows)
    assert not may_define("{% user %}{{ image }} extends, from and import are words {% enduser %}")


def test_where_examples_come_from_counts_where_any_are_shown() -> None:
    cell = replace(CELL, shots=2)
    assert made(task(exemplars={"split": "train"}), cell=cell) != made(cell=cell)


def test_the_name_of_an_earlier_version_or_a_given_id_changes_nothing() -> None:
    assert made(cell=replace(CELL, prompt="p@2026-11-28-123456", asked_as="p")) == made()
    assert made(cell=replace(CELL, given_id="0123456789")) == made()


def test_a_manifest_gives_the_same_as_the_command() -> None:
    found = basis_of(CELL, task(), "d1", "i1", {"max_tokens": 64}, defining=False)
    assert found == made()


def test_an_option_that_a_later_version_adds_changes_nothing_while_it_has_its_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both hashes: that of now and that of 0.2.0."""
    before = made(), basis_0_2(CELL, task(), prompt(), "i1", SAMPLING)
    field_later = create_model("FieldSpec", __base__=FieldSpec, crowd=(int, 3))
    media_later = create_model("MediaSpec", __base__=MediaSpec, crop=(str, "none"))
    task_later = create_model(
        "Task", __base__=Task, fields=(dict[str, field_later], ...), media=(media_later, media_later()),
        weights=(str, ""),
    )  # fmt: skip
    monkeypatch.setattr("harness.run.basis.FIELD_KEYS", FIELD_KEYS | {"crowd"})
    later = task_later.model_validate(TASK)
    assert (made(later), basis_0_2(CELL, later, prompt(), "i1", SAMPLING)) == before
    assert made(task_later.model_validate({**TASK, "media": {"crop": "face"}})) != before[0]


def test_every_key_is_part_of_the_basis_or_said_to_be_none() -> None:
    """Whoever adds a key to a task or a field decides: does it change what is asked (harness.run.basis), how replies
    are scored (harness.run.scoring), or neither (here)?"""
    neither = {
        "name": "stands in the cell's id",
        "source": "says which samples there are; each request has a key of its own",
        "prompts": "says which cells there are",
        "unconstrained": "whether a run goes on that cannot hold a model; it is checked each time",
        "spotting": "field and rest say which answers are joined, the digest of given intervals counts; the other keys concern "
        "scoring alone",
    }
    kinds = [TASK_KEYS, scoring.TASK_KEYS, set(neither)]
    assert sorted(Task.model_fields) == sorted(name for keys in kinds for name in keys)
    shared = {"definitions"}
    assert set(FieldSpec.model_fields) == FIELD_KEYS | scoring.FIELD_KEYS
    assert shared == FIELD_KEYS & scoring.FIELD_KEYS
