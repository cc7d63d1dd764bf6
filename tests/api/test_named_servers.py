"""Whole runs over imitations of named servers: every sample is answered rightly or refused, and what was found is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import harness
from tests.models.named_servers import KEY, SERVERS, running_servers
from tests.run.bench import rows, write_pictures

SOURCE = {"file": "labels.csv", "image": "image", "label": "emotion"}

DROPPED = {
    "azure": "repetition_penalty, top_k",
    "anthropic": "top_p",
    "lmdeploy": "top_k",
    "tgi": "top_p",
    "nim": "top_p",
}
REASONING = {"openrouter": "The mouth is wide.", "ollama": "It smiles.", "sglang": "Brows up."}
UNLISTED = {"anthropic", "ollama", "llamacpp"}
"""Their lists name other models; that of Anthropic is opened by a header of its own."""


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    with running_servers() as url:
        yield url


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_pictures(tmp_path, rows(9))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINE", KEY)
    return tmp_path


@pytest.mark.parametrize("name", SERVERS)
def test_a_run_over_a_named_server_is_right(data: Path, servers: str, name: str) -> None:
    place = "azure/openai/deployments/m" if name == "azure" else f"{name}/v1"
    settings: dict[str, Any] = {"model": f"openai:m@{servers}/{place}", "name": name}
    if SERVERS[name].key:
        settings["key_env"] = "MINE"
    if name == "azure":
        settings["query"] = {"api-version": "2025-04-01-preview"}
    done = harness.evaluate(
        "table/emotion", source=SOURCE, model=settings, prompts="emotion/role", out="run",
        report=False, progress=False,
    )  # fmt: skip
    records = done.records()
    outcomes = records["outcome"].value_counts().to_dict()
    if name == "azure":
        assert set(outcomes) == {"answered", "refused"} and sum(outcomes.values()) == 9
        assert set(records[records["outcome"] == "refused"]["rule"]) == {"refused/platform"}
    else:
        assert outcomes == {"answered": 9}
    (entry,) = json.loads(Path("run/manifest.json").read_text())["models"].values()
    assert entry["details"].get("dropped", "") == DROPPED.get(name, "")
    assert entry["system_role"] == (name != "llamacpp")
    assert any("does not list 'm'" in note for note in done.notes) == (name in UNLISTED)
    lines = Path("run/generations.jsonl").read_text().splitlines()
    assert {json.loads(line).get("reasoning", "") for line in lines} == {REASONING.get(name, "")}


def test_a_wrong_key_is_told_before_anything_is_asked(
    data: Path, servers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER", "some-other-key")
    model = {"model": f"openai:m@{servers}/openrouter/v1", "key_env": "OTHER"}
    with pytest.raises(harness.HarnessError, match="401") as found:
        harness.evaluate("table/emotion", source=SOURCE, model=model, out="run", progress=False)
    assert "some-other-key" not in str(found.value) and not Path("run/manifest.json").exists()
