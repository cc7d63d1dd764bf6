"""`harness.evaluate`: the same as the command, in a loop or not, with models of one's own; what is wrong is refused."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.api.evaluate import EvaluateOptions
from harness.api.options import RunOptions
from harness.cli.main import main
from harness.core.generation import Generation
from harness.core.model import Card
from harness.core.request import Request
from tests.api.conftest import SOURCE
from tests.models.stub import running_stub
from tests.run.bench import RuleModel


def test_the_command_and_python_write_the_same_run(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_stub() as stub:
        model = f"openai:stub@{stub.url}"
        flags = [f"--set=source.{key}={value}" for key, value in SOURCE.items()]
        assert main(["run", "table/emotion", "--model", model, "--limit", "9", *flags]) == 0
        (folder,) = (data / "results" / "runs").iterdir()
        scores = (folder / "scores.json").read_bytes()
        asked = stub.count
        run = harness.evaluate("table/emotion", model=model, limit=9, source=SOURCE, progress=False)
    assert run.path == folder, "without `out` the same options name the same folder"
    assert stub.count == asked, "nothing is asked twice"
    assert (folder / "scores.json").read_bytes() == scores
    assert run.manifest["command"][:3] == ["python", "harness.evaluate", "'table/emotion'"]
    assert "9 trials" in capsys.readouterr().err


def test_a_model_of_ones_own_is_not_closed_and_its_card_names_it(data: Path) -> None:
    closed = []

    class Own(RuleModel):
        async def close(self) -> None:
            closed.append(True)

    model = Own()
    run = harness.evaluate("table/emotion", model=model, source=SOURCE, progress=False)
    assert len(model.asked) == 24
    assert set(run.scores()["model"]) == {"majority", "prior", "rule"}
    again = harness.evaluate("table/emotion", models=[model], source=SOURCE, progress=False)
    assert len(model.asked) == 24
    assert again == run
    assert closed == []


def test_a_task_object_with_changes(data: Path) -> None:
    task = harness.load_task("table/emotion", source=SOURCE)
    run = harness.evaluate(task, fields={"emotion": {"metrics": ["kappa"]}}, progress=False)
    assert "kappa" in set(run.scores()["metric"])
    made = harness.Task(
        source={"family": "table", **SOURCE}, fields=task.fields, prompts=task.prompts
    )
    with pytest.raises(harness.HarnessError, match="needs a name"):
        harness.evaluate(made, progress=False)


async def test_both_work_in_a_running_loop_and_the_awaited_one_leaves_it_free(data: Path) -> None:
    threads, ticks, ticking = set(), 0, threading.Event()

    def rule(request: Request) -> str:
        threads.add(threading.get_ident())
        return "anger"

    def patient(request: Request) -> str:
        assert ticking.wait(60), "the loop that awaits the run stands still"
        return rule(request)

    sync = harness.evaluate("table/emotion", model=RuleModel(rule=rule), source=SOURCE, out="a", progress=False)  # fmt: skip
    options: Any = {"source": SOURCE, "progress": False}
    task = asyncio.create_task(
        harness.aevaluate("table/emotion", model=RuleModel(rule=patient), out="b", **options)
    )
    while not task.done():
        await asyncio.sleep(0.01)
        ticks += 1
        if ticks == 3:
            ticking.set()
    assert threading.get_ident() not in threads
    done = await task
    assert done.scores().equals(sync.scores())


async def test_what_was_finished_before_a_cancelled_run_ended_is_kept(data: Path) -> None:
    class Slow(RuleModel):
        async def reply(self, request: Request) -> Generation:
            if len(self.asked) >= 6:
                await asyncio.sleep(60)
            return await super().reply(request)

    def options(model: RuleModel) -> Any:
        return {"model": model, "source": SOURCE, "out": "run", "progress": False}

    slow = Slow()
    task = asyncio.create_task(harness.aevaluate("table/emotion", **options(slow)))
    while len(slow.asked) < 6:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    quick = RuleModel()
    run = await harness.aevaluate("table/emotion", **options(quick))
    assert 6 <= len(slow.asked) < 24
    assert len(quick.asked) == 24 - len(slow.asked)
    assert run.cells()["done"].tolist() == [24]


class Cardless:
    card = "none"

    async def reply(self, request: Request) -> Generation:
        return Generation(request.key, "anger", "stop")

    async def close(self) -> None:
        pass


class Nameless(Cardless):
    card = Card(name="", identity="x")  # type: ignore[assignment]


MINE: dict[str, Any] = {"source": SOURCE}


@pytest.mark.parametrize(
    ("task", "options", "said", "hint"),
    [
        ("table/emotion", {"promts": "emotion/plain"}, "no option 'promts'", "prompts"),
        ("table/emotoin", {}, "unknown task", "table/emotion"),
        ("table/emotion", {**MINE, "set": {"nonsense": 1}}, "nonsense: unknown key", "choose one of"),
        ("table/emotion", {**MINE, "fields": {"emotion": {"metrics": ["uarr"]}}}, "no metric 'uarr'", "uar"),
        ("table/emotion", {**MINE, "fields": {"emotion": {"metrcs": []}}}, "unknown key", "metrics"),
        ("table/emotion", {**MINE, "fields": ["emotion"]}, "fields must be a mapping", "fields="),
        ("table/emotion", {**MINE, "set": {"slices": None}}, "slices is None", "leave it out"),
        ("table/emotion", {**MINE, "source": {"file": "[a].csv"}}, "would be read as a", "./["),
        ("table/emotion", {**MINE, "prompts": "emotion/plain"}, "prompts has no effect without model", "affect-tiny"),
        ("table/emotion", {**MINE, "model": "affect-tiny", "concurrency": 3}, "concurrency has no effect", ""),
        ("table/emotion", {**MINE, "model": RuleModel(), "timeout": 3.0}, "timeout has no effect", ""),
        ("table/emotion", {**MINE, "model": RuleModel(), "repeats": 0}, "repeats", ""),
        ("table/emotion", {**MINE, "model": RuleModel(), "temperature": 11}, "temperature", ""),
        ("table/emotion", {**MINE, "model": RuleModel(), "channels": "fre"}, "channels", ""),
        ("table/emotion", {**MINE, "model": RuleModel(), "conditions": "blnk"}, "blnk", "blank"),
        ("table/emotion", {**MINE, "model": RuleModel(), "prompts": "emotion/plane"}, "emotion/plane", "emotion/plain"),
        ("table/emotion", {**MINE, "model": "a", "models": ["b"]}, "cannot be combined", "models"),
        ("table/emotion", {**MINE, "model": object()}, "object is not a model: missing card", "Card"),
        ("table/emotion", {**MINE, "model": Cardless()}, "must be a Card", "Card"),
        ("table/emotion", {**MINE, "model": Nameless()}, "has no name", "identity"),
        ("table/emotion", {**MINE, "models": [RuleModel(), RuleModel()]}, "two models are called 'rule'", "name"),
        ("table/emotion", {**MINE, "model": "affect-tyni"}, "affect-tyni", "affect-tiny"),
        ("table/emotion", {**MINE, "model": RuleModel(), "protocol": "vot"}, "vot", "vote"),
        ("table/emotion", {**MINE, "check_models": True}, "check_models has no effect", ""),
        ("table/emotion", {**MINE, "tasks_folders": "nowhere"}, "no such folder", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_and_nothing_in_a_folder_changes(
    data: Path, task: str, options: dict[str, Any], said: str, hint: str
) -> None:
    done = harness.evaluate("table/emotion", source=SOURCE, out="run", progress=False)
    before = {path: path.read_bytes() for path in done.path.rglob("*") if path.is_file()}
    with pytest.raises(harness.HarnessError) as told:
        harness.evaluate(task, **options, out="run", progress=False)
    assert said in told.value.message
    assert hint in told.value.hint
    assert before == {path: path.read_bytes() for path in done.path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("reply", ["raises", "text", "not the request's key"])
def test_a_model_that_does_wrong_is_named(data: Path, reply: str) -> None:
    class Wrong(RuleModel):
        async def reply(self, request: Request) -> Any:
            if reply == "raises":
                raise ValueError("no weights")
            return "anger" if reply == "text" else Generation("other", "anger", "stop")

    with pytest.raises(harness.HarnessError, match="the model rule") as told:
        harness.evaluate("table/emotion", model=Wrong(), source=SOURCE, progress=False)
    assert "Generation" in told.value.hint


def test_failed_trials_are_told_and_asked_again(data: Path) -> None:
    options: Any = {"source": SOURCE, "out": "run", "progress": False}
    bad = RuleModel(fail=lambda request: len(bad.asked) <= 2)
    run = harness.evaluate("table/emotion", model=bad, **options)
    assert len(run.failed()) == 2
    assert run.failed()["failure"].tolist() == ["server: scripted failure"] * 2
    assert any("2 of 24 trials failed" in note for note in run.notes)
    good = RuleModel()
    assert len(harness.evaluate("table/emotion", model=good, **options).failed()) == 0
    assert len(good.asked) == 2


def test_every_option_of_a_run_can_be_given() -> None:
    own = {"model", "models", "source", "fields", "set", "report", "progress"}
    assert set(EvaluateOptions.__annotations__) - own == set(RunOptions.model_fields) - {
        "tasks",
        "models",
        "changes",
    }
