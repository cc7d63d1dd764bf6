"""Answers made elsewhere become the same records and scores as a run's own."""

from __future__ import annotations

import csv
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.imports.columns import PredictionMap, read_map
from harness.imports.predictions import Imported, import_predictions
from harness.report.page import write_report
from harness.run.folder import RunFolder
from harness.run.manifest import read_manifest
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from harness.score.folder import score_run
from harness.score.records import read_records
from harness.score.scores import Scores
from harness.score.table import ScoreRow
from tests.run.bench import make_world

ROWS = (
    ("a", "anger", "anger"), ("b", "anger", "The face shows anger."), ("c", "happiness", "disgust"),
    ("d", "happiness", "I'm sorry, I can't identify emotions."), ("e", "happiness", ""),
    ("f", "happiness", "Happiness"),
)  # fmt: skip


def bring(
    path: Path,
    asked: PredictionMap | None = None,
    *,
    name: str = "table/emotion",
    changes: Sequence[str] = (),
    here: Path | None = None,
) -> Imported:
    place = open_workspace(here or path.parent)
    task: Task = load_task(name, place, changes=changes, references=False)
    folder = RunFolder(path.parent / "out")
    return import_predictions(
        path, task, asked or PredictionMap(), folder, workspace=place, command=["test"]
    )


