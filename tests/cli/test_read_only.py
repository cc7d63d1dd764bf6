"""A run where nothing can be written is scored, reported, compared and exported elsewhere; nothing in it changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.exports.manifest import HIDDEN


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    paths = [folder, *folder.rglob("*")]
    return {str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.stat().st_size) for p in paths}


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [
        f"p{i}.png,{'anger' if i % 2 else 'joy'},{'anger' if i % 3 else 'joy'}" for i in range(30)
    ]
    Path("a.csv").write_text("\n".join(["id,truth,answer", *lines, ""]))
    for out in ("run", "other"):
        assert main(["score", "--task", "table/emotion", "--set", "fields.emotion.labels=[anger, joy]",
                     "--predictions", "a.csv", "--out", out]) == 0  # fmt: skip
    return tmp_path / "run"


def test_a_run_that_can_only_be_read_gives_everything_elsewhere(run, tmp_path, capsys):
    for path in sorted(run.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    run.chmod(0o555)
    before = tree(run)
    try:
        assert main(["score", "run", "--out", "made"]) == 0
        assert (
            main(["score", "run", "--out", "made2", "--set", "fields.emotion.metrics=[kappa]"]) == 0
        )
        for form in ("html", "markdown", "json"):
            assert main(["report", "run", "--out", "made2", "--format", form]) == 0
            assert main(["report", "run", "--out", "fresh", "--format", form]) == 0
        assert main(["compare", "run", "other"]) == 0
        assert main(["export", "run", "--out", "exported"]) == 0
        assert main(["export", "run", "--out", "exported.zip"]) == 0
    finally:
        assert tree(run) == before
        for path in [run, *run.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert Path("made/scores.json").read_bytes() == (run / "scores.json").read_bytes()
    assert Path("made/records.parquet").read_bytes() == (run / "records.parquet").read_bytes()
    kappa = {row["metric"] for row in json.loads(Path("made2/scores.json").read_text())["scores"]}
    assert "kappa" in kappa and "uar" not in kappa
    assert "kappa" in Path("made2/report.md").read_text().lower()
    assert "kappa" not in Path("fresh/report.md").read_text().lower()
    left = [p.name for p in tmp_path.rglob("*.unfinished-*")]
    assert not left
    Path("full").mkdir()
    Path("full/mine.txt").write_text("x")
    capsys.readouterr()
    for command in (["score", "run"], ["report", "run"], ["export", "run"]):
        assert main([*command, "--out", "full"]) in (1, 2)
        assert "mine.txt" in capsys.readouterr().err
    assert [p.name for p in Path("full").iterdir()] == ["mine.txt"]


def test_what_killed_commands_left_is_gone_after_the_next(run, monkeypatch):
    monkeypatch.undo()
    monkeypatch.chdir(run.parent)
    assert main(["export", "run", "--out", "exported"]) == 0
    dead = "unfinished-999999999"
    for path in (run / f".scores.json.{dead}", run.parent / "exported" / f".manifest.json.{dead}"):
        path.write_text("half")
    (run.parent / f".exported.{dead}-x").mkdir()
    (run / "private" / f".scoring.{dead}-x").mkdir()
    (run.parent / "exported" / "records.parquet").unlink()
    for command in (["export", "run", "--out", "exported"], ["report", "run"], ["score", "run"]):
        assert main(command) == 0
    assert not list(run.parent.rglob("*unfinished*"))
    manifest = json.loads((run.parent / "exported" / "manifest.json").read_text())
    assert str(run.parent) not in json.dumps(manifest) and HIDDEN not in manifest["tasks"]


def test_pages_and_exports_say_nothing_of_the_machine(run, tmp_path, monkeypatch):
    """The folder's own name stands for every path; a server's address for every machine."""
    table = tmp_path / "a.csv"
    assert main(["score", "--task", "table/emotion", "--set", "fields.emotion.labels=[anger, joy]",
                 "--predictions", str(table), "--out", "run2"]) == 0  # fmt: skip
    manifest = Path("run2/manifest.json")
    told = manifest.read_text()
    name = next(iter(json.loads(told)["models"]))
    served, local = "openai:m@http://secret.host:8000/v1", f"transformers:{tmp_path}/weights/mine"
    for instead, hidden in ((served, "secret.host"), (local, str(tmp_path))):
        for file in (manifest, Path("run2/generations.jsonl"), Path("run2/trials.jsonl")):
            file.write_text(file.read_text().replace(json.dumps(name), json.dumps(instead)))
        body = json.loads(manifest.read_text())
        body["command"] += ["--out", str(tmp_path / "run2")]
        body["models"][instead]["details"] = {
            "folder": str(tmp_path),
            "url": "http://secret.host:8000/v1",
        }
        manifest.write_text(json.dumps(body))
        assert main(["score", "run2"]) == 0
        for form in ("html", "markdown", "json"):
            assert main(["report", "run2", "--format", form]) == 0
        for page in Path("run2").glob("report.*"):
            assert str(tmp_path) not in page.read_text(), page
        assert main(["export", "run2", "--out", "out"]) == 0
        for file in Path("out").iterdir():
            assert (
                hidden.encode() not in file.read_bytes() and b"secret.host" not in file.read_bytes()
            )
        name = instead
