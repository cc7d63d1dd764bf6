"""An export holds scores, outcomes and values, and nothing by which a stranger could find a sample."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness.core.errors import HarnessError
from harness.exports.export import FILES, PAGES, Kept, write_export
from harness.exports.manifest import export_manifest, model_names, without_paths
from harness.exports.pseudonyms import Pseudonyms, read_key
from harness.exports.reader import is_zip, read_export, unpack
from harness.report.page import write_report
from harness.run.manifest import read_manifest
from harness.score.folder import score_run
from tests.run.bench import RuleModel, World, make_world

SECRET = "a secret that two labs share"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = make_world(tmp_path_factory.mktemp("runs") / "where-it-lies", count=24)
    (made.root / "p3.png").write_bytes(b"no picture")
    made.run(RuleModel(rule=lambda request: "I think: anger"), conditions=("none", "blank"))
    return made


Export = Callable[..., Path]


@pytest.fixture
def export(world: World, tmp_path: Path) -> Export:
    def write(name: str = "export", *, secret: str | None = None, **kept: bool) -> Path:
        write_export(world.folder, tmp_path / name, secret=secret, kept=Kept(**kept))
        return tmp_path / name

    return write


def everything(folder: Path) -> str:
    """All text in an export, tables unpacked."""
    parts = []
    for path in folder.iterdir():
        if path.suffix == ".parquet":
            parts.append(json.dumps(pq.read_table(path).to_pydict()))
        else:
            parts.append(path.read_text())
    return "\n".join(parts)


def test_no_id_cluster_path_or_reply_is_in_an_export(
    world: World, export: Export, tmp_path: Path
) -> None:
    text = everything(export())
    for name in (
        *(f"p{i}.png" for i in range(24)),
        '"s1"',
        "where-it-lies",
        "labels.csv",
        "I think",
    ):
        assert name not in text, name
    assert "private" not in {p.name for p in (tmp_path / "export").iterdir()}
    assert "target" not in pq.read_schema(tmp_path / "export" / "records.parquet").names


def test_scores_outcomes_and_values_stay(world: World, export: Export, tmp_path: Path) -> None:
    scores = score_run(world.folder)
    out = export()
    assert json.loads((out / "scores.json").read_text()) == json.loads(scores.to_json())
    ours = pq.read_table(world.folder.records).to_pylist()
    theirs = pq.read_table(out / "records.parquet").to_pylist()
    for column in ("outcome", "value", "rule", "condition"):
        assert sorted(str(r[column]) for r in ours) == sorted(str(r[column]) for r in theirs)
    assert {r["failure"] for r in theirs} == {"", "media"}, "the kind of a failure, not its words"


def test_no_order_gives_an_id_away(world: World, export: Export, tmp_path: Path) -> None:
    out = export(prompts=True, replies=True)
    samples = pq.read_table(out / "samples.parquet").to_pylist()
    assert [r["sample"] for r in samples] == sorted(r["sample"] for r in samples)
    trials = [r["trial"] for r in pq.read_table(out / "records.parquet").to_pylist()]
    assert trials == sorted(trials)
    said = [
        json.loads(line)["id"] for line in (out / "conversations.jsonl").read_text().splitlines()
    ]
    assert said and said == sorted(said)


def test_replies_and_prompts_are_kept_where_that_is_wanted(
    world: World, export: Export, tmp_path: Path
) -> None:
    plain, full = export(), export("full", replies=True, prompts=True)
    assert "Answer with one word" not in everything(plain)
    assert "Answer with one word" in everything(full)
    assert "I think: anger" in everything(full)
    bare = export("bare", samples=False)
    assert not (bare / "samples.parquet").exists()
    with pytest.raises(HarnessError, match="without samples"):
        read_export(type(world.folder)(bare), json.loads((bare / "manifest.json").read_text()))


def test_names_hang_on_the_key_alone() -> None:
    ours, theirs, other = Pseudonyms("d" * 64), Pseudonyms("d" * 64), Pseudonyms("e" * 64)
    assert ours.sample("x") == theirs.sample("x") != other.sample("x")
    assert ours.check == theirs.check != other.check
    assert len({ours.sample("x"), ours.cluster("x"), ours.sample("y")}) == 3


def test_the_key_is_not_in_the_export(world: World, export: Export, tmp_path: Path) -> None:
    digest = read_manifest(world.folder)["tasks"]["task"]["data_digest"]
    assert digest not in everything(export())
    assert SECRET not in everything(export("keyed", secret=SECRET))
    write_report(world.folder)
    assert digest not in world.folder.report.read_text(), "a page is published, too"


def test_the_same_run_gives_the_same_bytes(world: World, export: Export, tmp_path: Path) -> None:
    first, second = export("a.zip"), export("b.zip")
    assert first.read_bytes() == second.read_bytes()
    assert is_zip(first)
    folder = export("folder")
    unpacked = unpack(first, tmp_path / "unpacked")
    for name in (p.name for p in folder.iterdir()):
        assert (folder / name).read_bytes() == (unpacked / name).read_bytes()


def test_an_export_is_replaced_and_anything_else_is_not(
    world: World, export: Export, tmp_path: Path
) -> None:
    out = export(prompts=True)
    assert not (export() / "conversations.jsonl").exists()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(HarnessError, match=r"not an export: it contains notes\.txt"):
        export()
    assert (out / "notes.txt").read_text() == "mine"


def test_an_export_is_neither_scored_nor_exported(
    world: World, export: Export, tmp_path: Path
) -> None:
    folder = type(world.folder)(export())
    for act in (
        score_run,
        lambda f: write_export(f, tmp_path / "x", secret=None, kept=Kept()),
    ):
        with pytest.raises(HarnessError, match="is an export"):
            act(folder)


def test_a_strange_zip_is_refused(tmp_path: Path) -> None:
    for number, names in enumerate((["../evil"], ["manifest.json", "other.bin"], ["scores.json"])):
        path = tmp_path / f"{number}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, "{}")
        with pytest.raises(HarnessError, match="not an export"):
            unpack(path, tmp_path / f"into-{number}")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("/home/me/faces/x.png", "***"),
        ("missing: /data/raf db/x.png", "missing: ***"),
        ("(/data/raf db/x.png) and", "(***) and"),
        ("source.file=../labels.csv", "source.file=***"),
        ("~/models/qwen", "***"),
        (r"C:\faces\x.png", "***"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("emotion/plain", "emotion/plain"),
        ("anger / sadness", "anger / sadness"),
        ("n/a", "n/a"),
    ],
)
def test_paths_are_hidden_and_other_words_are_not(text: str, cleaned: str) -> None:
    assert without_paths({text: [text]}) == {cleaned: [cleaned]}


def test_models_in_folders_go_by_their_last_name() -> None:
    models = ("transformers:/a/qwen", "transformers:/b/qwen", "openai:m@http://h:1/v1", "hf/smol")
    assert list(model_names({"models": dict.fromkeys(models)}).values()) == [
        "transformers:qwen", "transformers:qwen (2)", "openai:m", "hf/smol",
    ]  # fmt: skip


def test_sources_keep_their_family_and_columns_only(
    world: World, export: Export, tmp_path: Path
) -> None:
    manifest = read_manifest(world.folder)
    source = export_manifest(manifest, {}, prompts=False)["tasks"]["task"]["config"]["source"]
    assert source["family"] == "table"
    assert (source["file"], source["image"], source["label"]) == ("***", "image", "emotion")


def test_a_key_file_has_to_hold_a_secret(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    assert read_key(tmp_path / "key") == SECRET
    assert read_key(None) is None
    (tmp_path / "short").write_text("abc\n")
    for name, told in (("short", "too few for a key"), ("none", "cannot read the key file")):
        with pytest.raises(HarnessError, match=told):
            read_key(tmp_path / name)


def test_nothing_but_the_named_files_is_written(
    world: World, export: Export, tmp_path: Path
) -> None:
    out = export(prompts=True, replies=True)
    assert {p.name for p in out.iterdir()} == set(FILES) - set(PAGES)