def write_csv(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def _packed(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in members.items():
            file.writestr(name, text)
    return buffer.getvalue()


def table(folder: Path, rows: Sequence[Sequence[str]] = ROWS) -> Path:
    return write_csv(folder / "p.csv", rows, ("name", "gt", "answer"))


def value(scores: Scores, metric: str) -> ScoreRow:
    (row,) = [
        r
        for r in scores.scores
        if r.metric == metric and r.slice == "all" and r.model.startswith("predictions:")
    ]
    return row


def outcomes(imported: Imported) -> dict[str, str]:
    return {row["sample"]: row["outcome"] for row in read_records(imported.folder)}


def test_a_run_of_another_task_or_model_is_not_written_over(tmp_path: Path) -> None:
    imported = bring(table(tmp_path))
    before = imported.folder.manifest.read_bytes()
    with pytest.raises(HarnessError, match=r"run of the task table/emotion, not of table/age"):
        bring(table(tmp_path), name="table/age")
    other = table(tmp_path).rename(tmp_path / "other.csv")
    with pytest.raises(HarnessError, match=r"not of predictions:other\.csv"):
        bring(other)
    assert imported.folder.manifest.read_bytes() == before
    bring(table(tmp_path))


def test_a_table_gives_records_scores_and_a_report(tmp_path: Path) -> None:
    imported = bring(table(tmp_path))
    scores = score_run(imported.folder)
    assert value(scores, "accuracy").value == pytest.approx(3 / 6, abs=1e-6)
    assert value(scores, "uar").value == pytest.approx((1 + 1 / 4) / 2, abs=1e-6)
    assert value(scores, "uar").coverage == pytest.approx(3 / 6, abs=1e-6)
    assert outcomes(imported) == {
        "a": "answered", "b": "answered", "c": "off-list", "d": "refused", "e": "empty", "f": "answered",
    }  # fmt: skip
    assert {r.model for r in scores.scores} == {"predictions:p.csv", "majority", "prior"}
    manifest = read_manifest(imported.folder)
    assert manifest["cells"][0]["sampling"] == {}, "what is not known is not made up"
    assert manifest["cells"][0]["prompt"] == "-"
    page = write_report(imported.folder).read_text()
    assert "predictions:p.csv" in page


def test_the_same_file_again_adds_nothing_and_an_edited_one_counts_anew(tmp_path: Path) -> None:
    path = table(tmp_path)
    first = bring(path)
    score_run(first.folder)
    before = {
        p.name: p.read_bytes()
        for p in (first.folder.generations, first.folder.trials, first.folder.scores)
    }
    score_run(bring(path).folder)
    for name, data in before.items():
        assert (first.folder.path / name).read_bytes() == data
    table(tmp_path, [*ROWS[:2], ("c", "happiness", "happiness"), *ROWS[3:]])
    scores = score_run(bring(path).folder)
    assert value(scores, "accuracy").value == pytest.approx(4 / 6, abs=1e-6)


@pytest.mark.parametrize("suffix", [".tsv", ".jsonl", ".parquet"])
def test_every_kind_of_table_gives_the_same_numbers(tmp_path: Path, suffix: str) -> None:
    expected = value(score_run(bring(table(tmp_path)).folder), "uar").value
    path = tmp_path / "other" / f"p{suffix}"
    path.parent.mkdir()
    objects = [dict(zip(("name", "gt", "answer"), row, strict=True)) for row in ROWS]
    if suffix == ".tsv":
        path.write_text("name\tgt\tanswer\n" + "".join("\t".join(r) + "\n" for r in ROWS))
    elif suffix == ".jsonl":
        path.write_text("".join(json.dumps(o) + "\n" for o in objects))
    else:
        pq.write_table(pa.Table.from_pylist(objects), path)
    assert value(score_run(bring(path).folder), "uar").value == expected


INSPECT = {
    "version": 2, "status": "success", "eval": {"task": "t", "model": "m"},
    "samples": [
        {"id": "a", "epoch": 1, "target": "anger", "output": {"completion": "anger", "choices": [
            {"message": {"content": [{"type": "reasoning", "reasoning": "happiness?"},
                                     {"type": "text", "text": "anger"}]}, "stop_reason": "stop"}]}},
        {"id": "a", "epoch": 2, "target": "anger", "output": {"completion": "happiness", "choices": []}},
        {"id": 7, "epoch": 1, "target": ["happiness"], "output": {"completion": "happiness"}},
        {"id": "c", "epoch": 1, "target": "happiness", "output": {"choices": []},
         "error": {"message": "500 from the server", "traceback": ""}},
        {"id": "d", "epoch": 1, "target": "happiness", "output": {"choices": [
            {"message": {"content": "Let me think about the brows"}, "stop_reason": "max_tokens"}]}},
    ],
}  # fmt: skip


def test_a_log_of_inspect_ai_keeps_failures_truncation_and_epochs_apart(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text(json.dumps(INSPECT))
    imported = bring(path)
    score_run(imported.folder)
    assert outcomes(imported) == {"a": "answered", "7": "answered", "c": "failed", "d": "truncated"}
    assert any("1 row left out: another epoch" in note for note in imported.notes)


def test_a_packed_log_of_inspect_ai_says_the_same(tmp_path: Path) -> None:
    members = {
        f"samples/{sample['id']}_epoch_{sample.get('epoch', 1)}.json": json.dumps(sample)
        for sample in INSPECT["samples"]
    }
    (tmp_path / "log.eval").write_bytes(_packed({"header.json": "{}", **members}))
    imported = bring(tmp_path / "log.eval")
    score_run(imported.folder)
    assert outcomes(imported) == {"a": "answered", "7": "answered", "c": "failed", "d": "truncated"}


def _zstandard(members: dict[str, str]) -> bytes:
    """A zip file packed with Zstandard (method 93), as inspect-ai writes it and Python 3.11 cannot."""
    body, directory = b"", b""
    for name, text in members.items():
        packed = pa.compress(text.encode(), codec="zstd", asbytes=True)
        told = (93, 0, 0, zlib.crc32(text.encode()), len(packed), len(text.encode()), len(name), 0)
        at = len(body)
        body += b"PK\3\4" + struct.pack("<HHHHHIIIHH", 63, 0, *told) + name.encode() + packed
        directory += b"PK\1\2" + struct.pack("<HHHHHHIIIHH", 63, 63, 0, *told)
        directory += struct.pack("<HHHII", 0, 0, 0, 0, at) + name.encode()
    count = len(members)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + end


@pytest.mark.parametrize("break_it", [False, True])
def test_a_log_packed_with_zstandard_is_read_without_inspect_ai(break_it: bool, tmp_path: Path) -> None:  # fmt: skip
    members = {
        f"samples/{sample['id']}_epoch_{sample.get('epoch', 1)}.json": json.dumps(sample)
        for sample in INSPECT["samples"]
    }
    packed = bytearray(_zstandard(members))
    path = tmp_path / "log.eval"
    if break_it:
        packed[packed.index(b"json") + 30] ^= 255
        path.write_bytes(packed)
        with pytest.raises(HarnessError, match="not an inspect-ai log"):
            bring(path)
        return
    path.write_bytes(packed)
    out = str(tmp_path / "out")
    assert main(["score", "--predictions", str(path), "--task", "table/emotion", "--out", out]) == 0
    imported = bring(path)
    score_run(imported.folder)
    assert outcomes(imported) == {"a": "answered", "7": "answered", "c": "failed", "d": "truncated"}


def test_a_long_reply_that_stands_apart_is_found(tmp_path: Path) -> None:
    sample = {
        "id": "a", "epoch": 1, "target": "anger", "attachments": {"f00": "It is anger."},
        "output": {"completion": "attachment://f00", "choices": []},
    }  # fmt: skip
    other = {**sample, "id": "b", "target": "fear", "output": {"completion": "fear"}}
    members = {f"samples/{s['id']}_epoch_1.json": json.dumps(s) for s in (sample, other)}
    (tmp_path / "log.eval").write_bytes(_packed(members))
    imported = bring(tmp_path / "log.eval")
    assert value(score_run(imported.folder), "accuracy").value == 1.0


def test_workbooks_of_vlmevalkit_are_read(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (
        ("index", "question", "A", "B", "answer", "prediction"),
        (0, "Which?", "anger", "fear", "A", "A"),
        (1, "Which?", "anger", "fear", "B", "B. fear"),
        (2, "Which?", "fear", "anger", "A", "(B)"),
        (3, "Which?", "anger", "fear", "A", "The man looks angry."),
        (4, "Which?", "anger", "fear", "B", "Failed to obtain answer via API. "),
    ):
        book.active.append(row)
    book.save(tmp_path / "M_Faces.xlsx")
    imported = bring(tmp_path / "M_Faces.xlsx")
    scores = score_run(imported.folder)
    assert value(scores, "accuracy").value == pytest.approx(3 / 5)
    assert outcomes(imported) == dict.fromkeys("0123", "answered") | {"4": "failed"}


def test_ids_that_spell_a_path_otherwise_are_found(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("image,emotion\nimg/a.png,anger\nimg/b.png,fear\n")
    rows = [("./img/a.png", "anger"), ("img\\b.png", "fear")]
    path = write_csv(tmp_path / "p.csv", rows, ("name", "said"))
    imported = bring(path, changes=["source.file=t.csv"])
    score_run(imported.folder)
    assert outcomes(imported) == {"img/a.png": "answered", "img/b.png": "answered"}


def test_json_arrays_are_tables(tmp_path: Path) -> None:
    rows = [dict(zip(("name", "gt", "answer"), row, strict=True)) for row in ROWS]
    (tmp_path / "p.json").write_text(json.dumps(rows))
    scores = score_run(bring(tmp_path / "p.json").folder)
    assert value(scores, "accuracy").value == pytest.approx(3 / 6, abs=1e-6)


@pytest.mark.parametrize(
    ("column", "withheld", "fine"),
    [
        ("content_filter", True, False),
        ("content_filter", "PROHIBITED_CONTENT", ""),
        ("content_filter_results", {"hate": {"filtered": True}}, {"hate": {"filtered": False}}),
        ("finish_reason", "content_filter", "stop"),
        ("finish_reason", "FinishReason.SAFETY", "FinishReason.STOP"),
        ("stop_reason", "refusal", "end_turn"),
    ],
)
def test_what_a_platform_withheld_is_a_refusal(
    tmp_path: Path, column: str, withheld: object, fine: object
) -> None:
    rows = [
        {"name": "a", "gt": "anger", "answer": "", column: withheld},
        {"name": "b", "gt": "fear", "answer": "fear", column: fine},
        {"name": "c", "gt": "anger", "answer": "anger", column: None},
    ]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    imported = bring(tmp_path / "p.jsonl")
    score_run(imported.folder)
    assert outcomes(imported) == {"a": "refused", "b": "answered", "c": "answered"}


def test_twins_of_the_truths_are_one_class(tmp_path: Path) -> None:
    labels = ["ANGER", "Anger", "anger ", "FEAR", "Fear", "happy", "Happiness"]
    rows = [(f"s{n}", label, label.strip().lower()) for n, label in enumerate(labels)]
    imported = bring(write_csv(tmp_path / "p.csv", rows, ("name", "gt", "prediction")))
    scores = score_run(imported.folder)
    assert value(scores, "uar").value == 1.0
    assert sum("counted as" in note for note in imported.notes) == 3


def test_codes_are_named_in_truths_and_answers(tmp_path: Path) -> None:
    rows = [("a", "0", "0"), ("b", "1", "1.0"), ("c", "1", "disgust"), ("d", "0", "disgust")]
    path = write_csv(tmp_path / "p.csv", rows, ("name", "gt", "prediction"))
    with pytest.raises(HarnessError, match="codes"):
        bring(path)
    imported = bring(path, changes=["source.labels=fer2013"])
    assert value(score_run(imported.folder), "accuracy").value == pytest.approx(3 / 4)


@pytest.mark.parametrize("tool", ["lm-eval", "lmms-eval"])
def test_logs_of_lm_eval_and_lmms_eval_are_read_raw(tmp_path: Path, tool: str) -> None:
    rows: list[dict[str, Any]] = [
        {"doc_id": 0, "target": "anger", "resps": [["It is anger."]], "filtered_resps": ["B"]},
        {"doc_id": 1, "target": "happiness", "resps": [["happiness"]], "filtered_resps": ["A"]},
    ]
    if tool == "lm-eval":
        rows = [{**r, "doc": {"file": f"f{r['doc_id']}"}, "filter": "none"} for r in rows]
        rows += [{**r, "filter": "strict"} for r in rows]
    else:
        rows[1] = {
            "doc_id": 1,
            "target": "happiness",
            "filtered_resps": ["happiness"],
            "input": "?",
        }
        failed = "[LMMS_EVAL_REQUEST_FAILED after 3 retries] timeout"
        rows.append({"doc_id": 2, "target": "anger", "filtered_resps": [failed]})
    path = tmp_path / "samples_t.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    asked = PredictionMap(id="doc.file") if tool == "lm-eval" else PredictionMap()
    imported = bring(path, asked)
    score_run(imported.folder)
    expected = {"f0": "answered", "f1": "answered"}
    if tool == "lmms-eval":
        expected = {"0": "answered", "1": "answered", "2": "failed"}
    assert outcomes(imported) == expected


@pytest.mark.parametrize("pair", [[-1.5, False], ["-1.5", "False"]])
def test_log_likelihoods_are_refused_not_read(tmp_path: Path, pair: list[Any]) -> None:
    path = tmp_path / "samples.jsonl"
    row = {"doc_id": 0, "target": 1, "resps": [[pair], [pair]]}
    path.write_text(json.dumps(row) + "\n")
    with pytest.raises(HarnessError, match="log-likelihoods"):
        bring(path)


def test_truths_are_joined_from_the_source_by_id(tmp_path: Path) -> None:
    make_world(tmp_path, count=12)
    path = write_csv(
        tmp_path / "said.csv",
        [*((f"p{i}.png", "anger") for i in range(10)), ("stray.png", "anger")],
        ("name", "said"),
    )
    imported = bring(path, name=str(tmp_path / "task.yaml"))
    scores = score_run(imported.folder)
    row = value(scores, "accuracy")
    assert (row.n, row.value) == (12, pytest.approx(5 / 12, abs=1e-6))
    assert row.coverage == pytest.approx(10 / 12, abs=1e-6)
    assert "by subject" in row.estimator
    text = " ".join(imported.notes)
    assert "1 ids are not samples of" in text
    assert "2 of 12 samples have no prediction" in text
    assert sorted(outcomes(imported).values()).count("failed") == 2
    (counted,) = scores.outcomes
    assert counted["failures"] == {"no-prediction": 2}, "another thing than a server that failed"
    rows = [r for r in read_records(imported.folder) if r["outcome"] == "failed"]
    assert {r["failure"].partition(":")[0] for r in rows} == {"no-prediction"}


def test_a_map_fills_several_fields_clusters_and_slices(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(
        "source: {family: table, file: nowhere.csv}\nprompts: [emotion/plain]\nslices: [light]\n"
        "fields:\n  emotion: {kind: label, labels: basic-7}\n  valence: {kind: number}\n"
    )
    path = tmp_path / "p.jsonl"
    rows = [
        {"pic": f"p{i}", "e": "Happy", "v": 0.5, "se": "happiness", "sv": 0.25, "who": f"s{i % 16}",
         "light": "dim" if i % 2 else "bright"}
        for i in range(48)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    (tmp_path / "map.yaml").write_text(
        "id: pic\ntruth: {emotion: e, valence: v}\nanswer: {emotion: se, valence: sv}\ncluster: who\n"
    )
    imported = bring(path, read_map(tmp_path / "map.yaml"), name=str(tmp_path / "two.yaml"))
    scores = score_run(imported.folder)
    mine = {(r.field, r.metric, r.slice): r for r in scores.scores if "p.jsonl" in r.model}
    assert mine["emotion", "accuracy", "all"].value == 1.0
    assert mine["valence", "mae", "all"].value == pytest.approx(0.25)
    assert mine["emotion", "accuracy", "light=dim"].n == 24
    assert "16 by subject" in mine["emotion", "accuracy", "all"].estimator


def test_rows_without_id_and_repeats_are_counted(tmp_path: Path) -> None:
    imported = bring(table(tmp_path, [*ROWS, ("", "anger", "anger"), ROWS[0]]))
    score_run(imported.folder)
    assert len(outcomes(imported)) == 6
    skipped = read_manifest(imported.folder)["tasks"]["table/emotion"]["skipped"]
    assert {s["reason"]: s["count"] for s in skipped} == {
        "no id": 1, "a repeated identical row": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "asked", "message"),
    [
        ([*ROWS, ("a", "anger", "happiness")], PredictionMap(), "a second time"),
        ([("", "anger", "anger")], PredictionMap(), "no row has an id"),
        ([("../a", "anger", "anger")], PredictionMap(), "points outside its folder"),
        ([("a", "", "anger")], PredictionMap(), "no row has a true value"),
        (ROWS, PredictionMap(id="nome"), "no column 'nome'"),
        (ROWS, PredictionMap(answer={"mood": "answer"}), "no field 'mood'"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_clear_error(
    tmp_path: Path, rows: list[tuple[str, str, str]], asked: PredictionMap, message: str
) -> None:
    with pytest.raises(HarnessError, match=message) as caught:
        bring(table(tmp_path, rows), asked)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b"{", "not JSON"),
        ("a.json", b'{"samples": 3}', "not an inspect-ai eval log"),
        ("a.json", b"[" * 100_000, "not valid JSON"),
        ("a.json", b'{"eval": {}, "samples": [3]}', "sample 1: not an object"),
        ("a.eval", b"PK", "not an inspect-ai log"),
        ("a.eval", _packed({}), "no samples"),
        ("a.eval", _packed({"samples/a_epoch_1.json": "{"}), "not an inspect-ai log"),
        ("a.eval", _packed({"samples/a_epoch_1.json": "[" * 99_999}), "not an inspect-ai log"),
        ("a.eval", _packed({"samples/a_epoch_1.json": "[3]"}), "sample 1: not an object"),
        ("a.xlsx", b"PK", "not a workbook"),
        ("a.csv", b"", "empty"),
        ("a.csv", b"name,gt,x,y\na,b,c,d\n", "cannot tell which column holds the answers"),
        ("a.csv", b"gt,x\na,b\n", "which column holds the sample ids"),
        ("a.jsonl", b"[1]\n", "not an object"),
        ("a.csv", b"name,gt,x\n\x81,b,c\n", "not UTF-8"),
    ],
)
def test_hostile_files_end_in_an_error_that_names_them(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(HarnessError, match=message) as caught:
        bring(path)
    assert "a." in str(caught.value)


def test_answers_of_any_shape_are_read_and_none_is_lost(tmp_path: Path) -> None:
    said = [
        "\ud800 anger",
        "\x00\u202eanger",
        "x" * 300_000,
        {"emotion": "anger"},
        ["anger"],
        3,
        True,
        None,
    ]
    path = tmp_path / "p.jsonl"
    path.write_text(
        "".join(
            json.dumps({"name": f"s{i}", "gt": "anger", "said": s}) + "\n"
            for i, s in enumerate(said)
        )
    )
    imported = bring(path)
    scores = score_run(imported.folder)
    assert value(scores, "accuracy").n == len(said)
    found = outcomes(imported)
    assert len(found) == len(said)
    assert (found["s3"], found["s4"], found["s7"]) == ("answered", "answered", "empty")


def test_a_source_that_was_meant_is_not_passed_over(tmp_path: Path) -> None:
    place = open_workspace(tmp_path)
    task = load_task("table/emotion", place, changes=["source.file=typo.csv"])
    with pytest.raises(HarnessError, match=r"typo\.csv"):
        import_predictions(
            table(tmp_path), task, PredictionMap(), RunFolder(tmp_path / "out"),
            workspace=place, command=[], source_meant=True,
        )  # fmt: skip


def test_a_truth_outside_the_named_labels_names_the_mend(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="not one of") as caught:
        bring(table(tmp_path), changes=["fields.emotion.labels=[anger, sadness]"])
    assert "--set" in caught.value.hint


def test_a_misspelt_key_of_a_map_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("id: name\nanser: x\n")
    with pytest.raises(HarnessError, match=r"m\.yaml:2: anser: unknown key"):
        read_map(tmp_path / "m.yaml")
