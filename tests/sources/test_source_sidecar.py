"""Side tables that bring truths and annotations to any source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.sample import Sample
from harness.core.source import Skipped, Source
from harness.sources import open_source

FIELDS = {
    "emotion": FieldSpec(kind="label", labels=("anger", "happiness")),
    "teeth_visible": FieldSpec(kind="yes-no"),
}


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """A folder for each class, and a side table beside them."""
    for label, names in (("anger", "ab"), ("happiness", "cd")):
        (tmp_path / label).mkdir()
        for name in names:
            (tmp_path / label / f"{name}.png").write_bytes(b"not opened")
    return tmp_path


def opened(folder: Path, body: str, **options: Any) -> Source:
    (folder / "side.csv").write_text(body)
    asked = {
        "family": "folder",
        "root": ".",
        "field": "emotion",
        "sidecar": {"file": "side.csv", **options},
    }
    return open_source(asked, fields=FIELDS, base=folder)


def by_name(source: Source) -> dict[str, Sample]:
    return {Path(sample.id).stem: sample for sample in source}


def test_a_partial_column_brings_truths_and_annotations(faces: Path) -> None:
    source = opened(
        faces,
        "image,teeth_visible,light\na.png,no,dim\nc.png,yes,\nhappiness/d.png,unsure,bright\n",
        blank=["unsure"],
    )
    found = by_name(source)
    assert {n: s.targets.get("teeth_visible") for n, s in found.items()} == {
        "a": "no", "b": None, "c": "yes", "d": None,
    }  # fmt: skip
    assert {s.targets["emotion"] for s in found.values()} == {"anger", "happiness"}
    assert found["a"].annotations["light"] == "dim"
    assert "light" not in found["b"].annotations
    assert found["d"].annotations["teeth_visible"] == "unsure"


def test_only_the_samples_named_where_asked(faces: Path) -> None:
    source = opened(faces, "sample,teeth_visible\na.png,no\n", only=True)
    assert list(by_name(source)) == ["a"]
    assert Skipped("not in the sidecar", 3) in source.skipped()


def test_places_of_the_face_may_come_along(faces: Path) -> None:
    found = by_name(opened(faces, 'image,face_box\na.png,"1,2,30,40"\n'))
    assert dict(found["a"].medium.notes) == {"face_box": "1,2,30,40"}


def test_the_digest_follows_the_table_and_its_options(faces: Path) -> None:
    body = "image,teeth_visible\na.png,no\n"
    digests = [
        opened(faces, body).digest(),
        opened(faces, body, only=True).digest(),
        opened(faces, body.replace("no", "yes")).digest(),
        open_source(
            {"family": "folder", "root": ".", "field": "emotion"}, fields=FIELDS, base=faces
        ).digest(),
    ]
    assert len(set(digests)) == 4


@pytest.mark.parametrize(
    ("body", "options", "message"),
    [
        (
            "image,teeth_visible\nz.png,no\n",
            {},
            r"contains none of the samples \(it contains 'z.png'",
        ),
        ("image,teeth_visible\na.png,no\na.png,yes\n", {}, "'a.png' appears twice"),
        ("picture,teeth_visible\na.png,no\n", {}, "has no column 'sample'"),
        ("image,teeth_visible\na.png,no\n", {"columns": ["smile"]}, "has no column 'smile'"),
        ("image,teeth_visible\na.png,perhaps\n", {}, "teeth_visible"),
        ("image,teeth_visible\na.png,no\n", {"colour": 1}, "colour"),
    ],
)
def test_what_is_wrong_is_told(
    faces: Path, body: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(HarnessError, match=message):
        list(opened(faces, body, **options))
