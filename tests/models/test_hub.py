"""Which files of a repository are fetched, by a hub that is a folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import HarnessError
from harness.models.transformers.hub import fetch_checkpoint

huggingface_hub = pytest.importorskip("huggingface_hub")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """A repository, and what was fetched of it."""

    def __init__(self, cache: Path, files: Sequence[str]) -> None:
        self.files = list(files)
        self.folder = cache / "models--owner--name" / "snapshots" / COMMIT
        self.revisions: list[str | None] = []

    def snapshot_download(
        self, name: str, *, revision: str | None, allow_patterns: Any, ignore_patterns: Any
    ) -> str:
        from huggingface_hub.utils import filter_repo_objects

        assert name == "owner/name"
        self.revisions.append(revision)
        self.folder.mkdir(parents=True, exist_ok=True)
        for file in filter_repo_objects(
            self.files, allow_patterns=allow_patterns, ignore_patterns=ignore_patterns
        ):
            path = self.folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(INDEX) if file.endswith(".index.json") else "{}")
        return str(self.folder)

    def fetched(self) -> set[str]:
        return {str(p.relative_to(self.folder)) for p in self.folder.rglob("*") if p.is_file()}


INDEX = {
    "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
}
SETTINGS = ["config.json", "tokenizer.json", "preprocessor_config.json", "chat_template.jinja"]
COPIES = ["pytorch_model.bin", "consolidated.safetensors", "original/consolidated.00.pth", "onnx/model.safetensors",
          "onnx/config.json", "model.fp16.safetensors", "README.md", "own.py"]  # fmt: skip


def make(monkeypatch: pytest.MonkeyPatch, cache: Path, weights: Sequence[str]) -> Hub:
    hub = Hub(cache, [*SETTINGS, *COPIES, *weights])
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot_download)
    monkeypatch.setattr(
        huggingface_hub.HfApi, "list_repo_files", lambda self, name, revision: hub.files
    )
    return hub


@pytest.mark.parametrize(
    ("weights", "kept"),
    [
        (["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
          "model.safetensors.index.json"],
         {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
          "model.safetensors.index.json"}),
        (["model.safetensors"], {"model.safetensors"}),
    ],
)  # fmt: skip
def test_one_copy_of_the_weights_is_fetched(
    weights: list[str], kept: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = make(monkeypatch, tmp_path, weights)
    seen: list[set[str]] = []
    folder = fetch_checkpoint("owner/name", check=lambda _: seen.append(hub.fetched()))
    assert folder == hub.folder
    assert hub.fetched() == {*SETTINGS, *kept}
    assert not any(name.endswith(".safetensors") for name in seen[0]), "settings come first"
    assert hub.revisions == [None, COMMIT], "the weights are those of the same commit"


def test_code_comes_along_only_where_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = make(monkeypatch, tmp_path, ["model.safetensors"])
    fetch_checkpoint("owner/name@main", code=True)
    assert "own.py" in hub.fetched() and hub.revisions[0] == "main"


def test_weights_that_could_not_be_used_are_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = make(monkeypatch, tmp_path, ["model.safetensors"])

    def refuse(folder: Path) -> None:
        raise HarnessError("a package is missing")

    with pytest.raises(HarnessError, match="missing"):
        fetch_checkpoint("owner/name", check=refuse)
    assert "model.safetensors" not in hub.fetched()


def test_a_hub_that_gives_nothing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*args: Any, **options: Any) -> str:
        raise OSError("404 Client Error")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", absent)
    with pytest.raises(HarnessError, match="the download from the hub failed") as caught:
        fetch_checkpoint("owner/name")
    assert "hf auth login" in caught.value.hint
    shutil.rmtree(tmp_path, ignore_errors=True)
