"""`harness data marks` writes what `source.marks` reads; `source.marks=auto` looks where nothing is written."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.cli.main import main
from harness.conditions.registry import load_condition
from harness.core.errors import HarnessError, MediaError
from harness.core.field import FieldSpec
from harness.core.medium import Medium, image
from harness.core.picture import HeldPicture
from harness.core.source import source_notes
from harness.core.tool import Call
from harness.core.tools_asked import ToolsAsked
from harness.detector import DETECTOR, FaceDetector
from harness.faces import draw, face_at
from harness.faces.points import marks_of as drawn_marks
from harness.media.decode import open_picture
from harness.media.marks import read_marks
from harness.media.parts import face_box
from harness.media.transforms import encode_png
from harness.run.log import read_log
from harness.sources import open_source
from harness.sources.marking import COLUMNS, mark_samples
from harness.tools.frames import MediumFrames
from harness.tools.registry import TOOLS, load_tools
from harness.tools.toolbox import BoundTools

EMOTION = {"emotion": FieldSpec(kind="label", labels=("fear", "anger"))}
ASK = ["--set", "source.file=faces.csv"]


def face(index: int = 0) -> Image.Image:
    return Image.fromarray(draw(face_at(index, seed=4, split="test"), size=160).pixels)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five pictures: a face, two faces, none, a damaged file, and the first face again."""
    monkeypatch.chdir(tmp_path)
    face().save("one.png")
    two = Image.new("RGB", (420, 200), (110, 120, 130))
    two.paste(face(1), (10, 20))
    two.paste(face(2).resize((120, 120)), (260, 40))
    two.save("two, both.png")
    Image.new("RGB", (90, 60), (128, 128, 128)).save("grey.png")
    Path("broken.png").write_bytes(Path("one.png").read_bytes()[:900])
    face().save("again.png")
    names = ["one.png", '"two, both.png"', "grey.png", "broken.png", "again.png"]
    Path("faces.csv").write_text("image,emotion\n" + "".join(f"{name},fear\n" for name in names))
    return tmp_path


def test_each_picture_is_told_what_was_found(table: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["data", "marks", "table/emotion", *ASK, "--out", "marks.csv"]) == 0
    told = capsys.readouterr().out
    assert "5 samples" in told and "found: 3" in told and "none: 1" in told
    assert (
        "unreadable: 1" in told
        and "more than one face, of which the largest is described: 1" in told
    )
    assert "without a box: grey.png, broken.png\n" in told
    lines = Path("marks.csv").read_text().splitlines()
    rows = {row["sample"]: row for row in csv.DictReader(lines)}
    assert tuple(rows["one.png"]) == COLUMNS
    assert [row["finding"] for row in rows.values()] == [
        "found", "found", "none", "unreadable: corrupt", "found",
    ]  # fmt: skip
    assert [row["faces"] for row in rows.values()] == ["1", "2", "0", "0", "1"]
    assert len(rows["two, both.png"]["other_faces"].split()) == 4
    assert len(rows["one.png"]["landmarks"].split()) == 136
    assert len(rows["one.png"]["five_points"].split()) == 10
    own = {"sample": "", "file": ""}
    assert {**rows["one.png"], **own} == {**rows["again.png"], **own}
    assert rows["one.png"]["file"] == "one.png"
    assert read_marks({"landmarks": rows["one.png"]["five_points"]}).points
    assert main(["data", "marks", "table/emotion", *ASK, "--out", "again.csv"]) == 0
    assert Path("again.csv").read_bytes() == Path("marks.csv").read_bytes()


def test_marks_of_a_file_that_has_changed_since_are_refused(table: Path) -> None:
    main(["data", "marks", "table/emotion", *ASK, "--out", "marks.csv"])
    options = {"family": "table", "file": "faces.csv", "marks": "marks.csv"}
    first, *_, again = open_source(options, fields=EMOTION, base=table)
    Image.open("one.png").resize((40, 40)).save("one.png")
    for name in ("face-crop", "region:mouth=blur"):
        assert load_condition(name).apply(again.medium).changes
        with pytest.raises(MediaError, match="the file has changed since") as error:
            load_condition(name).apply(first.medium)
        assert "harness data marks" in error.value.hint
    with pytest.raises(MediaError, match="the file has changed since"):
        MediumFrames(first.medium).marks(0)
    head, *rows = Path("marks.csv").read_text().splitlines()
    cut = [
        line.rpartition(",")[0] for line in (head, *rows)
    ]  # a table of one's own, or of earlier versions
    Path("marks.csv").write_text("\n".join(cut) + "\n")
    first, *_ = open_source(options, fields=EMOTION, base=table)
    assert load_condition("face-crop").apply(first.medium).changes


def test_the_table_is_what_conditions_read(table: Path) -> None:
    main(["data", "marks", "table/emotion", *ASK, "--out", "marks.csv"])
    options = {"family": "table", "file": "faces.csv"}
    read = list(open_source({**options, "marks": "marks.csv"}, fields=EMOTION, base=table))
    seen = list(open_source({**options, "marks": "auto"}, fields=EMOTION, base=table))
    for written, looked in zip(read[:2], seen[:2], strict=True):
        for name in ("face-crop", "region:mouth=blur"):
            first, second = (load_condition(name).apply(one.medium) for one in (written, looked))
            assert first.changes == second.changes
    truth = face_box(drawn_marks(face_at(0, seed=4, split="test"), size=160))
    crop = open_picture(load_condition("face-crop:0").apply(read[0].medium).frames[0])
    assert crop.width == pytest.approx(max(truth[2] - truth[0], truth[3] - truth[1]), rel=0.25)
    for samples, why in ((read, "is not known"), (seen, "no face was found")):
        with pytest.raises(MediaError, match=why):
            load_condition("face-crop").apply(samples[2].medium)


