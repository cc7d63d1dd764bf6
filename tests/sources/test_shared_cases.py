"""Small inputs of an optional folder beside the project, each of which stands for a kind of fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.source import Source, source_notes
from harness.media.decode import decode
from harness.media.portable import portable_noted
from harness.sources import open_source

CASES = Path(__file__).parents[3] / "shared" / "cases" / "data"
EMOTION = {"emotion": FieldSpec(kind="label")}

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the optional folder is not here")


def opened(name: str, **options: object) -> Source:
    asked = {"family": "table", "file": name, **options}
    return open_source(asked, fields=EMOTION, base=CASES)


def test_spellings_of_one_class() -> None:
    source = opened("mixedcase.csv")
    labels = {str(sample.targets["emotion"]) for sample in source}
    assert len(labels) == 7
    assert len({label.lower() for label in labels}) == 7
    mixed = opened("mixed.csv", image="name", label="gt")
    assert len({sample.targets["emotion"] for sample in mixed}) == 7
    assert len(source_notes(mixed)) == 7


def test_codes_are_refused_or_named() -> None:
    with pytest.raises(HarnessError, match="labels are codes"):
        list(opened("ints.csv"))
    named = {sample.targets["emotion"] for sample in opened("ints.csv", labels="fer2013")}
    assert named <= {"anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"}
    held = {sample.targets["emotion"] for sample in opened("classlabel.parquet", label="label")}
    assert "anger" in held


@pytest.mark.parametrize("name", ["vlm.tsv", "datauri.csv"])
def test_pictures_in_cells(name: str) -> None:
    for sample in opened(name):
        assert decode(sample.medium.frames[0].read(), name=name).size == (224, 224)


def test_a_backslash_is_an_unknown_apex() -> None:
    options = {"family": "casme2", "root": ".", "workbook": "casme2-backslash-apex.csv"}
    samples = list(open_source(options, fields=EMOTION, base=CASES))
    assert any(sample.medium.apex is None for sample in samples)
    assert any(sample.medium.apex is not None for sample in samples)


def test_a_picture_with_a_long_text() -> None:
    data = (CASES / "long-text.png").read_bytes()
    sent, rules = portable_noted(data, name="long-text.png")
    assert rules == ("texts-left-out",)
    assert decode(sent, name="sent").size == (160, 160)
