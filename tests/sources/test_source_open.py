"""Freely available sets: every layout read from a miniature, what is left out counted, what is wrong named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.answers.reader import read as read_reply
from harness.answers.vocabulary import VOCABULARIES
from harness.cli.main import main
from harness.core.errors import HarnessError, MediaError
from harness.core.field import FieldSpec
from harness.core.folders import shipped_folder
from harness.core.message import Image
from harness.media.decode import decode
from harness.media.video_file import opened
from harness.prompting.library import Library
from harness.prompting.variables import field_variables
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from harness.sources import open_source
from harness.sources.emonet_face import EMOTIONS, FIELDS, NO_RATING, UNDECIDED, ratings_of
from harness.sources.rows import open_table
from tests import open_sets


def read(task: str, root: Path, **options):
    """Samples of a task by id, and what was left out."""
    changes = [f"source.{k}={v}" for k, v in {"root": root, **options}.items()]
    config = load_task(task, open_workspace(root), changes=changes)
    source = open_source(config.source, fields=config.fields, base=root)
    return {s.id: s for s in source}, {s.reason: s.count for s in source.skipped()}


def test_emonet_face_keeps_annotators_apart(tmp_path: Path) -> None:
    rated = [*open_sets.emonet_ratings(2), {}]
    root = open_sets.emonet_hq(tmp_path / "hq", rated)
    found, left = read("emonet-face/emotions", root)
    assert list(found) == ["hq/00000", "hq/00001"] and left == {NO_RATING: 1}
    assert found["hq/00000"].targets == {"emotions": ("amusement", "elation")}
    assert found["hq/00000"].medium.frames[0].read() == open_sets.face(0)
    numbers, _ = read("emonet-face/intensity", root)
    first = numbers["hq/00000"].targets
    assert len(first) == 40 and first["amusement"] == pytest.approx(4 / 3)
    assert first["elation"] == pytest.approx(4 / 3) and first["pleasure_ecstasy"] == pytest.approx(2 / 3)  # fmt: skip
    out = tmp_path / "experts.csv"
    assert main(["data", "ratings", "emonet-face/intensity", "--set", f"source.root={root}", "--out", str(out)]) == 0  # fmt: skip
    rows = [row.cells for row in open_table(out)]
    assert len(rows) == 2 * 3 * 40
    assert {(r["rater"], r["value"]) for r in rows if r["item"] == "hq/00000" and r["field"] == "amusement"} == {
        ("human-1", "1"), ("human-2", "1"), ("human-3", "2"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("[{'human-1': {'F|Joy': 1}}]", "row 1: 'F|Joy' is not an emotion"),
        ("[{'human-1': {'F|Anger': 8}}]", "row 1: 8 is no intensity"),
        ("[{'human-1': {'F|Anger': True}}]", "row 1: True is no intensity"),
        ("[{'human-1': 3}]", "ratings of human-1 are no mapping"),
        ("{'human-1': {}}", "not a list of annotators"),
        ("__import__('os').system('true')", "not a list of annotators"),
        ("[" * 100_000, "not a list of annotators"),
        (None, "not a list of annotators"),
    ],
)
def test_ratings_of_another_layout_are_named(cell: object, message: str) -> None:
    with pytest.raises(HarnessError) as told:
        ratings_of(cell, where="row 1")
    assert message in told.value.message


def test_ratings_are_read_as_json_and_as_python_writes_them() -> None:
    for text in (str, json.dumps):
        cell = text([{"a": {"Some|Jealousy & Envy": 3}}, {"b": {"Extra Dimensions|Age": 5}}])
        found = ratings_of(cell, where="row 1")
        assert found["a"]["jealousy & envy"] == 3 and set(found["b"].values()) == {0.0}
    assert set(FIELDS.values()) == set(EMOTIONS) and len(FIELDS) == 40
    fields = [{"a": {"F|Anger": 3.0, "F|Fear": None}, "b": None}]  # as Parquet holds them
    assert ratings_of(fields, where="row 1")["a"]["anger"] == 3
    assert set(ratings_of(fields, where="row 1")) == {"a"}


def test_files_that_git_lfs_left_out_are_named(tmp_path: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"
    (tmp_path / "data" / "a.parquet").mkdir(parents=True)
    open_sets.put(tmp_path / "data" / "train-0.parquet", pointer)
    with pytest.raises(HarnessError, match=r"train-0.parquet is a Git LFS pointer"):
        read("emonet-face/emotions", tmp_path)
    with pytest.raises(MediaError, match=r"a Git LFS pointer in place of the picture: x\.png"):
        decode(pointer, name="x.png")


def test_emonet_face_pictures_of_one_name_are_told_apart(tmp_path: Path) -> None:
    root = open_sets.emonet_binary(tmp_path)
    twin = open_sets.put(root / "images" / "more" / "00000.png", open_sets.face(5))
    found, _ = read("emonet-face/present", root)
    assert found["00000/anger"].medium.frames[0].read() == open_sets.face(
        0
    )  # as named below images
    twin.rename(open_sets.put(root / "images" / "other" / "00000.png", b""))
    (root / "images" / "00000.png").rename(open_sets.put(root / "images" / "more" / "00000.png", b""))  # fmt: skip
    with pytest.raises(HarnessError, match="two pictures are named '00000'"):
        read("emonet-face/present", root)


def test_emonet_face_binary_questions(tmp_path: Path) -> None:
    found, left = read("emonet-face/present", open_sets.emonet_binary(tmp_path))
    assert {k: v.targets["answer"] for k, v in found.items()} == {
        "00000/anger": "yes", "00000/contentment": "no", "00002/jealousy_envy": "no",
    }  # fmt: skip
    assert left == {UNDECIDED: 1}
    envy = found["00002/jealousy_envy"]
    assert (envy.annotations["votes.yes"], envy.annotations["votes.no"]) == (1, 2)
    assert envy.question == "Does this face show jealousy & envy?" and envy.cluster == "00002"
    assert envy.medium.frames[0].read() == open_sets.face(2)


def test_blemore_blends_and_test_clips(tmp_path: Path) -> None:
    root = open_sets.blemore(tmp_path)
    found, left = read("blemore/blends", root)
    assert not left and len(found) == 5
    blend, even = found["A102_mix_ang_hap_30_70_ver1"], found["A411_mix_disg_sad_50_50_ver1"]
    assert blend.targets == {"emotions": ("anger", "happiness"), "emotion": "happiness"}
    assert even.targets == {"emotions": ("disgust", "sadness")}, "no emotion leads"
    assert json.loads(str(blend.annotations["soft_label"])) == {"anger": 0.3, "happiness": 0.7}
    assert (blend.cluster, blend.annotations["fold"], blend.annotations["salience"]) == ("A102", "0", "70/30")  # fmt: skip
    assert len(opened(blend.medium).frames) > 1
    assert list(read("blemore/blends", root, fold="2")[0]) == ["A55_fea_int3_ver2"]
    test, _ = read("blemore/test", root)
    assert list(test) == ["test_0001.mov", "test_0002.mov"] and not test["test_0001.mov"].targets


def test_neutral_is_a_name_where_a_set_lists_it_and_nothing_where_it_does_not() -> None:
    blends = FieldSpec(kind="set", labels=VOCABULARIES["blemore-6"])
    assert read_reply("Neutral.", blends).value == ("neutral",)
    assert read_reply("anger, sadness", blends).value == ("anger", "sadness")
    units = FieldSpec(kind="set", labels=("AU1", "AU2"))
    assert read_reply("Neutral.", units).value == ()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("A1_x", "rage", "", "", "", 0), "row 1 (line 2): 'rage' is not a class"),
        (("A1_x", "ang", "ang", 50, 50, 0), "row 1 (line 2): emotion 2 is 'ang'"),
        (("A1_x", "ang", "sad", 60, 50, 0), "row 1 (line 2): saliences do not add up"),
        (("A1_x", "ang", "sad", "much", 50, 0), "row 1 (line 2): emotion 1 is 'ang' with salience"),
        (("A1_x", "", "", "", "", 0), "row 1 (line 2): no emotion"),
    ],
)
def test_wrong_saliences_are_named(tmp_path: Path, row: tuple[object, ...], message: str) -> None:
    with pytest.raises(HarnessError) as told:
        read("blemore/blends", open_sets.blemore(tmp_path, [row], clips=False))
    assert message in told.value.message


def test_edited_faces_know_their_base(tmp_path: Path) -> None:
    root = open_sets.stylistic_bias(tmp_path, 2)
    found, left = read("stylistic-bias/emotion", root)
    assert len(found) == 8 and not left and not any(s.targets for s in found.values())
    edited = [s for s in found.values() if s.annotations["edit"] == "hair_color"]
    assert len(edited) == 2 and {s.annotations["edit_value"] for s in edited} == {"Gray"}
    assert all(s.cluster == s.annotations["base_face"] and s.cluster in found for s in edited)
    assert edited[1].annotations["age"] == "elderly", "a face's own traits"
    assert len(read("stylistic-bias/emotion", root, pictures="face")[0]) == 6
    assert len(read("stylistic-bias/emotion", root, edits="[accessories]")[0]) == 4
    with pytest.raises(HarnessError, match="no picture has 'beard' edited"):
        read("stylistic-bias/emotion", root, edits="[beard]")
    next(root.glob("*/*face_2*.json")).write_text('{"characteristics": {"variation": {}}}')
    with pytest.raises(HarnessError, match="does not name one attribute"):
        read("stylistic-bias/emotion", root)


def test_questions_with_options(tmp_path: Path) -> None:
    root = open_sets.visual_emotion(tmp_path, ["(B)", "(A)"])
    found, _ = read("mllm-visual-emotion/choice", root)
    assert {k: v.targets["answer"] for k, v in found.items()} == {"q0": "B", "q1": "A"}
    assert str(found["q0"].question).startswith("Which emotion?")
    file = root / "data" / "FaceEmotion" / "processed" / "images_multiple_choice_questions.json"
    entries = json.loads(file.read_text())
    file.write_text(json.dumps({str(at): one for at, one in enumerate(entries)}))
    assert list(read("mllm-visual-emotion/choice", root)[0]) == ["q0", "q1"], "an object of entries"
    for change, message in (
        ({"answer": "B"}, "entry 1: no query, or no option letter"),
        ({"image": "../../x.png"}, "entry 1: no key with the path"),
    ):
        file.write_text(json.dumps([entries[0] | change]))
        with pytest.raises(HarnessError, match=message):
            read("mllm-visual-emotion/choice", root)


def test_recorded_outputs_are_scored_beside_the_set_s_own_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = open_sets.visual_emotion(tmp_path, ["(B) happy", "(B)", "no letter", "First (B), but no: (A)"])  # fmt: skip
    file = root / "results/small/FaceEmotion/images_multiple_choice_results.json"
    command = ["score", "--predictions", str(file), "--task", "mllm-visual-emotion/choice", "--json"]  # fmt: skip
    assert main([*command, "--out", str(tmp_path / "a")]) == 0
    told = capsys.readouterr()
    assert "2 of 4 right, 1 without a letter" in told.err
    rows = json.loads(told.out)["scores"]
    mine = next(r for r in rows if r["model"].startswith("predictions") and r["metric"] == "accuracy")  # fmt: skip
    assert mine["value"] == 0.5 and mine["n"] == 4
    data = json.loads(file.read_text())
    del data["samples"][1]["model_output"]
    file.write_text(json.dumps(data))
    assert main([*command, "--out", str(tmp_path / "b")]) == 2
    assert "entry 2: no model_output" in capsys.readouterr().err


def test_ferbench_sends_the_prompt_of_its_file_word_for_word(tmp_path: Path) -> None:
    root = open_sets.ferbench(tmp_path, ["happy", "angry"], "ferplus")
    found, _ = read("ferbench/emotion", root, part="ferplus")
    assert [s.targets["answer"] for s in found.values()] == ["happiness", "anger"]
    library = Library([shipped_folder()])
    prompt = json.loads((root / "eval_ferplus/data/ferplus_qa.json").read_text())[0]["prompt"]
    assert "<answer></answer>" in prompt
    variables = field_variables({"answer": FieldSpec(kind="label", labels=("angry", "happy"))})
    asked = variables | {"question": next(iter(found.values())).question}
    sent = library.render(
        library.prompt("ferbench/question"),
        variables=asked,
        pictures=[Image("face", b"1")],
        replies={},
    )
    assert sent.messages[-1].parts[-1].text.strip() == prompt  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("family", "options", "message"),
    [
        ("emonet-face", {}, "no Parquet file"),
        ("emonet-face", {"part": "binary"}, "binary.csv"),
        ("blemore", {}, "train_metadata.csv"),
        ("blemore", {"split": "test"}, "no samples found"),
        ("stylistic-bias", {}, "no samples found"),
        ("mllm-visual-emotion", {}, "images_multiple_choice_questions.json"),
        ("ferbench", {}, "rafdb_qa.json"),
    ],
)
def test_a_folder_without_the_set_is_told(
    tmp_path: Path, family: str, options: dict[str, str], message: str
) -> None:
    spec = {"emotion": FieldSpec(kind="label", labels="basic-7")}
    if family in {"emonet-face", "mllm-visual-emotion", "ferbench"}:
        name = "emotions" if options == {} and family == "emonet-face" else "answer"
        spec = {name: FieldSpec(kind="set" if name == "emotions" else "label", labels=("yes", "no"))}  # fmt: skip
    with pytest.raises(HarnessError, match=message) as error:
        asked = {"family": family, "root": str(tmp_path), **options}
        list(open_source(asked, fields=spec, base=tmp_path))
    assert ("source.split" in error.value.hint) is (options == {"split": "test"})
    assert ("one folder for each face" in error.value.hint) is (family == "stylistic-bias")
