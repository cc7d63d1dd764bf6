"""Data checked before a model sees them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from harness.cli.main import main
from harness.core.field import FieldSpec
from harness.core.medium import Medium
from harness.core.picture import FilePicture
from harness.core.sample import Sample
from harness.media.likeness import Look, is_near, look_of, near_pairs
from harness.sources import open_source
from harness.sources.check import check_source
from harness.sources.picture_check import check_pictures

EMOTION = {"emotion": FieldSpec(kind="label")}


def scene(seed: int, side: int = 96) -> Image.Image:
    """A smooth random picture, as unlike another as two photographs are."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC)


def test_copies_are_near_and_others_are_not() -> None:
    picture = scene(1)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=40)
    copies = [
        Image.open(buffer).convert("RGB"),
        picture.resize((224, 224)),
        picture.filter(ImageFilter.GaussianBlur(1)),
        picture.point(lambda level: min(255, level + 4)),
    ]
    assert all(is_near(look_of(picture), look_of(copy)) for copy in copies)
    looks = [look_of(scene(seed)) for seed in range(60)]
    assert list(near_pairs(looks)) == []
    assert list(near_pairs([*looks, look_of(copies[0])])) == [(1, 60)]


def test_pairs_are_those_of_comparing_all() -> None:
    rng = np.random.default_rng(5)
    small = bytes(256)
    looks = [Look(int(rng.integers(1 << 62)), small) for _ in range(40)]
    looks += [
        Look(look.bits ^ sum(1 << int(b) for b in rng.integers(0, 62, 6)), small) for look in looks
    ]
    plain = {(a, b) for a in range(80) for b in range(a + 1, 80) if is_near(looks[a], looks[b])}
    assert set(near_pairs(looks)) == plain
    assert len(plain) >= 40


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A table of 7 pictures with a fault of each kind."""
    for n in range(5):
        scene(n).save(tmp_path / f"{n}.png")
    (tmp_path / "5.png").write_bytes((tmp_path / "0.png").read_bytes())
    scene(1).resize((80, 80)).save(tmp_path / "6.png")
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:300])
    (tmp_path / "t.csv").write_text(
        "image,emotion,subject,split\n0.png,Anger,A,train\n1.png,fear,B,train\n2.png,anger,C,train\n"
        "3.png,nan,D,test\n4.png,fear,A,test\n5.png,fear,E,test\n6.png,fear,F,test\ngone.png,fear,G,test\n"
    )
    return tmp_path


def test_every_kind_of_fault_is_told(faulty: Path) -> None:
    options = {"family": "table", "file": "t.csv", "subject": "subject"}
    found = check_source(open_source(options, fields=EMOTION, base=faulty), EMOTION, pictures=True)
    assert found.samples == 7
    assert found.counts == {"emotion": {"anger": 2, "fear": 5}}
    assert [s.reason for s in found.skipped] == ["emotion is 'nan', which means no value"]
    assert "'Anger' (1), 'anger' (1) counted as 'anger'" in found.labels[0]
    assert found.missing == 1
    assert found.shared == {"A": ("test", "train")}
    assert found.pictures is not None
    assert {k: v.split(":")[0] for k, v in found.pictures.unreadable.items()} == {
        "2.png": "corrupt",
    }
    (same,) = found.pictures.same
    assert (same.samples, same.labels) == (("0.png", "5.png"), ("anger", "fear"))
    (near,) = found.pictures.near
    assert (near.samples, near.subsets) == (("1.png", "6.png"), ("test", "train"))
    assert not found.is_sound


def test_the_command_tells_them_and_ends_with_1(
    faulty: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(faulty)
    command = ["data", "check", "table/emotion", "--set", "source.file=t.csv", "--set", "source.subject=subject"]  # fmt: skip
    assert main(command) == 1
    said = capsys.readouterr().out
    for word in (
        "MISSING",
        "UNREADABLE",
        "SAME",
        "NEAR",
        "SUBJECTS in more than one subset",
        "note: ",
    ):
        assert word in said
    assert main([*command, "--quick", "--json"]) == 1
    assert '"pictures": null' in capsys.readouterr().out


def test_codes_are_told_and_the_rest_is_read_on(
    faulty: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (faulty / "codes.csv").write_text("image,emotion\n0.png,0\n1.png,1\n")
    monkeypatch.chdir(faulty)
    assert main(["data", "check", "table/emotion", "--set", "source.file=codes.csv"]) == 1
    said = capsys.readouterr().out
    assert "LABELS: emotion: its labels are codes (0, 1)" in said
    assert "emotion = 0: 1" in said
    (faulty / "good.csv").write_text("image,emotion\n0.png,x\n1.png,y\n")
    assert main(["data", "check", "table/emotion", "--set", "source.file=good.csv"]) == 0
    assert "all pictures can be read; no duplicates" in capsys.readouterr().out


def test_several_questions_about_one_clip_are_no_duplicates() -> None:
    options = {"family": "faces", "kind": "vqa", "n": 1, "size": 32}
    fields = {"coarse": FieldSpec(kind="label", labels="megc-coarse")}
    source = open_source(options, fields=fields, base=Path())
    samples = list(source)
    assert len(samples) > 1 and len({s.medium.frames[0].name for s in samples}) == 1
    assert check_pictures(iter(samples), ["coarse"]).same == ()
    assert len(check_pictures(iter([*samples, samples[0]]), ["coarse"]).same) == 1


def test_pairs_are_checked_as_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for n in range(4):
        scene(n).save(tmp_path / f"{n}.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "3.png").read_bytes()[:200])
    head = "a,b,same,who,other\n"
    sound = ["0.png,1.png,yes,p,p", "0.png,2.png,no,p,q", "1.png,2.png,no,p,q"]
    asked = [
        "data", "check", "table/pairs", "--set", f"source.file={tmp_path / 'pairs.csv'}", "--set", "source.image=a",
        "--set", "source.second=b", "--set", "source.label=same", "--set", "source.subject=who",
        "--set", "source.other_subject=other",
    ]  # fmt: skip
    (tmp_path / "pairs.csv").write_text(head + "\n".join(sound))
    assert main(asked) == 0  # a picture in several pairs is no duplicate
    capsys.readouterr()
    bad = [
        "1.png,0.png,yes,p,p", "2.png,2.png,yes,q,q", "3.png,1.png,yes,r,p", "3.png,0.png,no,p,p",
        "0.png,cut.png,no,p,r", "0.png,gone.png,no,p,r",
    ]  # fmt: skip
    (tmp_path / "pairs.csv").write_text(head + "\n".join(sound + bad))
    assert main(asked) == 1
    told = capsys.readouterr().out
    for line in (
        "SAME: groups of samples with the same picture: 1", "ITSELF: pairs of one picture with itself: 1",
        "MISSING: pictures of 1 sample", "UNREADABLE: pictures of 1 sample", "contradict their label: 2",
        "labelled as one person, and of r and p", "labelled as two people, and both of p",
    ):  # fmt: skip
        assert line in told, told
    assert main(["plan", *asked[2:]]) == 0
    planned = " ".join(capsys.readouterr().out.split())
    assert "2 pairs have subjects that contradict the label" in planned


def test_a_frame_that_is_an_empty_file_is_named_wherever_it_stands(tmp_path: Path) -> None:
    for at in range(7):
        scene(at).save(tmp_path / f"{at}.png")
    (tmp_path / "1.png").write_bytes(b"")
    frames = tuple(FilePicture(tmp_path / f"{at}.png") for at in range(7))
    clip = Medium(kind="clip", frames=frames, indices=tuple(range(7)))
    found = check_pictures(iter([Sample("a", clip, {})]), [])
    assert found.clips and "1.png" in found.unreadable["a"] and "empty" in found.unreadable["a"]
