"""The shipped prompts: exact renderings, clean lint, contracts, cost."""

from __future__ import annotations

import time

import pytest

from harness.core.field import FieldSpec
from harness.core.folders import shipped_folder
from harness.core.message import Image
from harness.prompting.library import Library
from harness.prompting.lint import lint
from harness.prompting.variables import PROMPT_VARIABLES, field_variables

from .desk import pictures
from .shipped import EMOTION, FIELDS, GOLDEN, as_text, cases, render

NAMES = list(Library([shipped_folder()]).names())


@pytest.fixture(scope="module")
def library():
    return Library([shipped_folder()])


@pytest.mark.parametrize("name", NAMES)
def test_golden_renderings(library, name):
    prompt = library.prompt(name)
    for stem, case in cases(prompt).items():
        expected = (GOLDEN / f"{stem}.txt").read_text(encoding="utf-8")
        assert as_text(render(library, prompt, *case)) == expected


def test_no_golden_is_left_over(library):
    stems = {stem for name in NAMES for stem in cases(library.prompt(name))}
    assert {path.stem for path in GOLDEN.glob("*.txt")} == stems


@pytest.mark.parametrize("name", NAMES)
def test_lint_is_clean(library, name):
    prompt = library.prompt(name)
    assert lint(library, prompt) == []
    assert prompt.head.description
    assert library.variables(prompt) <= PROMPT_VARIABLES.keys()


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("emotion/")])
def test_labels_are_shown_in_the_order_given(library, name):
    prompt = library.prompt(name)
    for labels in (("fear", "anger", "joy"), ("joy", "fear", "anger")):
        fields = {"emotion": FieldSpec(kind="label", labels=labels)}
        rendering = library.render(
            prompt,
            variables=field_variables(fields),
            pictures=pictures(1),
            replies={"description": "x"},
        )
        text = rendering.messages[-1].text
        places = [text.index(label) for label in labels]
        assert places == sorted(places)


def test_reported_keys_are_the_fields_asked_for(library):
    asked = {name: FIELDS[name] for name in ("teeth_visible", "valence")}
    for name in ("cues/report", "cues/judge-then-explain"):
        rendering = library.render(
            library.prompt(name), variables=field_variables(asked), pictures=pictures(1)
        )
        keys = [
            line.split('"')[1]
            for line in rendering.messages[-1].text.split("\n")
            if line[0:1] == '"'
        ]
        assert sorted(keys) == ["teeth_visible", "valence"]


def test_field_variables():
    fields = {
        "valence": FieldSpec(kind="number", low=-0.5),
        "shown": FieldSpec(kind="yes-no"),
        "emotion": EMOTION,
        "note": FieldSpec(kind="text"),
    }
    variables = field_variables(fields, question="q")
    assert variables == {
        "fields": {
            "valence": {"kind": "number", "labels": [], "low": -0.5, "high": 1, "words": []},
            "shown": {"kind": "yes-no", "labels": ["yes", "no"], "low": -1, "high": 1, "words": []},
            "emotion": {
                "kind": "label",
                "labels": ["anger", "happiness", "neutral"],
                "low": -1,
                "high": 1,
                "words": [],
            },
            "note": {"kind": "text", "labels": [], "low": -1, "high": 1, "words": []},
        },
        "labels": ["yes", "no"],
        "definitions": dict(EMOTION.definitions),
        "exemplars": (),
        "question": "q",
    }
    assert "question" not in field_variables(fields)
    assert "labels" not in field_variables({"valence": FieldSpec(kind="number")})
    with pytest.raises(ValueError, match="must be resolved"):
        field_variables({"emotion": FieldSpec(kind="label", labels="basic-7")})


def test_a_rendering_costs_little(library):
    prompt = library.prompt("emotion/plain")
    variables = field_variables({"emotion": EMOTION})
    shown = [Image("p", b"x")]
    best = 1.0
    for _ in range(20):
        start = time.process_time()
        for _ in range(50):
            library.render(prompt, variables=variables, pictures=shown)
        best = min(best, (time.process_time() - start) / 50)
    assert best < 200e-6  # about 30 us on an idle core
