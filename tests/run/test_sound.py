"""Clips with sound through plan, probe, engine and record: who hears, who does not, and what is written of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.run.columns import read_table
from harness.run.log import read_log
from tests.models.sounds import hearing, sounds_in
from tests.models.stub import Stub, running_stub

LABELS = ("anger", "disgust", "happiness", "surprise")


def asked(stub: Stub, out: Path, *conditions: str) -> int:
    named = [word for name in conditions for word in ("--condition", name)]
    return main(
        ["run", "faces/voice", "--set", "source.n=10", "--set", "source.kind=image", "--set", "source.size=48",
         "--set", "source.labels=[anger, disgust, happiness, surprise]", "--set",
         "fields.emotion.labels=[anger, disgust, happiness, surprise]", "--model", f"openai:stub@{stub.url}", *named, "--out", str(out)]
    )  # fmt: skip


def test_drawn_clips_are_heard_seen_or_both(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with running_stub(**hearing(labels=LABELS)) as stub:
        assert asked(stub, out, "audio", "picture", "both") == 0
        bodies = [b for b in stub.requests if "what you hear" not in str(b["messages"])]
    shown = [
        sorted({p["type"] for t in b["messages"] if not isinstance(t["content"], str) for p in t["content"]})
        for b in bodies
    ]  # fmt: skip
    assert sum(types == ["input_audio", "text"] for types in shown) == 10
    assert sum(types == ["image_url", "text"] for types in shown) == 10
    assert sum(types == ["image_url", "input_audio", "text"] for types in shown) == 10
    right: dict[str, list[bool]] = {}
    for row in read_table(out / "records.parquet"):
        right.setdefault(row["condition"], []).append(row["value"] == row["target"])
        assert not row["fallback"]
    assert right["audio"] == right["both"] == [True] * 10
    assert sum(right["picture"]) < 10  # the stub says the first label where it hears nothing
    assert json.loads((out / "manifest.json").read_text())["models"][f"openai:stub@{stub.url}"][
        "audio"
    ]
    said = [text for _, line in read_log(out / "conversations.jsonl") for _, text in line["turns"]]
    assert any("[sound 1]" in text for text in said)
    changes = {tuple(line["shown"]["changes"][-1:]) for _, line in read_log(out / "trials.jsonl")}
    assert changes == {("audio",), ("picture",), ("both",)}


def test_a_model_that_does_not_hear_is_recorded_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    with running_stub(**hearing("deaf", LABELS)) as stub:
        asked(stub, out, "audio", "both")
        probes = [b for b in stub.requests if "what you hear" in str(b["messages"])]
        assert not any(sounds_in(b) for b in stub.requests if b not in probes)
    told = " ".join(capsys.readouterr().err.split())
    assert "was not shown to hear" in told
    rows = list(read_table(out / "records.parquet"))
    both = [row for row in rows if row["condition"] == "both"]
    audio = [row for row in rows if row["condition"] == "audio"]
    assert len(both) == len(audio) == 10
    assert all("not-heard" in row["fallback"] and row["outcome"] == "answered" for row in both)
    assert all(row["outcome"] == "failed" and "not heard" in row["failure"] for row in audio)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["faces/emotion", "--condition", "both"], "has no sound"),
        (["faces/voice", "--condition", "apex+audio"], "cannot be joined by +"),
        (["faces/voice", "--condition", "audio/apex"], "audio shows no picture"),
        (["faces/emotion", "--set", "source.kind=mixture", "--set", "source.sound=true"], "have no sound"),
    ],
)  # fmt: skip
def test_what_cannot_be_heard_is_refused_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    with running_stub(**hearing()) as stub:
        asked = ["run", *words, "--model", f"openai:stub@{stub.url}", "--out", str(tmp_path / "r")]
        assert main(asked) != 0
    assert said in " ".join(capsys.readouterr().err.split()) and stub.count == 0
