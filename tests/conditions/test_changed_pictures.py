"""The face alone, another size, a part covered: conditions for photographs, and what a run records of them."""

from __future__ import annotations

import csv
import io
import json

import pytest
from PIL import Image

from harness.conditions.region import covered, expanded, on_features
from harness.conditions.registry import load_condition
from harness.core.errors import HarnessError, MediaError
from harness.core.medium import Medium
from harness.core.picture import HeldPicture
from harness.media.decode import decode
from harness.media.parts import PARTS
from harness.run.log import read_log
from tests.run.bench import RuleModel, World

POINTS = "80 90 144 90 112 125 88 158 136 158"


def picture(name: str = "p", size: tuple[int, int] = (224, 224)) -> HeldPicture:
    """Every pixel of a column alike, so that a crop tells where it was cut."""
    columns = Image.new("RGB", (size[0], 1))
    columns.putdata([(x % 256, x // 256, 7) for x in range(size[0])])
    buffer = io.BytesIO()
    columns.resize(size, Image.Resampling.NEAREST).save(buffer, "PNG")
    return HeldPicture(name, buffer.getvalue())


def noted(size: tuple[int, int] = (224, 224), **notes: str) -> Medium:
    return Medium("image", (picture(size=size),), notes=tuple(notes.items()))


def seen(name: str, medium: Medium) -> Image.Image:
    return decode(load_condition(name).apply(medium).frames[0].read(), name="x")


@pytest.mark.parametrize(
    ("name", "box", "size", "first"),
    [
        ("face-crop", "100 50 50 40", (70, 70), 90),  # a square of 50, and .2 of 50 on each side
        ("face-crop:0", "100 50 50 40", (50, 50), 100),
        ("face-crop:0.5", "100 50 40 40", (80, 80), 80),
        ("face-crop", "0 0 50 50", (70, 70), 0),  # moved inwards
        ("face-crop", "174 174 50 50", (70, 70), 154),
        ("face-crop:1", "20 20 200 200", (224, 224), 0),  # larger than the picture
    ],
)
def test_a_face_is_cut_out(name, box, size, first) -> None:
    shown = seen(name, noted(face_box=box))
    assert shown.size == size
    assert shown.getpixel((0, 0))[0] == first


def test_a_crop_says_what_it_did() -> None:
    medium = load_condition("face-crop").apply(noted(face_box="100 50 50 40"))
    assert medium.changes == ("face-crop-margin-0.2-to-90,35,160,105",)


def test_landmarks_give_a_box_where_there_is_none() -> None:
    shown = seen("face-crop:0", noted(landmarks=POINTS))
    assert 140 < shown.width < 190
    assert shown.width == shown.height


def test_a_clip_is_cut_by_one_box() -> None:
    clip = Medium(
        "clip", (picture("a"), picture("b")), (3, 4), notes=(("face_box", "100 50 50 40"),)
    )
    shown = load_condition("face-crop").apply(clip)
    assert shown.indices == (3, 4)
    assert {decode(f.read(), name="x").size for f in shown.frames} == {(70, 70)}


@pytest.mark.parametrize("name", ["face-crop", "region:mouth=blur", "region-control:eyes=occlude"])
def test_without_a_place_the_trial_fails_as_such(name) -> None:
    with pytest.raises(MediaError, match="the position of the face is not known") as caught:
        load_condition(name).apply(noted())
    assert caught.value.kind == "unsupported"
    assert "source.marks" in caught.value.hint


def test_a_box_outside_the_picture_is_told() -> None:
    with pytest.raises(MediaError, match="outside the picture of 224x224"):
        seen("face-crop", noted(face_box="400 50 50 40"))
    with pytest.raises(MediaError, match="outside the picture of 60x60"):
        load_condition("region:mouth=mean").apply(noted((60, 60), landmarks=POINTS))


def test_a_size_is_set() -> None:
    medium = load_condition("resize:56").apply(noted((100, 50)))
    assert medium.changes == ("resize-56",)
    assert decode(medium.frames[0].read(), name="x").size == (56, 28)


def test_a_region_and_its_control_cover_as_much() -> None:
    plain = seen("none", noted(landmarks=POINTS)).tobytes()
    for part in PARTS:
        counts, places = [], []
        for prefix in ("region:", "region-control:"):
            medium = load_condition(f"{prefix}{part}=occlude").apply(noted(landmarks=POINTS))
            (change,) = medium.changes
            assert change.startswith(f"{prefix}{part}=occlude-")
            places.append(change.partition("-at-")[2])
            told = on_features(change)
            assert (told is not None) == (prefix == "region-control:")
            assert told is None or (told[0] == part and 0 <= told[1] < 0.5)
            data = decode(medium.frames[0].read(), name="x").tobytes()
            grey = [data[i : i + 3] == b"\x80\x80\x80" for i in range(0, len(data), 3)]
            changed = [data[i : i + 3] != plain[i : i + 3] for i in range(0, len(data), 3)]
            assert all(g for g, c in zip(grey, changed, strict=True) if c)
            counts.append(sum(grey))
        assert counts[0] == counts[1] > 100
        assert places[0] != places[1]


def test_an_upright_picture_is_what_landmarks_are_for() -> None:
    """EXIF says that the picture lies on its side: its size is taken as it is shown."""
    image = Image.new("RGB", (224, 300), "red")
    exif = image.getexif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif)
    medium = Medium(
        "image", (HeldPicture("turned", buffer.getvalue()),), notes=(("landmarks", POINTS),)
    )
    assert decode(buffer.getvalue(), name="x").size == (300, 224)
    assert seen("region:mouth=occlude", medium).size == (300, 224)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("region:ears=blur", "eyebrows, eyes"),
        ("region:mouth", "region:PART=FILL"),
        ("region:mouth=black", "occlude, blur, mean"),
        ("region-control:=blur", "region-control:PART=FILL"),
        ("resize:0", "from 1 to 4096"),
        ("resize:9999", "from 1 to 4096"),
        ("resize:x", "from 1 to 4096"),
        ("face-crop:9", "from 0 to 3"),
        ("face-crop:-1", "from 0 to 3"),
    ],
)
def test_unknown_changes_name_what_there_is(name, said) -> None:
    with pytest.raises(HarnessError) as caught:
        load_condition(name)
    assert said in caught.value.hint