@pytest.mark.parametrize(
    ("out", "why"), [("marks.txt", "CSV file"), ("faces.csv", "already exists")]
)
def test_a_wrong_file_is_refused_before_any_picture(
    table: Path, out: str, why: str, capsys
) -> None:
    assert main(["data", "marks", "table/emotion", *ASK, "--out", out]) == 2
    assert why in capsys.readouterr().err
    assert Path("faces.csv").read_text().startswith("image,emotion\n")


def test_of_a_clip_the_first_frame_is_looked_at() -> None:
    frames = tuple(HeldPicture(n, encode_png(face(i))) for i, n in enumerate("ab"))
    (sample,) = open_one(Medium("clip", frames, (0, 1)))
    row = mark_samples([sample], FaceDetector(), base=Path()).text.splitlines()[1]
    (alone,) = open_one(image(frames[0]))
    assert row == mark_samples([alone], FaceDetector(), base=Path()).text.splitlines()[1]


def open_one(medium: Medium):
    from harness.core.sample import Sample

    return [Sample(id="s", medium=medium, targets={})]


def test_own_marks_come_before_the_detector() -> None:
    class Never:
        name = "never"

        def marks(self, picture):
            raise AssertionError("not asked")

    medium = Medium(
        "image", (HeldPicture("a", encode_png(face())),), notes=(("face_box", "10 10 50 50"),),
        finder=Never(),
    )  # fmt: skip
    assert load_condition("face-crop:0").apply(medium).changes == (
        "face-crop-margin-0-to-10,10,60,60",
    )
    assert MediumFrames(medium).marks(0).box == (10, 10, 60, 60)


def test_tools_look_at_the_frame_as_its_condition_shows_it() -> None:
    clip = Medium(
        "clip", tuple(HeldPicture(n, encode_png(face(i))) for i, n in enumerate("ab")), (0, 1),
        finder=FaceDetector(),
    )  # fmt: skip
    tools = load_tools(TOOLS.names())

    def use(medium: Medium, name: str, **arguments: object):
        box = BoundTools(tools, ToolsAsked(TOOLS.names()), MediumFrames(medium))
        return box.use(Call(name, arguments), side=448)

    for frame in (0, 1):
        told = use(clip, "measure", unit=26, frame=frame)
        assert told.status == "ok" and "distance between landmarks" in told.text
        assert use(clip, "zoom", region="mouth", frame=frame).pictures
        assert use(clip, "head_pose", frame=frame).status == "ok"
    assert use(clip, "landmarks", frame=0).text != use(clip, "landmarks", frame=1).text
    blank = load_condition("blank").apply(clip)
    assert use(blank, "zoom", region="mouth").status == "not-found"
    smaller = load_condition("resize:80").apply(clip)
    box = MediumFrames(smaller).marks(0).box
    assert box == pytest.approx(np.array(MediumFrames(clip).marks(0).box) / 2, abs=4)


def test_drawn_faces_take_no_detector_and_others_say_who_looks(table: Path) -> None:
    with pytest.raises(HarnessError, match="no effect on drawn faces"):
        open_source({"family": "faces", "n": 1, "marks": "auto"}, fields=EMOTION, base=table)
    options = {"family": "table", "file": "faces.csv"}
    plain = open_source(options, fields=EMOTION, base=table)
    looked = open_source({**options, "marks": "auto"}, fields=EMOTION, base=table)
    list(looked)
    assert DETECTOR in " ".join(source_notes(looked))
    assert plain.digest() != looked.digest()


def test_without_the_extra_it_is_named_before_anything_is_written(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    assert main(["data", "marks", "table/emotion", *ASK, "--out", "marks.csv"]) == 2
    assert "ai-edge-litert is not installed" in capsys.readouterr().err
    assert not Path("marks.csv").exists()
    options = {"family": "table", "file": "faces.csv", "marks": "auto"}
    with pytest.raises(HarnessError, match="ai-edge-litert is not installed"):
        open_source(options, fields=EMOTION, base=table)


@pytest.mark.slow
def test_a_run_looks_where_it_is_asked_to(table: Path) -> None:
    """Cropped trials need marks; whole pictures do not. The manifest says who looked."""
    run = ["run", "table/emotion", *ASK, "--model", "affect-tiny", "--condition", "face-crop"]
    assert main([*run, "--condition", "none", "--set", "source.marks=auto", "--out", "run"]) == 3
    failed = [r for _, r in read_log(Path("run/trials.jsonl")) if "failure" in r]
    assert len(failed) == 3  # grey under face-crop; the damaged picture twice
    assert any("no face was found" in str(r["failure"]) for r in failed)
    manifest = json.loads(Path("run/manifest.json").read_text())
    assert DETECTOR in json.dumps(manifest["tasks"])


def test_a_file_is_named_where_the_id_does_not(tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "tables").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        Image.new("RGB", (64, 64), "grey" if name == "a" else "white").save(f"{name}.png")
    Path("tables/few.csv").write_text("image,emotion\n../a.png,anger\n../b.png,anger\n")
    ask = ["--set", "source.file=tables/few.csv", "--allow-outside", "--limit", "1"]
    assert main(["data", "marks", "table/emotion", *ask, "--out", "m.csv"]) == 0
    told = capsys.readouterr().out
    assert "m.csv: 1 sample\n" in told and "without a box: sha256-" in told and "(a.png)" in told
