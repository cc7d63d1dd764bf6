"""Channels from the plan to the journal: what is asked, what stops, what goes on, what is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from harness.core.cell import Channel
from harness.core.constraint import Constraint, Need
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.generation import Generation, LabelScores
from harness.core.message import Message, Text
from harness.core.model import Card
from harness.core.prompt import Prompt, PromptHead
from harness.core.protocol import Ask
from harness.core.request import Request
from harness.core.task import Task
from harness.models import OpenOptions
from harness.run.answer_constraints import Asking, as_told, need_of
from harness.run.capability_check import check, find_out, recorded_offers, unconstrained
from harness.run.job import make_job
from harness.run.journal import Journal
from harness.run.log import read_log
from harness.run.manifest import read_manifest, write_details
from harness.run.plan import Plan
from harness.run.runner import plan_job, run_job
from harness.run.stop import Limits
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from tests.run.bench import TASK, RuleModel, World, make_world

LABELS = ("anger", "happiness")


@dataclass
class AbleModel(RuleModel):
    """A server as the engine sees one: what holds is known once it was probed."""

    holds: frozenset[Need] = frozenset()
    probed: list[frozenset[Need]] = field(default_factory=list)

    @property
    def card(self) -> Card:
        known = frozenset[Need]().union(*self.probed) & self.holds
        return Card(
            name="rule",
            identity=self.identity,
            constraints={k: "spelt" for k in known if k != "logprob"},
            estimators=("continuation",) if "logprob" in known else (),
        )

    async def probe(self, needs: frozenset[Need]) -> None:
        self.probed.append(needs)

    async def reply(self, request: Request) -> Generation:
        found = await super().reply(request)
        if not request.candidates:
            return found
        scores = LabelScores(request.candidates, (-0.25, -2.5), (2, 3), "continuation")
        return replace(found, text=request.candidates[0], scores=scores)


def run(
    world: World,
    model: RuleModel,
    *channels: Channel,
    prompts: tuple[str, ...] = (),
    on_note: Callable[[str], None] = lambda note: None,
    check_models: bool = False,
) -> Plan:
    """Plan, find out what holds, ask: as the command does, with this model in place of an opened one."""
    place = open_workspace(world.root)
    job = make_job(
        [load_task(str(world.root / "task.yaml"), place)],
        place,
        models=["rule"],
        prompts=prompts,
        conditions=["none"],
        channels=channels,
        limit=None,
        seed=0,
        out=world.folder.path,
        fit_on=None,
        options=OpenOptions(),
        limits=Limits(),
        command=["test"],
        changes=[],
        check_models=check_models,
    )
    ready = plan_job(job, opening=lambda name: model)
    try:
        run_job(ready, on_note=on_note)
    finally:
        ready.close()
    return ready.plan


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path, count=4)


def test_each_channel_is_a_cell_and_asks_in_its_own_way(world: World) -> None:
    model = AbleModel(holds=frozenset({"choice", "logprob"}))
    plan = run(world, model, "free", "choice", "logprob")
    assert [cell.channel for cell in plan.cells] == ["free", "choice", "logprob"]
    assert len({cell.id for cell in plan.cells}) == 3
    assert model.probed == [frozenset({"choice", "logprob"})]
    asked = [(r.constraint, r.candidates) for r in model.asked]
    assert asked.count((None, ())) == 4
    assert asked.count((Constraint("choice", choices=LABELS), ())) == 4
    assert asked.count((None, LABELS)) == 4
    assert len({request.key for request in model.asked}) == 12
    rows = pq.read_table(world.folder.plan).to_pylist()
    assert {row["channel"] for row in rows} == {"free", "choice", "logprob"}
    cells = read_manifest(world.folder)["cells"]
    assert [(c["channel"], c["needs"]) for c in cells] == [
        ("free", []),
        ("choice", ["choice"]),
        ("logprob", ["logprob"]),
    ]


def test_a_free_cell_keeps_the_name_it_had(world: World) -> None:
    """Runs made before there were channels go on."""
    plan = run(world, AbleModel())
    assert plan.cells[0].channel == "free"
    assert plan.needs == {}


def test_scores_travel_through_the_journal(world: World) -> None:
    model = AbleModel(holds=frozenset({"logprob"}))
    run(world, model, "logprob")
    journal = Journal(world.folder)
    try:
        held = journal.reply(model.asked[0].key)
    finally:
        journal.close()
    assert held is not None
    assert held.scores == LabelScores(LABELS, (-0.25, -2.5), (2, 3), "continuation")
    assert [("scores" in line) for _, line in read_log(world.folder.generations)] == [True] * 4


def test_a_second_start_asks_nothing_twice_and_needs_no_probe(world: World) -> None:
    holds = frozenset[Need]({"choice", "logprob"})
    run(world, AbleModel(holds=holds), "choice", "logprob")
    again = AbleModel(holds=holds)
    run(world, again, "choice", "logprob")
    assert again.asked == [] and again.probed == []
    models = read_manifest(world.folder)["models"]
    assert models["rule"]["constraints"] == {"choice": "spelt"}
    assert models["rule"]["estimators"] == ["continuation"]


def test_a_new_channel_asks_only_for_itself(world: World) -> None:
    holds = frozenset[Need]({"choice", "logprob"})
    run(world, AbleModel(holds=holds), "free")
    again = AbleModel(holds=holds)
    run(world, again, "free", "choice")
    assert len(again.asked) == 4 and all(request.constraint for request in again.asked)


@pytest.mark.parametrize("channel", ["choice", "logprob"])
def test_what_does_not_hold_stops_the_run_before_anything_is_asked(
    world: World, channel: Channel
) -> None:
    model = AbleModel()
    with pytest.raises(HarnessError, match=f"--channel {channel} needs") as caught:
        run(world, model, channel)
    assert model.asked == [] and caught.value.hint


def test_a_task_may_allow_free_text_where_nothing_holds(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=4, task=f"{TASK}unconstrained: free\nchannel: choice\n")
    model = AbleModel()
    notes: list[str] = []
    plan = run(world, model, on_note=notes.append)
    assert [cell.channel for cell in plan.cells] == ["choice"]
    assert len(model.asked) == 4 and all(request.constraint is None for request in model.asked)
    assert len(notes) == 1 and "continues in free text" in notes[0]
    manifest = read_manifest(world.folder)
    assert unconstrained(manifest, manifest["cells"][0]) == ("choice",)
    # A second start keeps that, though nothing is probed; a server that learnt it, and is looked at, is asked again.
    again = AbleModel()
    run(world, again)
    assert again.asked == [] and again.probed == []
    other = AbleModel(identity="rule-2", holds=frozenset({"choice"}))
    run(world, other)
    assert other.asked == []
    run(world, other, check_models=True)
    assert len(other.asked) == 4 and all(request.constraint for request in other.asked)


def test_log_probabilities_are_never_replaced_by_free_text(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=2, task=f"{TASK}unconstrained: free\n")
    with pytest.raises(HarnessError, match="log-probabilities"):
        run(world, AbleModel(), "logprob")


def test_a_prompt_that_a_channel_does_not_suit_is_named_with_the_mend(world: World) -> None:
    with pytest.raises(HarnessError) as caught:
        run(world, AbleModel(), "logprob", prompts=("emotion/cot",))
    assert "emotion/cot" in caught.value.message and "answer: final" in caught.value.message
    assert "emotion/plain" in caught.value.hint


FIELDS = {
    "coarse": FieldSpec(kind="label", labels=("negative", "positive")),
    "valence": FieldSpec(kind="number", low=-1, high=1),
    "shown": FieldSpec(kind="yes-no"),
}


def made(**head: Any) -> tuple[Task, Prompt]:
    task = Task(name="t", source={"family": "x"}, fields=FIELDS, prompts=("a/b",))
    told = PromptHead(fields=tuple(FIELDS), **head)
    return task, Prompt("a/b", Path("b.j2"), told, "", "")


def test_a_named_reply_that_is_a_field_is_held_to_it_and_others_are_free() -> None:
    task, prompt = made()
    asking = Asking(task, prompt, "choice")
    asks = ("shown", "coarse")
    assert asking.of(Ask((), "coarse"), asks).constraint == Constraint(
        "choice", choices=("negative", "positive")
    )
    assert asking.of(Ask((), "description"), asks).need is None
    assert asking.of(Ask((), "valence"), asks).need is None  # a field that is not asked
    assert need_of(task, prompt, "choice", ("shown",), ("description",)) == {"choice"}
    assert need_of(task, prompt, "choice", ("valence",), ()) == {"regex"}


def test_several_fields_go_into_one_json_object_in_the_order_told() -> None:
    task, prompt = made(answer="json")
    said = Message("user", (Text('Keys: "shown": yes or no, then "coarse": one of ...'),))
    wanted = Asking(task, prompt, "choice").of(Ask((said,)), ("coarse", "valence", "shown"))
    assert wanted.constraint is not None and wanted.constraint.kind == "json"
    places = [wanted.constraint.text.index(f'"{n}": {{') for n in ("shown", "coarse", "valence")]
    assert places == sorted(places)
    assert as_told(("a", "b"), ()) == ("a", "b")


def test_what_the_model_is_not_held_to_is_left_out() -> None:
    task, prompt = made()
    asking = Asking(task, prompt, "choice", held=frozenset({"choice"}))
    assert asking.of(Ask(()), ("coarse",)).need == "choice"
    assert asking.of(Ask(()), ("valence",)).need is None


def test_several_fields_in_plain_text_are_an_error_of_the_plan() -> None:
    task, prompt = made()
    with pytest.raises(HarnessError, match="2 fields at once"):
        need_of(task, prompt, "choice", ("coarse", "shown"), ())


def test_what_was_found_is_recorded_for_this_identity_only(world: World) -> None:
    run(world, AbleModel(holds=frozenset({"choice"})), "choice")
    manifest = read_manifest(world.folder)
    assert recorded_offers(manifest, "rule", "rule-1") == {"choice"}
    assert recorded_offers(manifest, "rule", "rule-2") == frozenset()
    assert recorded_offers({}, "rule", "rule-1") == frozenset()


async def test_a_model_that_need_not_be_tried_is_taken_at_its_card() -> None:
    plan = Plan({}, {}, ())
    assert await find_out(plan, RuleModel(), "rule", done={}, recorded=frozenset()) == frozenset()
    assert check(plan, "rule", ()) == []


def test_details_are_kept_when_nothing_new_is_known(world: World) -> None:
    run(world, AbleModel(holds=frozenset({"choice"})), "choice")
    before = world.folder.manifest.read_bytes()
    write_details(world.folder, {"rule": AbleModel().card})
    assert world.folder.manifest.read_bytes() == before
