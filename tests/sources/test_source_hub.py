"""The Hugging Face family, on a data set that the test writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.source import Source
from harness.sources import open_source

EMOTION = {"emotion": FieldSpec(kind="label")}


@pytest.fixture
def folder(tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set of four rows as Parquet, with classes as numbers and clips as lists."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    picture = {"bytes": png, "path": "a.png"}
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "clip": datasets.List(datasets.Image()),
            "label": datasets.ClassLabel(names=["happy", "sad"]),
            "age": datasets.Value("int32"),
        }
    )
    rows = {
        "image": [picture, picture, {"bytes": b"broken", "path": "b.png"}, picture],
        "clip": [[picture, picture], [picture], [picture], []],
        "label": [1, 0, 1, -1],
        "age": [30, None, 50, 60],
    }
    place = tmp_path / "set" / "data"
    place.mkdir(parents=True)
    datasets.Dataset.from_dict(rows, features=features).to_parquet(place / "test-0.parquet")
    return tmp_path


def opened(base: Path, **options: object) -> Source:
    asked = {"family": "hf", "path": "set", "label": "label", **options}
    return open_source(asked, fields=EMOTION, base=base)


@pytest.mark.parametrize("streaming", [False, True])
def test_rows_become_samples(folder: Path, png: bytes, streaming: bool) -> None:
    source = opened(folder, streaming=streaming)
    samples = list(source)
    assert [s.targets["emotion"] for s in samples] == ["sad", "happy", "sad"]
    assert [s.annotations["age"] for s in samples] == [30, None, 50]
    assert [s.medium.frames[0].read() for s in samples] == [png, png, b"broken"]
    assert [(skip.reason, skip.count) for skip in source.skipped()] == [
        ("no label in any target column", 1)
    ]
    assert [s.id for s in source] == [s.id for s in samples]
    assert len({s.id for s in samples}) == 3


def test_clips_are_lists_of_pictures(folder: Path, png: bytes) -> None:
    samples = list(opened(folder, frames="clip", unlabelled="keep"))
    assert [len(s.medium.frames) for s in samples] == [2, 1, 1, 1]
    assert samples[0].medium.frames[1].read() == png


def test_the_digest_follows_annotations(folder: Path) -> None:
    first = opened(folder).digest()
    assert opened(folder).digest() == first
    assert opened(folder, subject="age").digest() != first


def test_what_cannot_be_loaded_is_told(folder: Path) -> None:
    with pytest.raises(HarnessError, match=r"source\.path.*cannot be loaded"):
        opened(folder, split="gone")
    with pytest.raises(HarnessError, match=r"source\.label: .*no column 'mood'"):
        opened(folder, label="mood")