def test_all_regions_at_once() -> None:
    names = expanded("region:all=mean")
    assert len(names) == len(set(names)) == 2 * len(PARTS)
    assert [load_condition(n).name for n in names] == list(names)
    assert expanded("face-crop") == ("face-crop",)
    assert covered("region-control:teeth=mean") == ("teeth", "mean", True)
    assert covered("region:eyes=blur") == ("eyes", "blur", False)
    assert covered("cue:eyes=wide") is None
    assert covered("region:eyes=blur+label-order:reversed") is None


def test_changes_stand_beside_others() -> None:
    medium = load_condition("none+region:mouth=occlude").apply(noted(landmarks=POINTS))
    assert len(medium.frames) == 2


TASK = """\
source: {family: table, file: labels.csv, label: emotion}
media: {resize: 64}
fields: {emotion: {kind: label, labels: [anger, happiness]}}
prompts: [emotion/plain]
"""


def test_a_run_records_what_was_done_and_what_could_not_be(tmp_path) -> None:
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "emotion", "face_box"])
        for number, box in enumerate(["100 50 50 40", ""]):
            side = 224 - 10 * number
            (tmp_path / f"p{number}.png").write_bytes(picture(size=(side, side)).data)
            writer.writerow([f"p{number}.png", "anger", box])
    (tmp_path / "task.yaml").write_text(TASK)
    world = World(tmp_path)
    sizes = {}

    def look(request):
        for message in request.messages:
            for part in message.parts:
                if hasattr(part, "data"):
                    sizes[part.name] = decode(part.data, name=part.name).size
        return "anger"

    world.run(RuleModel(look), conditions=("none", "face-crop", "resize:32"))
    trials = {line["trial"]: line for _, line in read_log(world.folder.trials)}
    kept = [line for line in trials.values() if "shown" in line]
    assert [line["shown"] for line in kept] == [
        {"changes": ["face-crop-margin-0.2-to-90,35,160,105"]}
    ]
    (failed,) = (line for line in trials.values() if line.get("failure"))
    assert "the position of the face is not known" in json.dumps(failed)
    by_side = sorted(size[0] for size in sizes.values())
    assert by_side == [32, 32, 64, 64, 64]


def test_drawn_clips_are_covered_where_the_first_frame_has_the_part() -> None:
    from harness.core.field import FieldSpec
    from harness.sources import open_source

    fields = {"emotion": FieldSpec(kind="label", labels=("surprise", "others"))}
    options = {"family": "faces", "kind": "clip", "n": 1, "size": 48, "labels": ["surprise"]}
    (sample,) = open_source(options, fields=fields, base=None)
    shown = load_condition("region:mouth=occlude").apply(sample.medium)
    assert len(shown.frames) == len(sample.medium.frames)
    for number in (0, len(shown.frames) - 1):
        data = decode(shown.frames[number].read(), name="x").tobytes()
        assert data.count(b"\x80\x80\x80") > 40


def test_what_disturbs_a_sample_leaves_worked_examples_alone() -> None:
    from harness.core.condition import Disturbing

    def alone(name):
        condition = load_condition(name)
        return isinstance(condition, Disturbing) and condition.sample_alone

    assert alone("region:mouth=blur") and alone("region-control:mouth=blur")
    assert not alone("face-crop") and not alone("resize:64")
