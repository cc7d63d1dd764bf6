"""The protocol `given`: what tools give stands in the first request, and nothing is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.core.tool import Call
from harness.protocols.given import Given
from harness.protocols.registry import load_protocol
from harness.run.log import read_log
from tests.run.agents import drawn_world, pictures, turn
from tests.run.bench import RuleModel

BOTH = "given:zoom,box=[0,0,1,0.5]+measure,unit=12"


def test_calls_are_read_off_the_name() -> None:
    found = load_protocol(BOTH)
    assert isinstance(found, Given)
    assert found.calls == (Call("zoom", {"box": [0, 0, 1, 0.5]}), Call("measure", {"unit": 12}))
    assert load_protocol("given:zoom,region=face").calls == (Call("zoom", {"region": "face"}),)  # type: ignore[attr-defined]
    for wrong in (
        "given:",
        "given:Zoom",
        "given:zoom,face",
        "given:zoom,box=[0,0",
        "given:zoom++measure",
    ):
        with pytest.raises(HarnessError, match="not a call of a tool"):
            load_protocol(wrong)


def test_one_request_holds_what_the_tools_give(tmp_path: Path) -> None:
    world = drawn_world(tmp_path, 2)
    model = RuleModel()
    plan, _ = world.run(model, tools=("", "zoom+measure"), protocol=BOTH)
    assert [cell.protocol for cell in plan.cells] == ["single", BOTH]
    once = [one for one in model.asked if pictures(one) == 1]
    given = [one for one in model.asked if pictures(one) == 2]
    assert (len(once), len(given)) == (2, 2)
    for one in given:
        text = one.messages[-1].text
        assert turn(one) == 0
        assert 'zoom {"box": [0, 0, 1, 0.5]}' in text and "AU12" in text
        assert "you may look again" not in text
    calls = [line["calls"] for _, line in read_log(world.folder.trials) if "calls" in line]
    assert [[(c[0], c[1], c[3]) for c in some] for some in calls] == [[(0, "zoom", "ok"), (0, "measure", "ok")]] * 2  # fmt: skip


def test_a_toolbox_lies_to_it_as_well(tmp_path: Path) -> None:
    world = drawn_world(tmp_path, 4)
    world.run(RuleModel(), tools=("zoom:swap",), protocol="given:zoom,region=face")
    donors = [
        json.loads(json.dumps(line["calls"]))[0][5] for _, line in read_log(world.folder.trials)
    ]
    assert all(donors)


@pytest.mark.parametrize(
    ("protocol", "fault"),
    [
        ("given", "no call is named"),
        ("given:measure,unit=12", "not among the tools"),
        ("given:zoom,region=ear", "region should be 'face'"),
    ],
)
def test_what_cannot_be_given_is_refused_before_anything_is_asked(
    tmp_path: Path, protocol: str, fault: str
) -> None:
    world = drawn_world(tmp_path, 2)
    model = RuleModel()
    with pytest.raises(HarnessError, match=fault):
        world.run(model, tools=("zoom",), protocol=protocol)
    assert not model.asked
