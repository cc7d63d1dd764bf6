"""What a plan predicts that prompts share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.core.message import Image, Message, Text
from harness.core.model import Measured
from harness.core.request import Request, Sampling, make_request
from harness.run.shared_prompts import SharedPrompts


def ask(picture: bytes, words: str, *, system: str = "") -> tuple[Request, Measured]:
    """A token a letter, one for a picture before it is expanded, and 100 then."""
    user = Message("user", (Image("p", picture), Text(words)))
    turns = (*([Message("system", (Text(system),))] if system else []), user)
    ids = (*map(ord, system), 0, *map(ord, words))
    return (
        make_request(turns, Sampling(), model=""),
        Measured(len(ids) + 99, 4096, ids, len(system) + 1),
    )


def test_what_is_read_once_is_counted_and_what_cannot_be_is_named() -> None:
    shared = SharedPrompts()
    for sample in ("a", "b"):
        for name, words, system in (
            ("p", "what?", "be"),
            ("q", "why?", "be"),
            ("r", "who?", "see"),
        ):
            shared.add(name, name, sample, *ask(sample.encode(), words, system=system))
    whole = 2 * ((2 + 100 + 5) + (2 + 100 + 4) + (3 + 100 + 4))
    assert shared.tokens == (whole, 2 * 102)
    assert shared.share == pytest.approx(204 / whole)
    assert shared.alone == ("r",)
    told = " ".join(shared.lines("tiny"))
    assert "31.9% of prompt tokens" in told and "before the picture in r," in told
    blocks = SharedPrompts(block=16, repeats=3)
    blocks.add("p", "p", "a", *ask(b"a", "what?"))
    assert blocks.tokens == (3 * 105, 2 * 96), "whole blocks of 16"
    long = SharedPrompts()
    for ending in "xyz":
        long.add(ending, ending, "a", *ask(b"a", "w" * 200 + ending))
    assert long.tokens[1] == 2 * 300, "words in common behind the picture, where it is worth a pass"
    same = SharedPrompts()
    for cell in ("zoom", "zoom:perfect"):
        same.add(cell, "p", "a", *ask(b"a", "what?"))
    assert same.tokens == (105, 0), "equal requests have one reply"
    assert SharedPrompts().share is None and not SharedPrompts().alone


@pytest.mark.slow
def test_predicted_and_measured_stand_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["faces/emotion", "--model", "affect-tiny", "--limit", "4"]
    for prompt in ("plain", "defined", "role"):
        asked += ["--prompt", f"emotion/{prompt}"]
    asked += ["--channel", "free", "--channel", "logprob"]
    assert main(["plan", *asked, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["plan"]["sharing"]
    assert main(["run", *asked, "--out", "out", "--no-report"]) == 0
    rows = json.loads(Path("out/extras.json").read_text())["usage"]
    assert sum(one.get("shared_tokens", 0) for one in rows) == row["shared_tokens"] > 0
    assert sum(one["prompt_tokens"] for one in rows) == row["prompt_tokens"]
    assert sum(one.get("encoded", 0) for one in rows) == 4
    assert {one["shared_foreseen"] for one in rows} == {row["share"]}
