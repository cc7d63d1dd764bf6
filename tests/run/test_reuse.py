"""Replies of other run folders, taken where a request is the same."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image as Pillow

from harness.api.options import RunOptions, prepare
from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.core.generation import Generation, Usage
from harness.core.price import Price
from harness.core.request import Request
from harness.run.budget import open_budget
from harness.run.folder import RunFolder
from harness.run.log import read_log
from harness.run.manifest import read_manifest
from harness.run.reuse import ReplyIndex, open_others
from harness.run.runner import plan_job
from tests.run.keeping import PLAIN, Desk, RuleModel, make_desk

OTHER = PLAIN.replace("One of", "Choose from")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Prompts `plain` and `other`; the folder `before` holds a run of `plain`, and `run` is not there."""
    monkeypatch.chdir(tmp_path)
    desk = make_desk(tmp_path)
    desk.write_prompt("other", OTHER)
    desk.run(RuleModel(lambda request: "anger"))
    desk.folder.path.rename(tmp_path / "before")
    return desk


def lines(folder: RunFolder) -> list[dict[str, object]]:
    return [line for _, line in read_log(folder.generations)]


def test_replies_are_taken_with_where_they_came_from(desk: Desk) -> None:
    model = RuleModel(lambda request: "happiness")
    done = desk.run(model, "plain", "other", reuse=(Path("before"),))
    assert (done.tally.taken, done.tally.asked, len(model.asked)) == ({"before": 12}, 12, 12)
    assert "12 replies taken from before" in desk.notes
    taken = [line for line in lines(desk.folder) if "reused" in line]
    assert {line["reused"] for line in taken} == {str(desk.root / "before")}
    assert {line["text"] for line in taken} == {"anger"} and len(taken) == 12
    asked = {line["key"]: line for line in lines(RunFolder(desk.root / "before"))}
    named = {"conversation", "key", "text", "finish", "usage", "latency"}
    assert all({n: line[n] for n in named} == asked[line["key"]] for line in taken)


def test_the_folder_is_whole_without_the_other(desk: Desk) -> None:
    desk.run(RuleModel(), reuse=(Path("before"),))
    shutil.rmtree("before")
    model = RuleModel()
    done = desk.run(model)
    assert not model.asked and done.tally.reused == 12 and not done.tally.taken


def test_a_run_that_is_killed_keeps_what_it_took(desk: Desk) -> None:
    class Ends(Exception):
        pass

    def end(request: object) -> str:
        raise Ends

    with pytest.raises(BaseExceptionGroup):
        desk.run(RuleModel(end), "plain", "other", reuse=(Path("before"),))
    kept = [line for line in lines(desk.folder) if "reused" in line]
    assert kept
    done = desk.run(RuleModel(), "plain", "other", reuse=(Path("before"),))
    assert done.tally.taken["before"] == 12 - len(kept)
    assert sum("reused" in line for line in lines(desk.folder)) == 12


def test_another_model_gives_nothing_and_that_is_said(desk: Desk) -> None:
    model = RuleModel(identity="rule-2")
    done = desk.run(model, reuse=(Path("before"),))
    assert len(model.asked) == 12 and not done.tally.taken
    assert any("no reply could be taken from before" in note for note in desk.notes)
    desk.run(model, reuse=(Path("before"),))
    assert "no reply was missing, so none was taken from before" in desk.notes


def test_an_edited_picture_is_asked(desk: Desk) -> None:
    Pillow.new("RGB", (32, 32), "white").save("p3.png")
    model = RuleModel()
    done = desk.run(model, reuse=(Path("before"),))
    assert len(model.asked) == 1 and done.tally.taken == {"before": 11}


def test_a_folder_of_another_schema_gives_nothing(desk: Desk) -> None:
    manifest = Path("before/manifest.json")
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "schema": 99}))
    done = desk.run(RuleModel(), reuse=(Path("before"),))
    assert done.tally.asked == 12
    assert any("nothing can be taken from before" in n and "schema 99" in n for n in desk.notes)


def test_what_is_no_other_run_is_refused(desk: Desk) -> None:
    desk.run(RuleModel(), limit=2)
    for path, said in (("run", "own folder"), ("nowhere", "not a run folder")):
        with pytest.raises(HarnessError, match=said):
            desk.run(RuleModel(), reuse=(Path(path),))
    with pytest.raises(HarnessError, match="--reuse has no effect with --again"):
        desk.run(RuleModel(), reuse=(Path("before"),), again=2)


def test_the_first_folder_named_gives_the_reply(desk: Desk) -> None:
    shutil.copytree("before", "copy")
    others = open_others([Path("copy"), Path("before"), Path("copy")], desk.folder)
    assert [one.name for one in others] == ["copy", "before"]
    index = ReplyIndex(others)
    key = str(lines(RunFolder(Path("before")))[5]["key"])
    found = index.reply(key)
    assert found is not None and found[1] == "copy" and found[0].key == key
    assert index.reply("0" * len(key)) is None and len(index) == 12
    index.close()


def test_a_plan_foresees_what_is_taken(desk: Desk) -> None:
    desk.run(RuleModel(), limit=4)
    asked = RunOptions(
        tasks=("task.yaml",), models=("rule",), out=Path("run"), prompts=("own/plain", "own/other"),
        prompts_folders=(Path("prompts"),), reuse=(Path("before"),),
    )  # fmt: skip
    job = prepare(asked, command=[], models={"rule": lambda name: RuleModel()}).job
    planned = plan_job(job, opening=lambda name: RuleModel())
    ready = planned.summary()
    planned.close()
    assert (ready["trials"], ready["done"], ready["reusable"], ready["requests"]) == (24, 4, 8, 12)


class Counted(RuleModel):
    """Says how many tokens it took."""

    async def reply(self, request: Request) -> Generation:
        return replace(await super().reply(request), usage=Usage(1_000_000, 0))


def test_replies_of_other_folders_are_paid_there(desk: Desk) -> None:
    desk.run(Counted(), "other")
    desk.folder.path.rename("counted")
    desk.run(Counted(), "plain", "other", reuse=(Path("counted"),))
    price = Price(input=1.0, output=1.0)

    def spent(path: str) -> float:
        folder = RunFolder(Path(path))
        budget = open_budget(
            folder, read_manifest(folder), {"rule": price}, models=["rule"], most=None, free=()
        )
        return budget.spent

    assert (spent("counted"), spent("run")) == (12.0, 12.0)


@pytest.mark.slow
def test_the_command_takes_replies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run = ["run", "faces/emotion", "--model", "affect-tiny", "--limit", "4", "--no-report"]
    assert main([*run, "--out", "a"]) == 0
    plan = ["plan", *run[1:-1], "--reuse", "a"]
    assert main(plan) == 0
    assert "at most 4 requests (about 4 replies expected from other folders), 0 already done" in (
        " ".join(capsys.readouterr().out.split())
    )
    assert main([*run, "--out", "b", "--reuse", "a"]) == 0
    assert "4 replies taken from a" in capsys.readouterr().err
    assert Path("a/scores.json").read_bytes() == Path("b/scores.json").read_bytes()
