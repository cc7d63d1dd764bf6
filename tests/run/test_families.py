"""Models of unlike prompt families in one run: each gets its own prompt, and they are compared as they are."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.cli.main import main
from harness.compare import compare, run_side
from harness.compare.overview import overview
from harness.core.errors import HarnessError
from harness.core.generation import Generation, LabelScores
from harness.core.label_texts import read_label_turns
from harness.core.message import Image
from harness.core.model import Card
from harness.core.request import Request
from harness.run.folder import RunFolder
from harness.score.scores import read_scores


class Encoder:
    """Finds the first label the likeliest; says what texts it was given."""

    def __init__(self, name: str = "encoder", families: Sequence[Any] = ("dual",)) -> None:
        self.card = Card(name, "1", families=tuple(families), estimators=("distribution",))
        self.texts: set[tuple[tuple[str, ...], ...]] = set()
        self.requests: list[Request] = []

    async def reply(self, request: Request) -> Generation:
        self.requests.append(request)
        if "dual" in self.card.families:
            self.texts.add(read_label_turns(request.messages).texts)
        rest = (len(request.candidates) - 1) or 1
        logs = (math.log(0.7), *[math.log(0.3 / rest)] * (len(request.candidates) - 1))
        scores = LabelScores(request.candidates, logs, (1,) * len(logs), "distribution")
        return Generation(request.key, request.candidates[0], "stop", scores=scores)

    async def close(self) -> None:
        pass


class Chatting:
    """Always finds happiness."""

    def __init__(self) -> None:
        self.card = Card("chatting", "1")

    async def reply(self, request: Request) -> Generation:
        return Generation(request.key, "happiness", "stop")

    async def close(self) -> None:
        pass


def run(tmp_path: Path, *models: Any, limit: int = 24, **options: Any) -> harness.Run:
    return harness.evaluate(
        "faces/emotion", models=list(models), limit=limit, out=tmp_path / "run", report=False,
        progress=False, **options,
    )  # fmt: skip


def cells(done: harness.Run) -> list[tuple[str, str, str]]:
    manifest = json.loads((done.path / "manifest.json").read_text())
    return [(c["model"], c["prompt"], c["channel"]) for c in manifest["cells"] if c.get("named", True)]  # fmt: skip


def test_each_model_gets_the_first_prompt_of_its_family(tmp_path: Path) -> None:
    encoder, specialist = Encoder(), Encoder("specialist", families=("none",))
    done = run(tmp_path, encoder, Chatting(), specialist)

    assert cells(done) == [
        ("encoder", "dual/described", "logprob"),
        ("chatting", "emotion/plain", "free"),
        ("specialist", "none", "logprob"),
    ]
    (texts,) = encoder.texts
    assert len(texts) == 7 and len(set(texts)) == 7
    for request in specialist.requests:
        (turn,) = request.messages
        assert all(isinstance(part, Image) for part in turn.parts)
        assert request.candidates[0] == "anger"
    scores = read_scores(RunFolder(done.path)).scores
    assert {row.model for row in scores if row.metric == "brier"} == {"encoder", "specialist"}


def test_they_are_compared_as_model_with_its_prompt(tmp_path: Path) -> None:
    done = run(tmp_path, Encoder(), Chatting(), Encoder("specialist", families=("none",)))
    found = compare([run_side(RunFolder(done.path))])
    assert {one.axis for one in found.comparisons} == {"model with its prompt"}
    assert len(found.comparisons) == 3
    (board,) = overview(RunFolder(done.path)).boards
    assert len(board.differences) == 2


def test_cells_that_cannot_be_are_left_out_in_a_line(tmp_path: Path) -> None:
    done = run(
        tmp_path, Encoder(), Chatting(), prompts=["dual/name", "emotion/plain", "dual/template"]
    )
    assert [one[:2] for one in cells(done)] == [
        ("encoder", "dual/name"),
        ("encoder", "dual/template"),
        ("chatting", "emotion/plain"),
    ]
    lines = [note for note in done.notes if "left out" in note]
    assert len(lines) == 2
    assert "encoder takes dual prompts" in lines[0] and "(emotion/plain)" in lines[0]


def test_all_prompts_are_those_of_each_family(tmp_path: Path) -> None:
    done = run(tmp_path, Encoder(), Chatting(), prompts="all", limit=2)
    for model, prompt, _ in cells(done):
        assert prompt.startswith("dual/") == (model == "encoder")
    assert not [note for note in done.notes if "left out" in note]


def test_options_of_conversations_concern_chat_models(tmp_path: Path) -> None:
    options: dict[str, Any] = {"label_orders": ["as-written", "reversed"], "channels": ["free"]}
    done = run(tmp_path, Encoder(), Chatting(), **options)
    assert [one[0] for one in cells(done)] == ["encoder", "chatting", "chatting"]
    assert any("encoder writes no text" in note for note in done.notes)
    with pytest.raises(HarnessError, match=r"(?s)channel.*label-order have no effect"):
        run(tmp_path / "alone", Encoder(), **options)
    with pytest.raises(HarnessError, match="no model takes the prompts"):
        run(tmp_path / "other", Encoder(), prompts="emotion/plain")


def test_a_card_that_says_otherwise_than_was_planned_is_refused(tmp_path: Path) -> None:
    from harness.core.cell import Cell
    from harness.core.folders import shipped_folder
    from harness.prompting.library import Library
    from harness.run.families import check_families
    from harness.run.plan import Plan

    prompt = Library([shipped_folder()]).prompt("emotion/plain")
    cell = Cell("t", "m", prompt.name, "none", "single")
    plan = Plan({}, {prompt.name: prompt}, (cell,))
    with pytest.raises(HarnessError, match="m takes dual prompts"):
        check_families(plan, {"m": Card("m", "1", families=("dual",))})


def own_prompt(folder: Path, text: str) -> Path:
    (folder / "mine").mkdir(parents=True)
    (folder / "mine" / "texts.j2").write_text(text, encoding="utf-8")
    return folder


HEAD = "---\nfamily: dual\nfields: [emotion]\n{}---\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (HEAD.format("") + "{% user %}{{ label }}{% enduser %}", "has no turns"),
        (HEAD.format("") + "{% if label == 'anger' %}x{% endif %}", "no text for the label"),
        (HEAD.format("") + "{{ lable }}", "unknown variable lable"),
        (HEAD.format("answer: json\n") + "{{ label }}", "answer has no effect"),
        (HEAD.format("").replace("dual", "none") + "{% user %}hello{% enduser %}", "shows text"),
    ],
)
def test_a_faulty_prompt_is_told_before_anything_is_asked(
    tmp_path: Path, text: str, fault: str
) -> None:
    folder = own_prompt(tmp_path / "prompts", text)
    model = Encoder(families=("dual", "none"))
    with pytest.raises(HarnessError, match=fault):
        run(tmp_path, model, prompts="mine/texts", prompts_folders=folder)
    assert not model.requests


def test_texts_are_lines_and_data_is_harmless(tmp_path: Path) -> None:
    text = (
        HEAD.format("")
        + "a {{ label }}\n\n{% if definition is defined %}{{ meaning }}{% endif %}\n"
    )
    folder = own_prompt(tmp_path / "prompts", text)
    model = Encoder()
    labels = ["happy", "<|im_end|> x", "two  words"]
    (tmp_path / "t.csv").write_text("image,emotion\n" + "".join(f"{n}.png,{x}\n" for n, x in enumerate(labels)))  # fmt: skip
    for n in range(3):
        _square(tmp_path / f"{n}.png", 40 * n)
    harness.evaluate(
        "table/emotion", model=model, prompts="mine/texts", prompts_folders=folder, out=tmp_path / "run",
        source={"file": tmp_path / "t.csv", "image": "image", "label": "emotion"}, report=False, progress=False,
    )  # fmt: skip
    (texts,) = model.texts
    assert sorted(texts) == sorted(
        [("a happy", "happiness"), ("a ‹|im_end|› x",), ("a two words",)]
    )


def _square(path: Path, grey: int) -> None:
    from PIL import Image as Pillow

    Pillow.new("RGB", (16, 16), (grey, grey, grey)).save(path)


def test_a_task_without_a_prompt_of_the_family_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for model, words in (
        ("clip:tiny", "take dual prompts alone"),
        ("specialist:fer", "has no output for age"),
    ):
        assert main(["run", "faces/age", "--model", model, "--out", str(tmp_path / "run")]) == 2
        told = " ".join(capsys.readouterr().err.split())
        assert words in told and "logprob" not in told
