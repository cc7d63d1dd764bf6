"""What a plan says of tokens and money before anything is asked, and what does not fit a context."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.core.generation import Generation, Usage
from harness.core.message import Image
from harness.core.model import Measured
from harness.core.request import Request
from harness.models import counting
from tests.run.keeping import Desk, RuleModel, make_desk

COUNT = 40
LARGE = "p7.png"


def tokens(request: Request) -> int:
    """100 for the text, and as many as the first picture has rows of pixels."""
    import io

    parts = [p for m in request.messages for p in m.parts if isinstance(p, Image)]
    return 100 + sum(Pillow.open(io.BytesIO(part.data)).height for part in parts)


@dataclass
class Counter:
    longest: int | None = 1000

    def count(self, request: Request) -> int | None:
        return tokens(request)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    desk = make_desk(tmp_path, COUNT)
    Pillow.effect_noise((900, 900), 80).save(tmp_path / LARGE)
    return desk


def plan(*more: str) -> list[str]:
    return ["plan", "task.yaml", "--prompts", "prompts", "--prompt", "own/plain", *more]


def told(capsys: pytest.CaptureFixture[str], *more: str) -> list[dict[str, Any]]:
    assert main(plan(*more, "--json")) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["plan"]["tokens"]
    return found


def test_a_plan_counts_by_the_processor_that_is_at_hand(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "token_counter", lambda spec: Counter())
    model = ("--model", "affect-tiny", "--price", "1/2EUR")
    (row,) = told(capsys, *model)
    assert row["requests"] == COUNT
    assert row["prompt_tokens"] == pytest.approx(COUNT * 132, rel=0.4), (
        "32 rows, and one large picture among them"
    )
    assert row["reply_tokens_at_most"] == COUNT * 256
    low, high = row["cost"]
    assert low == pytest.approx(row["prompt_tokens"] / 1e6)
    assert high == pytest.approx(low + 2 * COUNT * 256 / 1e6)
    assert row["currency"] == "EUR"
    assert row["too_long"] == [LARGE.removesuffix(".png")] or row["too_long"] == [LARGE], (
        "found beforehand"
    )
    assert main(plan(*model)) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "exceed the context length" in text
    assert "EUR" in text
    small = told(capsys, *model, "--pixels", "10000")[0]
    assert "too_long" not in small
    assert small["prompt_tokens"] < row["prompt_tokens"]


def test_a_plan_says_what_it_does_not_know(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    server = ("--model", "openai:m@http://127.0.0.1:9/v1")
    (row,) = told(capsys, *server, "--price", "1/2")
    assert row["source"] == "not known yet"
    assert "cost" not in row
    assert main(plan(*server)) == 0
    assert "tokens not known before" in capsys.readouterr().out


def test_a_plan_says_what_several_cells_cost_together(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        counting, "token_counter", lambda spec: Counter() if spec == "affect-tiny" else None
    )
    model = ("--model", "affect-tiny", "--price", "1000/2000")
    assert main(plan(*model)) == 0
    assert "in total" not in capsys.readouterr().out
    both = (*model, "--condition", "none", "--condition", "blank")
    costs = [row["cost"] for row in told(capsys, *both)]
    assert len(costs) == 2
    server = ("--model", "openai:m@http://127.0.0.1:9/v1")
    assert main(plan(*both, *server)) == 0
    (line,) = [one for one in capsys.readouterr().out.splitlines() if one.startswith("in total")]
    amounts = [float(word) for word in line.split() if word[0].isdigit() and "." in word]
    assert amounts == [pytest.approx(sum(ends), abs=0.01) for ends in zip(*costs, strict=True)]
    assert line.endswith("and 2 cells whose tokens are not known")


@dataclass
class Talkative(RuleModel):
    async def reply(self, request: Request) -> Generation:
        return replace(await super().reply(request), usage=Usage(tokens(request), 7), latency=0.1)


def test_a_plan_goes_by_the_replies_that_are_there(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(HarnessError, match="stopped"):
        desk.run(Talkative(window=1), prices=("1000000/0",), max_cost="1000")
    done = len(desk.folder.trials.read_text().splitlines())
    assert 0 < done < COUNT
    (row,) = told(capsys, "--model", "rule", "--price", "1/0", "--out", "run")
    assert row["requests"] == COUNT - done
    assert row["reply_tokens"] == 7 * (COUNT - done)
    assert row["prompt_tokens"] == pytest.approx(132 * (COUNT - done), rel=0.01)
    assert row["source"] == f"from its {done} replies in the folder"


@dataclass
class Limited(RuleModel):
    """Knows how much it takes."""

    longest: int = 1000

    async def measure(self, request: Request) -> Measured | None:
        return Measured(tokens(request), self.longest)


def test_what_does_not_fit_is_told_before_it_is_asked(desk: Desk) -> None:
    model = Limited()
    desk.run(model)
    (note,) = [note for note in desk.notes if "context length" in note]
    assert "1 of " in note
    assert "--pixels" in note
    assert len(model.asked) == COUNT
    desk.run({"small": Limited(identity="2")}, pixels=("10000",))
    assert not any("context length" in note for note in desk.notes)
    none = Limited(longest=50, identity="3")
    with pytest.raises(HarnessError, match="checked samples exceed the context length"):
        desk.run({"tiny": none})
    assert not none.asked


def test_a_server_counts_by_its_own_tokenizer(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.models.stub import running_stub

    with running_stub(tokenize=lambda body: {"count": 4000}) as stub:
        status = main([
            "run", "task.yaml", "--prompts", "prompts", "--prompt", "own/plain", "--model",
            f"openai:stub@{stub.url}", "--out", "served",
        ])  # fmt: skip
        assert status == 2
        assert not stub.requests, "told before the first picture is sent"
    assert "exceed the context length" in " ".join(capsys.readouterr().err.split())


def test_affect_tiny_is_counted_where_a_vllm_serves_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.affect_tiny import weights_folder
    from harness.models.transformers import counting as reading

    monkeypatch.setattr(reading, "counter_of", lambda folder: folder)
    for spec in ("affect-tiny", "vllm:affect-tiny"):
        assert counting.token_counter(spec) == weights_folder()
    assert counting.token_counter("affect-tiny:large") is None
    assert counting.token_counter("vllm:/nowhere") is None
