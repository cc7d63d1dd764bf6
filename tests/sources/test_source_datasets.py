"""Published data sets: every layout read, every code mapped, every quirk counted."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from harness.core.errors import HarnessError, MediaError
from harness.core.field import FieldSpec
from harness.sources import open_source
from harness.sources.aff_wild2 import EXPRESSIONS
from harness.sources.affectnet import LABELS as AFFECTNET
from harness.sources.check import check_source
from harness.sources.fer2013 import LABELS as FER
from harness.sources.fer2013 import NO_MAJORITY, PLUS_LABELS, UNKNOWN, majority
from harness.sources.raf_db import BASIC
from harness.sources.video_emotion import DFEW

from . import layouts

EMOTION_7 = {"emotion": FieldSpec(kind="label", labels="basic-7")}
EMOTION_8 = {"emotion": FieldSpec(kind="label", labels="basic-8")}
AFFECT = {"valence": FieldSpec(kind="number"), "arousal": FieldSpec(kind="number")}
UNITS = {"action_units": FieldSpec(kind="set")}


def read(options, fields, base):
    """(id -> targets, skipped) of a source."""
    source = open_source(options, fields=fields, base=base)
    found = {sample.id: dict(sample.targets) for sample in source}
    return found, {s.reason: s.count for s in source.skipped()}


def samples(options, fields, base):
    return list(open_source(options, fields=fields, base=base))


@pytest.mark.parametrize(
    ("names", "zero", "three"),
    [
        (AFFECTNET, "neutral", "surprise"),
        (EXPRESSIONS, "neutral", "fear"),
        (FER, "anger", "happiness"),
        (BASIC, None, "disgust"),
        (DFEW, None, "neutral"),
    ],
)
def test_code_0_and_3_mean_other_things_in_every_set(names, zero, three):
    assert names.get("0") == zero
    assert names["3"] == three


def test_affectnet_of_the_csv_release(tmp_path):
    layouts.affectnet_csv(tmp_path)
    options = {"family": "affectnet", "root": str(tmp_path)}
    found, skipped = read(options, EMOTION_7, tmp_path)
    assert found == {"a/1.jpg": {"emotion": "happiness"}, "b/4.jpg": {"emotion": "neutral"}}
    assert skipped == {
        "emotion outside the task's classes: contempt": 1,
        "emotion outside the task's classes: non-face": 1,
    }
    assert "a/2.jpg" in read(options, EMOTION_8, tmp_path)[0]
    numbers, left = read(options, AFFECT, tmp_path)
    assert numbers["a/2.jpg"] == {"valence": -0.4, "arousal": 0.3}
    assert left == {"no value for any field of the task": 1}
    first = samples(options, EMOTION_7, tmp_path)[0]
    assert first.annotations["face_width"] == 30
    assert first.annotations["valence"] == 0.8


def test_affectnet_of_the_npy_release(tmp_path):
    layouts.affectnet_npy(tmp_path)
    options = {"family": "affectnet", "root": str(tmp_path)}
    found, _ = read(options, EMOTION_7 | AFFECT, tmp_path)
    assert list(found) == ["0.jpg", "7.jpg", "10.jpg"]
    assert found["7.jpg"] == {"emotion": "sadness", "valence": -0.5, "arousal": 0.25}


def test_affectnet_names_what_is_missing(tmp_path):
    with pytest.raises(HarnessError, match="val_set"):
        samples({"family": "affectnet", "root": str(tmp_path)}, EMOTION_7, tmp_path)


@pytest.mark.parametrize(
    ("made", "options", "file", "column"),
    [
        (layouts.affectnet_csv, {"family": "affectnet"}, "validation.csv", "valence"),
        (layouts.dfew, {"family": "dfew"}, "set_1.csv", "video_name"),
        (layouts.fer2013, {"family": "fer2013"}, "fer2013.csv", "Usage"),
        (layouts.ferplus, {"family": "ferplus"}, "fer2013new.csv", "contempt"),
    ],
)
def test_a_column_that_is_missing_is_named(tmp_path, made, options, file, column):
    made(tmp_path)
    table = next(tmp_path.rglob(file))
    table.write_text(table.read_text().replace(column, f"{column}_", 1))
    spec = {"emotion": FieldSpec(kind="label")}
    with pytest.raises(HarnessError, match=f"{file} has no column '{column}'"):
        list(open_source({**options, "root": str(tmp_path)}, fields=spec, base=tmp_path))


def test_raf_db_with_attributes(tmp_path):
    layouts.raf_db(tmp_path)
    options = {"family": "raf-db", "root": str(tmp_path)}
    found = {s.id: s for s in samples(options, EMOTION_7, tmp_path)}
    assert {k: s.targets["emotion"] for k, s in found.items()} == {
        "test_0001.jpg": "happiness", "test_0002.jpg": "fear", "test_0003.jpg": "neutral",
    }  # fmt: skip
    assert dict(found["test_0001.jpg"].annotations) == {
        "gender": "female", "race": "Asian", "age_group": "40-69",
    }  # fmt: skip
    assert found["test_0001.jpg"].cluster is None


def test_raf_db_compound(tmp_path):
    layouts.raf_db(tmp_path)
    fields = {"emotion": FieldSpec(kind="label", labels="raf-compound")}
    options = {"family": "raf-db", "root": str(tmp_path), "part": "compound"}
    found, _ = read(options, fields, tmp_path)
    assert found == {
        "test_0001.jpg": {"emotion": "sadly angry"},
        "test_0002.jpg": {"emotion": "disgustedly surprised"},
    }


def test_fer2013_draws_its_pictures_from_the_table(tmp_path):
    layouts.fer2013(tmp_path)
    found = samples({"family": "fer2013", "root": str(tmp_path)}, EMOTION_7, tmp_path)
    assert [s.targets["emotion"] for s in found] == ["happiness", "neutral", "sadness"]
    with Image.open(io.BytesIO(found[0].medium.frames[0].read())) as shown:
        assert shown.size == (48, 48)
        assert shown.getpixel((3, 3)) == 7
    with pytest.raises(MediaError, match="2304"):
        found[2].medium.frames[0].read()


def test_ferplus_votes(tmp_path):
    layouts.ferplus(tmp_path)
    options = {"family": "ferplus", "root": str(tmp_path)}
    source = open_source(options, fields=EMOTION_8, base=tmp_path)
    found = list(source)
    assert [s.id for s in found] == ["fer0000001.png"]
    assert found[0].annotations["votes.happiness"] == 9
    assert {s.reason: s.count for s in source.skipped()} == {
        NO_MAJORITY: 1, "row without a picture name": 1,
    }  # fmt: skip
    ceiling = check_source(source, EMOTION_8).ceiling
    assert (ceiling.samples, ceiling.accuracy) == (1, 0.9)


def votes(**given):
    return {label: given.get(label, 0) for label in PLUS_LABELS}


@pytest.mark.parametrize(
    ("given", "rules", "label"),
    [
        (votes(anger=6, disgust=4), ("majority",), "anger"),
        (votes(anger=5, disgust=5), ("majority",), NO_MAJORITY),
        # A single vote goes first: 5 of 9 is a majority, 5 of 10 is none.
        (votes(anger=5, disgust=4, fear=1), ("single-votes", "majority"), "anger"),
        (votes(anger=5, disgust=4, fear=1), ("majority", "single-votes"), NO_MAJORITY),
        # Unknown as a column or as a winner.
        (votes(anger=4, unknown=6), ("majority", "unknown"), UNKNOWN),
        (votes(anger=4, unknown=6), ("unknown", "majority"), "anger"),
        (votes(NF=10), ("single-votes", "majority", "unknown"), UNKNOWN),
        (votes(NF=10), ("unknown", "majority"), NO_MAJORITY),
    ],
)
def test_the_order_of_the_rules_decides(given, rules, label):
    assert majority(given, rules) == label


def test_ferplus_refuses_rules_without_a_majority(tmp_path):
    layouts.ferplus(tmp_path)
    options = {"family": "ferplus", "root": str(tmp_path), "rules": ["unknown"]}
    with pytest.raises(HarnessError, match="majority"):
        samples(options, EMOTION_8, tmp_path)


def test_sfew_folders(tmp_path):
    layouts.sfew(tmp_path)
    found, skipped = read({"family": "sfew", "root": str(tmp_path)}, EMOTION_7, tmp_path)
    assert found == {
        "Angry/a_1.png": {"emotion": "anger"}, "Happy/b_2.png": {"emotion": "happiness"},
    }  # fmt: skip
    assert skipped == {"folder name that is not an expression": 1}


def test_ck_plus_takes_the_peak(tmp_path):
    layouts.ck_plus(tmp_path)
    fields = EMOTION_7 | UNITS
    options = {"family": "ck-plus", "root": str(tmp_path)}
    (peak,) = samples(options, fields, tmp_path)
    assert peak.medium.frames[0].path.name == "S005_001_00000003.png"
    assert peak.targets == {"emotion": "disgust", "action_units": ("AU17", "AU9")}
    assert peak.cluster == "S005"
    both = samples({**options, "first": True}, fields, tmp_path)
    assert [s.targets["emotion"] for s in both] == ["disgust", "neutral"]
    (clip,) = samples({**options, "sequence": True}, fields, tmp_path)
    assert clip.medium.indices == (1, 2, 3)


def test_dfew_folds_and_votes(tmp_path):
    layouts.dfew(tmp_path)
    table = str(tmp_path / "Annotation" / "annotation.csv")
    options = {"family": "dfew", "root": str(tmp_path), "votes": table}
    source = open_source(options, fields=EMOTION_7, base=tmp_path)
    found = list(source)
    assert [s.targets["emotion"] for s in found] == [
        "happiness", "sadness", "neutral", "anger", "surprise",
    ]  # fmt: skip
    assert [s.annotations["fold"] for s in found] == ["1", "2", "3", "4", "5"]
    assert found[1].annotations["votes.neutral"] == 2
    assert found[0].medium.indices == (1, 2, 10)  # natural order, numbers from the names
    assert source.skipped()[0].count == 5
    assert check_source(source, EMOTION_7).ceiling.accuracy == pytest.approx(0.75)
    (only,) = samples({**options, "fold": "3"}, EMOTION_7, tmp_path)
    assert only.id == "3"
    with pytest.raises(HarnessError, match="overlap"):
        samples({**options, "split": "train"}, EMOTION_7, tmp_path)


def test_ferv39k_lines(tmp_path):
    layouts.ferv39k(tmp_path)
    found = samples({"family": "ferv39k", "root": str(tmp_path)}, EMOTION_7, tmp_path)
    assert [(s.id, s.targets["emotion"], s.annotations["scene"]) for s in found] == [
        ("Action/Sad/0010", "sadness", "Action"), ("Crime/Angry/0002", "anger", "Crime"),
    ]  # fmt: skip
    checked = check_source(
        open_source({"family": "ferv39k", "root": str(tmp_path)}, fields=EMOTION_7, base=tmp_path),
        EMOTION_7,
    )
    assert checked.missing == 1
    assert "0002" in checked.first_missing


def test_mafw_by_number_or_name(tmp_path):
    layouts.mafw(tmp_path)
    fields = {"emotion": FieldSpec(kind="label", labels="mafw-11")}
    found, _ = read({"family": "mafw", "root": str(tmp_path)}, fields, tmp_path)
    assert found == {"00001": {"emotion": "anxiety"}, "00002": {"emotion": "contempt"}}


def test_aff_wild2_frames(tmp_path):
    layouts.aff_wild2(tmp_path)
    base = {"family": "aff-wild2", "root": str(tmp_path), "every": 1}
    found, skipped = read({**base, "annotations": "EXPR"}, EMOTION_7, tmp_path)
    assert found == {
        "video1/00001.jpg": {"emotion": "neutral"}, "video1/00002.jpg": {"emotion": "happiness"},
    }  # fmt: skip
    assert skipped == {
        "emotion outside the task's classes: other": 1, "frame without annotation": 1,
    }  # fmt: skip
    numbers, _ = read({**base, "annotations": "VA", "part": "va"}, AFFECT, tmp_path)
    assert numbers == {"video1/00001.jpg": {"valence": 0.5, "arousal": -0.25}}
    units, _ = read({**base, "annotations": "AU", "part": "au"}, UNITS, tmp_path)
    assert units == {"video1/00001.jpg": {"action_units": ("AU1", "AU12")}}
    thinned, _ = read({**base, "annotations": "EXPR", "every": 3}, EMOTION_7, tmp_path)
    assert list(thinned) == ["video1/00001.jpg"]
    with pytest.raises(HarnessError, match=r"source\.part"):
        read({**base, "annotations": "VA", "part": "au"}, UNITS, tmp_path)


def test_disfa_units_from_an_intensity(tmp_path):
    layouts.disfa(tmp_path)
    options = {"family": "disfa", "root": str(tmp_path), "every": 1}
    found, skipped = read(options, UNITS, tmp_path)
    assert found == {
        "SN001/1": {"action_units": ()}, "SN001/2": {"action_units": ("AU12", "AU6")},
    }  # fmt: skip
    assert skipped == {"frame that is not in every unit's file": 1}
    low, _ = read({**options, "present": 1}, UNITS, tmp_path)
    assert len(low["SN001/2"]["action_units"]) == 12


def test_utkface_names(tmp_path):
    layouts.utkface(tmp_path)
    fields = {"gender": FieldSpec(kind="label", labels=("male", "female"))}
    source = open_source({"family": "utkface", "root": str(tmp_path)}, fields=fields, base=tmp_path)
    (only,) = source
    assert only.targets == {"gender": "female"}
    assert dict(only.annotations) == {"age": 25, "race": "Asian"}
    assert source.skipped()[0].count == 1


def test_a_field_the_set_does_not_have_is_refused(tmp_path):
    layouts.sfew(tmp_path)
    with pytest.raises(HarnessError, match="emotion"):
        samples({"family": "sfew", "root": str(tmp_path)}, AFFECT, tmp_path)
    named = {"feeling": EMOTION_7["emotion"]}
    mapped = {"family": "sfew", "root": str(tmp_path), "targets": {"feeling": "emotion"}}
    assert len(samples(mapped, named, tmp_path)) == 2


def test_the_digest_follows_the_annotations_and_not_the_place(tmp_path):
    for place in ("one", "two"):
        layouts.raf_db(tmp_path / place)

    def digest(place):
        options = {"family": "raf-db", "root": place}
        return open_source(options, fields=EMOTION_7, base=tmp_path).digest()

    before = digest("one")
    assert before == digest("two")
    lists = tmp_path / "two" / "basic" / "EmoLabel" / "list_patition_label.txt"
    lists.write_text(lists.read_text().replace("test_0003.jpg 7", "test_0003.jpg 6"))
    assert before != digest("two")


def test_the_check_holds_a_copy_against_the_published_counts(tmp_path):
    layouts.raf_db(tmp_path)
    source = open_source(
        {"family": "raf-db", "root": str(tmp_path)}, fields=EMOTION_7, base=tmp_path
    )
    found = check_source(source, EMOTION_7)
    assert found.counts["emotion"] == {"fear": 1, "happiness": 1, "neutral": 1}
    assert found.missing == 1
    assert "test, happiness: 1, published 1,185" in found.differences()
