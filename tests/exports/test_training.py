"""Training data: what is trained on is what is asked, its answers are read back as the truth, folds share no subject."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.generation import Generation
from harness.core.message import Image, Text
from harness.core.model import Card
from harness.core.prompt import PromptHead
from harness.core.request import Request
from harness.core.task import Task
from harness.core.training_folds import read_training_folds
from harness.exports.training_set.answers import fault_of, written
from harness.exports.training_set.folds import fold_name, make_folds
from tests.run.bench import rows, write_pictures

Key = tuple[Any, ...]
EMOTIONS = ("anger", "happiness", "fear", "surprise")


def lines(folder: Path) -> list[dict[str, Any]]:
    """Every row of an export, once: each subject is in a part of some fold."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("folds/*/*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            found[line] = json.loads(line)
    return list(found.values())


def digest_of(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def key_of_row(row: Mapping[str, Any]) -> Key:
    images = iter(row["images"])
    return tuple(
        (
            turn["role"],
            tuple(p["text"] if p["type"] == "text" else digest_of(next(images)) for p in turn["content"]),
        )
        for turn in row["messages"][:-1]
    )  # fmt: skip


def key_of_request(request: Request) -> Key:
    return tuple(
        (m.role, tuple(p.text if isinstance(p, Text) else p.digest for p in m.parts if isinstance(p, Text | Image)))
        for m in request.messages
    )  # fmt: skip


class Trained:
    """A model that knows the exported rows by heart, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.known = {key_of_row(r): r["messages"][-1]["content"][0]["text"] for r in lines(folder)}
        self.card = Card(name="trained", identity="trained-1")

    async def reply(self, request: Request) -> Generation:
        text = self.known.get(key_of_request(request), "never seen")
        return Generation(key=request.key, text=text, finish="stop")

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("task", "condition"),
    [
        pytest.param("faces/introspection", "none", marks=pytest.mark.slow),
        pytest.param("faces/me-vqa", "apex", marks=pytest.mark.slow),
        pytest.param("faces/units", "degrade:blur=3", marks=pytest.mark.slow),
        pytest.param("faces/age", "none", marks=pytest.mark.slow),
        pytest.param("faces/mixture", "none+label-order:reversed", marks=pytest.mark.slow),
        ("faces/affect", "none+pixels:0.01MP"),
    ],
)
def test_a_model_that_knows_the_rows_by_heart_answers_every_request_of_a_run_truly(
    task: str, condition: str, tmp_path: Path
) -> None:
    """Each kind of field and form of answer that ships, and every prompt of the task; by a run and its own scores."""
    chosen = ["--prompt", "all", "--condition", condition, "--limit", "4"]
    assert main(["export", task, "--training", "messages", *chosen, "--out", str(tmp_path / "t")]) == 0  # fmt: skip
    run = harness.evaluate(
        task, model=Trained(tmp_path / "t"), prompts=["all"], conditions=[condition], limit=4, out=tmp_path / "run",
        report=False,
    )  # fmt: skip
    records = run.records()
    asked = records[~records["field"].str.startswith("reliance_") & records["target"].notna()]
    assert len(asked) > 4
    unread = asked[asked["outcome"] != "answered"]
    assert unread.empty, unread[["prompt", "field", "text"]]
    assert "never seen" not in set(records["text"])
    wrong = asked[asked["value"].map(str) != asked["target"].map(str)]
    near = wrong[wrong["field"].isin(["valence", "arousal"])]
    assert len(wrong) == len(near), wrong[["field", "value", "target"]]
    if len(near):  # three places, or the nearest of five words on a scale from -1 to 1
        assert (near["value"].astype(float) - near["target"].astype(float)).abs().max() <= 0.25


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A task over a table of pictures of six people."""
    monkeypatch.chdir(tmp_path)
    write_pictures(tmp_path, rows(18))
    (tmp_path / "faces.yaml").write_text(
        "source: {family: table, file: labels.csv, image: image, label: emotion, subject: person}\n"
        "fields:\n  emotion: {kind: label, labels: [anger, happiness]}\nprompts: [emotion/plain, emotion/describe]\n"
    )
    return tmp_path


def export(*more: str) -> int:
    return main(["export", "faces.yaml", "--training", "messages", "--out", "out", *more])


def test_pictures_that_nothing_changed_are_named_where_they_are(table: Path) -> None:
    assert export() == 0
    assert not (table / "out" / "media").exists()
    (row,) = [r for r in lines(table / "out") if r["sample"].startswith("p0")]
    assert row["images"] == [str((table / "p0.png").resolve())]
    assert row["messages"][-1] == {"role": "assistant", "content": [{"type": "text", "text": "anger"}]}  # fmt: skip
    assert main(["export", "faces.yaml", "--training", "messages", "--condition", "blank", "--out", "b"]) == 0  # fmt: skip
    assert len(list((table / "b" / "media").iterdir())) == 1  # one blank of one size


def test_folds_leave_each_subject_out_of_training_and_validation(table: Path) -> None:
    assert export("--validation", "2") == 0
    folds = read_training_folds(table / "out" / "folds.json")
    assert sorted(folds.folds) == [f"s{i}" for i in range(6)]
    for name, fold in folds.folds.items():
        parts = {p: (table / "out" / "folds" / name / f"{p}.jsonl") for p in ("train", "validation")}  # fmt: skip
        seen = {p: {json.loads(x)["subject"] for x in f.read_text().splitlines()} for p, f in parts.items()}  # fmt: skip
        assert fold.asked == (name,)
        assert seen == {"train": set(fold.train), "validation": set(fold.validation)}
        assert len(seen["validation"]) == 2
        assert len({name} | seen["train"] | seen["validation"]) == 6
    card = (table / "out" / "README.md").read_text()
    assert "| emotion | anger | 9 |" in card
    assert "not to be redistributed" in card


def test_the_same_command_gives_the_same_digest_elsewhere_and_another_prompt_another(
    table: Path,
) -> None:
    for name, more in {"a": [], "b": [], "c": ["--condition", "blank"]}.items():
        assert main(["export", "faces.yaml", "--training", "messages", "--folds", "3", "--out", name, *more]) == 0  # fmt: skip
    a, b, c = (read_training_folds(table / n / "folds.json") for n in "abc")
    assert a == b
    assert a.digest != c.digest
    assert sorted(len(f.asked) for f in a.folds.values()) == [2, 2, 2]


def test_datasets_and_llama_factory_find_every_row_and_picture(table: Path) -> None:
    """Rules of LLaMA-Factory's readers (parser, converter, mm_plugin), of TRL's documented vision rows, and of `datasets`."""
    import datasets

    assert main(["export", "faces.yaml", "--training", "sharegpt", "--out", "s"]) == 0
    assert export() == 0
    info = json.loads((table / "s" / "dataset_info.json").read_text())
    for name in ("s0-train", "s0-validation"):
        told = info[name]
        assert told["formatting"] == "sharegpt"
        file, tags, columns = table / "s" / told["file_name"], told["tags"], told["columns"]
        loaded = datasets.load_dataset("json", data_files=str(file), cache_dir=str(table / "c"))["train"]  # fmt: skip
        for row in loaded:
            turns, images = row[columns["messages"]], row[columns["images"]]
            assert turns[0][tags["role_tag"]] == tags["system_tag"]
            kinds = [turn[tags["role_tag"]] for turn in turns[1:]]
            assert kinds == [tags["user_tag"], tags["assistant_tag"]]
            assert sum(t[tags["content_tag"]].count("<image>") for t in turns) == len(images)
            assert all(Path(image).is_file() for image in images)
    file = table / "out" / "folds" / "s0" / "train.jsonl"
    loaded = datasets.load_dataset("json", data_files=str(file), cache_dir=str(table / "c"))["train"]  # fmt: skip
    shown = loaded.cast_column("images", datasets.List(datasets.Image()))[0]
    parts = [p for turn in shown["messages"] for p in turn["content"]]
    assert [p["type"] for p in parts].count("image") == len(shown["images"]) == 1
    assert all(p["text"] for p in parts if p["type"] == "text")
    assert shown["images"][0].size == (32, 32)
    assert [turn["role"] for turn in shown["messages"]] == ["system", "user", "assistant"]
    kinds = {
        "prompt",
        "chosen",
        "rejected",
        "completion",
        "messages",
        "text",
    }  # by which TRL tells data sets apart
    assert kinds & set(loaded.column_names) == {"messages"}


def test_a_failed_command_leaves_no_folder_and_an_export_is_not_written_over(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*more: str, says: str) -> None:
        before = sorted(p.name for p in table.iterdir())
        assert export(*more) == 2
        assert says in capsys.readouterr().err
        assert sorted(p.name for p in table.iterdir()) == before

    fails("--prompt", "emotion/describe", says="its reply 'description' is free words")
    fails("--prompt", "dual/name", says="is of family dual")
    fails("--folds", "7", says="the samples show 6 subjects")
    fails("--validation", "5", says="at least one is trained on")
    fails("--condition", "mix:0.5", says="other subjects")
    fails("--with-replies", says="--with-replies has no effect with --training")
    (table / "labels.csv").write_text((table / "labels.csv").read_text().replace(",s3,", ",,"))
    fails(says="3 samples of 18 have no subject")
    write_pictures(table, rows(18))
    task = table / "faces.yaml"
    task.write_text(task.read_text().replace(", subject: person", ""))
    fails(says="the source names no subjects")
    task.write_text(task.read_text().replace("label: emotion", "label: emotion, subject: person"))
    assert export() == 0
    fails(says="out exists; training data is not written over")
    assert main(["export", "out", "--folds", "subject"]) == 2
    assert "--folds has no effect without --training" in capsys.readouterr().err


def test_a_picture_that_cannot_be_read_is_left_out_and_named(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (table / "p3.png").write_bytes(b"no picture")
    assert export() == 0
    assert "1 answer not written: its picture cannot be shown (first: p3.png" in capsys.readouterr().out  # fmt: skip
    assert len(lines(table / "out")) == 17


LABEL = FieldSpec(kind="label", labels=EMOTIONS)
GOLDEN = [
    (LABEL, "text", "fear", "fear"),
    (LABEL, "final", "fear", "Final answer: fear"),
    (LABEL, "json", "fear", '{"answer": "fear"}'),
    (LABEL, "percentages", "fear", '{"anger": 0, "happiness": 0, "fear": 100, "surprise": 0}'),
    (FieldSpec(kind="yes-no"), "text", "no", "no"),
    (FieldSpec(kind="yes-no"), "json", True, '{"answer": "yes"}'),
    (FieldSpec(kind="set", labels=EMOTIONS), "text", ("anger", "fear"), "anger, fear"),
    (FieldSpec(kind="set", labels=EMOTIONS), "text", (), "none"),
    (FieldSpec(kind="set", labels=EMOTIONS), "json", (), '{"answer": []}'),
    (FieldSpec(kind="number"), "text", -0.12349, "-0.123"),
    (FieldSpec(kind="number", low=0, high=9), "json", 4.0, '{"answer": 4}'),
    (FieldSpec(kind="age", low=0, high=116), "text", 34, "34"),
    (FieldSpec(kind="open-labels"), "text", ("joy", "relief"), "joy, relief"),
    (FieldSpec(kind="open-labels"), "text", ("confused", "happy"), "confused, happy"),
    (
        FieldSpec(kind="open-labels"),
        "json",
        ("quite tense", "sad"),
        '{"answer": ["quite tense", "sad"]}',
    ),
    (FieldSpec(kind="text"), "text", "A man smiles.", "A man smiles."),
]


@pytest.mark.parametrize(("spec", "form", "truth", "text"), GOLDEN)
def test_truths_as_answers(spec: FieldSpec, form: str, truth: Any, text: str) -> None:
    head = PromptHead.model_validate({"fields": ["answer"], "answer": form})
    task = Task(name="t", source={"family": "table"}, fields={"answer": spec}, prompts=("p",))
    assert written({"answer": truth}, task.fields, head, asked="What?") == text
    assert fault_of(text, {"answer": truth}, task, head, asks=["answer"]) == ""
    assert fault_of("I cannot say.", {"answer": truth}, task, head, asks=["answer"]) or spec.kind == "text"  # fmt: skip


def test_words_of_a_scale_are_written_where_the_prompt_names_them_all() -> None:
    spec = FieldSpec(kind="number", words={"calm": -1, "neutral": 0, "excited": 1})
    head = PromptHead(fields=("arousal",))
    fields = {"arousal": spec}
    asked = "Rate it as one of: calm, neutral, excited."
    assert written({"arousal": 0.4}, fields, head, asked=asked) == "neutral"
    assert written({"arousal": 0.4}, fields, head, asked="From -1 (calm) to 1 (excited).") == "0.4"


@given(
    st.dictionaries(st.text(min_size=1, max_size=9), st.integers(1, 40), min_size=3, max_size=12),
    st.integers(0, 9),
    st.one_of(st.none(), st.integers(2, 3)),
)
def test_folds_of_any_subjects(rows: dict[str, int], seed: int, groups: int | None) -> None:
    made = make_folds(rows, by="subject" if groups is None else str(groups), validation=None, seed=seed)  # fmt: skip
    assert sorted(s for fold in made.values() for s in fold.asked) == sorted(rows)
    for fold in made.values():
        assert sorted((*fold.asked, *fold.train, *fold.validation)) == sorted(rows)
    assert all(Path(name).name == name and name not in {".", ".."} for name in made)


def test_names_of_folds_are_names_of_folders() -> None:
    assert fold_name("sub01") == "sub01"
    assert fold_name("../x") != fold_name("x")
    assert "/" not in fold_name("a/b")
    alike = make_folds({"a": 1, "A": 1, "b": 1}, by="subject", validation=0, seed=0)
    assert len({name.casefold() for name in alike}) == 3 and "b" in alike


def test_a_file_of_folds_with_a_subject_on_both_sides_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "folds.json"
    write: Callable[[Any], int] = lambda value: path.write_text(json.dumps(value))  # noqa: E731
    write({"task": "t", "by": "subject", "folds": {"a": {"asked": ["a"], "train": ["b", "a"]}}})
    with pytest.raises(HarnessError, match="subject a is in two parts"):
        read_training_folds(path)
    path.write_text("{")
    with pytest.raises(HarnessError, match="is not JSON"):
        read_training_folds(path)
