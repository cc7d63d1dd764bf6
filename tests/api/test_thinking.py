"""Thinking as an axis of a run: asked, kept apart, shown and compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.run.columns import read_table
from tests.models.abilities import able
from tests.models.stub import Stub, running_stub
from tests.models.thinkers import THINKERS
from tests.run.bench import rows, write_pictures

SOURCE = {"file": "labels.csv", "image": "image", "label": "emotion", "subject": "subject"}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_pictures(tmp_path, rows(6))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path


def run(stub: Stub, **options: Any) -> harness.Run:
    source = {key: SOURCE[key] for key in ("file", "image", "label")}
    given = {"model": f"openai:stub@{stub.url}", "out": "run", "progress": False} | options
    return harness.evaluate("table/emotion", source=source, **given)


def asked(stub: Stub) -> list[Any]:
    """What asked for thinking in the requests that show a picture."""
    shown = [body for body in stub.requests if "image_url" in json.dumps(body)]
    return [body.get("chat_template_kwargs") for body in shown]


def test_an_axis_is_asked_recorded_shown_and_compared(data: Path) -> None:
    with THINKERS["vllm-qwen3"].running() as stub:
        done = run(stub, thinking=["off", "on"], max_tokens=2000)
        said = asked(stub)
        assert said.count({"enable_thinking": False}) == said.count({"enable_thinking": True}) == 6
        before = stub.count
        run(stub, thinking=["off", "on"], max_tokens=2000)
        assert stub.count == before, "what is finished is not asked again"
    scores, records = done.scores(), done.records()
    assert set(scores[scores["model"] != "prior"]["thinking"]) == {"", "off", "on"}
    assert set(records["thinking"]) == {"off", "on"} == set(done.cells()["thinking"])
    assert set(done.cells()["done"]) == {6}
    assert "free, thinking on" in {
        row["channel"] for row in read_table(Path("run/records.parquet"))
    }
    pair = done.compare(thinking=("on", "off"))
    assert set(pair["axis"]) == {"thinking"}
    assert (pair["a_thinking"][0], pair["b_thinking"][0]) == ("on", "off")
    manifest = json.loads(Path("run/manifest.json").read_text())
    assert [cell["thinking"] for cell in manifest["cells"]] == ["off", "on"]
    (model,) = manifest["models"].values()
    assert set(model["thinking"]) == {"off", "on"}
    page = Path("run/report.html").read_text()
    assert "thinking off" in page and "thinking on" in page
    usage = {
        row["channel"]: row["reasoning_tokens"]
        for row in json.loads(Path("run/extras.json").read_text())["usage"]
    }
    assert set(usage) == {"free, thinking off", "free, thinking on"}


def test_a_cell_that_asks_nothing_is_as_it_was(data: Path) -> None:
    with THINKERS["vllm-qwen3"].running() as stub:
        run(stub, max_tokens=2000)
        count = stub.count
        run(stub, thinking="off", max_tokens=2000)
    cells = json.loads(Path("run/manifest.json").read_text())["cells"]
    assert [("thinking" in cell, cell.get("named", True)) for cell in cells] == [
        (True, True),
        (False, False),
    ]
    assert count < stub.count and len({cell["id"] for cell in cells}) == 2


@pytest.mark.parametrize(
    ("server", "options", "said"),
    [
        ("plain", {"thinking": "off"}, "cannot be asked for thinking off"),
        ("gpt-oss", {"thinking": "off"}, "cannot be asked for thinking off"),
        ("gpt5", {"thinking": 100, "max_tokens": 500}, "cannot be asked for thinking 100"),
        ("gpt5", {"thinking": 4000, "max_tokens": 500}, "4000 tokens of thinking leave none"),
        ("gpt5", {"thinking": "low", "channels": "logprob"}, "--channel logprob scores"),
        ("gpt5", {"thinking": "loud"}, "unknown thinking level 'loud'"),
        ("gpt5", {"thinking": "low", "model": "affect-tiny"}, "affect-tiny cannot be asked"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(
    data: Path, server: str, options: dict[str, Any], said: str
) -> None:
    with THINKERS[server].running() as stub, pytest.raises(harness.HarnessError, match=said):
        run(stub, **options)
    assert not asked(stub) and not Path("run/manifest.json").exists()


def test_models_think_each_as_its_settings_say(data: Path) -> None:
    with THINKERS["vllm-qwen3"].running() as one, THINKERS["ollama"].running() as other:
        models = {"a": (one, "off"), "b": (other, ["on", "high"])}
        described = [
            {"name": name, "model": f"openai:stub@{stub.url}", "thinking": level}
            for name, (stub, level) in models.items()
        ]
        done = run(one, model=described, max_tokens=2000)
    cells = done.cells()
    assert list(zip(cells["model"], cells["thinking"], strict=True)) == [
        ("a", "off"),
        ("b", "on"),
        ("b", "high"),
    ]


@pytest.mark.parametrize("first", [True, False])
def test_thinking_before_a_reply_that_is_held_is_proved_too(data: Path, *, first: bool) -> None:
    """vLLM with a reasoning parser holds what comes after the thinking; without one, no thinking is left."""
    thinker = THINKERS["vllm-qwen3"]
    obeying = able(obeys={"guided_choice"})["extend"]

    def extend(body: dict[str, Any], completion: dict[str, Any]) -> None:
        obeying(body, completion)
        if first or "guided_choice" not in body:
            thinker.extend(body, completion)

    with running_stub(choose=thinker.choose, extend=extend) as stub:
        options: dict[str, Any] = {"channels": "choice", "max_tokens": 2000, "report": False}
        run(stub, thinking="off", out="other", **options)
        if first:
            done = run(stub, thinking="on", **options)
            assert set(done.scores()["channel"]) >= {"choice, thinking on"}
        else:
            with pytest.raises(harness.HarnessError, match="cannot be combined"):
                run(stub, thinking="on", **options)


def test_langchain_carries_thinking_in_the_body(data: Path) -> None:
    pytest.importorskip("langchain_openai")
    with THINKERS["vllm-qwen3"].running() as stub:
        run(
            stub,
            model=f"langchain:openai:stub@{stub.url}/v1",
            thinking="off",
            max_tokens=2000,
            report=False,
        )
    assert asked(stub) == [{"enable_thinking": False}] * 6


def test_a_level_whose_effect_is_not_seen_is_told(data: Path) -> None:
    with THINKERS["vllm-always"].running() as stub:
        done = run(stub, thinking="low", max_tokens=2000, report=False)
    assert any("takes thinking low" in note and "was not seen" in note for note in done.notes)
