"""The faces family: drawn on demand, with exact truth."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.source import Skipped, Source
from harness.faces import CUE_VALUES, annotate, draw, face_at
from harness.media.verify import check
from harness.sources import drawn_pictures, open_source

BASE = Path()


def opened(fields: dict[str, str], **options: object) -> Source:
    asked = {"family": "faces", "n": 14, "seed": 5, **options}
    return open_source(asked, fields={k: FieldSpec(kind=v) for k, v in fields.items()}, base=BASE)


def test_pictures_with_their_truth() -> None:
    source = opened({"emotion": "label", "valence": "number", "action_units": "set"}, size=64)
    samples = list(source)
    assert set(Counter(s.targets["emotion"] for s in samples).values()) == {2}
    assert len({s.id for s in samples}) == 14
    assert Counter(s.cluster for s in samples).most_common()[0][1] == 7
    assert check(samples[3].medium.frames[0].read(), "x") == (64, 64)
    assert samples[3].medium.frames[0].read() == list(source)[3].medium.frames[0].read()
    face = face_at(3, seed=5)
    truth = annotate(face, draw(face, size=64))
    assert samples[3].targets["valence"] == truth["valence"]
    assert samples[3].targets["action_units"] == tuple(sorted(truth["action_units"]))
    assert samples[3].annotations == {
        key: value for key, value in truth.items()
        if key not in CUE_VALUES and not isinstance(value, list | dict)
    }  # fmt: skip


def test_cues_are_annotated_on_demand() -> None:
    (sample,) = opened({"emotion": "label"}, n=1, size=64, cues=True)
    face = face_at(0, seed=5)
    truth = draw(face, size=64).cues
    assert {cue: sample.annotations[cue] for cue in CUE_VALUES} == truth
    assert set(CUE_VALUES) <= set(sample.annotations)


def test_nothing_is_drawn_until_a_cue_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    drawings: list[object] = []

    def counted(face: object, *, size: int) -> object:
        drawings.append(face)
        return draw(face, size=size)  # type: ignore[arg-type]

    monkeypatch.setattr(drawn_pictures, "draw", counted)
    for sample in opened({"emotion": "label"}, n=3, size=48):
        assert dict(sample.annotations)
        assert "teeth_visible" not in sample.annotations
    assert drawings == []
    (sample,) = opened({"teeth_visible": "yes-no", "mouth": "label"}, n=1, size=48)
    assert set(sample.targets) == {"teeth_visible", "mouth"}
    assert drawings == []
    assert sample.targets["teeth_visible"] in {"yes", "no"}
    assert sample.targets["mouth"] in CUE_VALUES["mouth"]
    assert len(drawings) == 1
    assert sample.annotations["mouth"] == sample.targets["mouth"]


def test_clips() -> None:
    samples = list(opened({"emotion": "label", "coarse": "label", "fine": "label"}, kind="clip"))
    for sample in samples:
        medium = sample.medium
        assert medium.onset is not None and medium.apex is not None and medium.offset is not None
        assert medium.indices == tuple(range(len(medium.frames)))
        assert medium.onset < medium.apex < medium.offset < len(medium.frames)
        assert sample.targets["fine"] == sample.targets["emotion"]
        assert sample.annotations["frames"] == len(medium.frames)
    first = samples[0].medium
    assert check(first.frames[first.apex or 0].read(), "x") == (224, 224)


VQA: dict[str, str] = {
    "coarse": "label", "fine": "label", "action_units": "set", "au_shown": "yes-no",
}  # fmt: skip


def test_questions_of_clips() -> None:
    samples = list(opened(VQA, kind="vqa"))
    assert len(samples) == 6 * 14
    assert len({s.id for s in samples}) == 6 * 14
    kinds = Counter(s.annotations["question_kind"] for s in samples)
    assert kinds == {"coarse": 14, "fine": 14, "action_units": 14, "au_shown": 28, "combined": 14}
    shown = Counter(s.targets["au_shown"] for s in samples if "au_shown" in s.asks)
    assert shown == {"yes": 14, "no": 14}
    for sample in samples:
        assert set(sample.targets) == set(sample.asks)
        assert sample.question
        assert len(sample.medium.frames) > 10


def test_questions_outside_the_task_are_counted() -> None:
    source = opened({"fine": "label"}, kind="vqa", n=2)
    assert len(list(source)) == 4
    assert source.skipped() == (Skipped("asks for none of the task's fields", 8),)


def test_digests_tell_options_apart() -> None:
    fields: dict[str, str] = {"emotion": "label"}
    variants = [
        {},
        {"seed": 6},
        {"n": 15},
        {"kind": "clip"},
        {"split": "validation"},
        {"size": 112},
    ]
    digests = [opened(fields, **options).digest() for options in variants]
    assert len(set(digests)) == len(variants)
    assert opened(fields).digest() == digests[0]


@pytest.mark.parametrize(
    ("fields", "options", "message"),
    [
        ({"mood": "label"}, {}, "have none of the task's fields"),
        ({"emotion": "label"}, {"n": 0}, r"source\.n"),
        ({"emotion": "label"}, {"kind": "film"}, r"source\.kind"),
        ({"emotion": "label"}, {"labels": ["joy", "awe"]}, "joy"),
        ({"emotion": "label"}, {"sed": 1}, "did you mean 'seed'"),
    ],
)
def test_bad_options_are_told(
    fields: dict[str, str], options: dict[str, object], message: str
) -> None:
    with pytest.raises(HarnessError, match=message):
        opened(fields, **options)
