"""A run folder of which a file is broken: every command says which file, in one line, and writes no traceback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli.main import main

FILES = ("manifest.json", "scores.json", "records.parquet", "trials.jsonl", "generations.jsonl",
         "conversations.jsonl", "private/samples/table__emotion.parquet")  # fmt: skip
COMMANDS = (
    ["score", "bad"], ["score", "bad", "--set", "slices=[]"], ["report", "bad"], ["cues", "bad"],
    ["compare", "bad", "run"], ["export", "bad", "--out", "exported"],
    ["submit", "megc2025-me-vqa", "bad", "--to-answer", "q.jsonl", "--out", "sent"],
)  # fmt: skip
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda data: data[: len(data) // 2],
    "an object": lambda data: b"{}\n",
    "deep": lambda data: b"[" * 100_000 + b"\n",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scored run."""
    root = tmp_path_factory.mktemp("broken")
    lines = [
        f"p{i}.png,{'anger' if i % 2 else 'joy'},{'anger' if i % 3 else 'joy'}" for i in range(30)
    ]
    (root / "a.csv").write_text("\n".join(["id,truth,answer", *lines, ""]))
    (root / "q.jsonl").write_text("{}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert main(["score", "--task", "table/emotion", "--set", "fields.emotion.labels=[anger, joy]",
                     "--predictions", "a.csv", "--out", "run"]) == 0  # fmt: skip
        assert main(["report", "run"]) == 0
    return root


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", [*DAMAGE, "a folder"])
def test_no_broken_file_ends_in_a_traceback(name, how, place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    for command in COMMANDS:
        for folder in ("bad", "exported", "sent"):
            shutil.rmtree(place / folder, ignore_errors=True)
        shutil.copytree(place / "run", place / "bad")
        target = place / "bad" / name
        if how == "a folder":
            target.unlink(missing_ok=True)
            target.mkdir(parents=True)
        else:
            target.write_bytes(DAMAGE[how](target.read_bytes() if target.exists() else b"{}"))
        status = main(command)
        told = capsys.readouterr().err
        assert status in (0, 1, 2), command
        if status:
            assert told.startswith("error: ") and len(told.splitlines()) <= 2, (command, told)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["tasks"], []),
        (["tasks", "table/emotion"], {}),
        (["tasks", "table/emotion", "config"], {"fields": {}}),
        (["cells"], [1]),
        (["cells", 0, "prompt"], "none/such"),
        (["models"], {"m": 3}),
        (["seeds"], {"bootstrap": "x"}),
        (["command"], None),
        (["prompts"], {}),
        (["packages"], 1),
    ],
)
def test_an_edited_manifest_is_told_by_its_key(path, value, place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    shutil.rmtree(place / "bad", ignore_errors=True)
    shutil.copytree(place / "run", place / "bad")
    file = place / "bad" / "manifest.json"
    manifest = json.loads(file.read_text())
    spot = manifest
    for key in path[:-1]:
        spot = spot[key]
    spot[path[-1]] = value
    file.write_text(json.dumps(manifest))
    for command in (["score", "bad"], ["report", "bad"], ["compare", "bad", "run"]):
        assert main(command) == 2
        told = capsys.readouterr().err
        assert "manifest.json" in told and len(told.splitlines()) <= 2
