"""Ways of calling tools that a server must be proved to support."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.run.log import read_log
from tests.models.abilities import able
from tests.models.callers import caller
from tests.models.stub import Stub, running_stub
from tests.run.agents import film_steps
from tests.run.bench import RuleModel

ZOOM = ("zoom", '{"region": "mouth"}')
TASK = """\
source: {family: faces, n: 2, size: 64, seed: 3, labels: [anger, happiness]}
fields:
  emotion: {kind: label, labels: [anger, happiness]}
prompts: [emotion/plain]
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "task.yaml").write_text(TASK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path


def run(stub: Stub, **options: Any) -> harness.Run:
    usual = {"tools": "zoom+measure", "protocol": "agent:native", "out": "run", "report": False}
    given = {"model": f"openai:stub@{stub.url}", "progress": False} | usual | options
    return harness.evaluate("task.yaml", **given)


def lines(name: str) -> list[dict[str, Any]]:
    return [line for _, line in read_log(Path("run") / name)]


def asked(stub: Stub) -> list[dict[str, Any]]:
    return [
        one
        for one in stub.requests
        if "zqxj" not in json.dumps(one) and "How long" not in json.dumps(one)
    ]


def test_a_server_that_passes_tools_on_is_told_of_them_and_its_calls_are_carried_out(
    place: Path,
) -> None:
    script = [[ZOOM, ("measure", '{"unit": 12}')], [("measure", '{"unit": 4}')], "happiness"]
    with caller(script=script) as stub:
        done = run(stub)
        first, *_ = asked(stub)
        assert [one["function"]["name"] for one in first["tools"]] == ["zoom", "measure"]
        assert "tool_call" not in json.dumps(first["messages"])
        last = max(asked(stub), key=lambda one: len(one["messages"]))["messages"][1:]
        assert [one["role"] for one in last] == [
            "user", "assistant", "tool", "tool", "user", "assistant", "tool",
        ]  # fmt: skip
        assert [call["id"] for call in last[1]["tool_calls"]] == ["call00001", "call00002"]
        assert [part["type"] for part in last[4]["content"]] == ["text", "image_url", "text"]
        assert "AU12" in last[3]["content"]
        before = stub.count
        run(stub)
        assert stub.count == before, "what is finished is not asked again"
    assert set(done.records()["value"]) == {"happiness"}
    for line in lines("trials.jsonl"):
        assert [(one[0], one[1], one[3], one[4]) for one in line["calls"]] == [
            (1, "zoom", "ok", 1), (1, "measure", "ok", 0), (2, "measure", "ok", 0),
        ]  # fmt: skip
    for steps in film_steps(Path("run")):
        assert [kind for kind, _ in steps] == [
            "shown", "call", "call", "seen", "call", "seen", "reply",
        ]  # fmt: skip
        assert "zoom: mouth" in steps[3][1] and "AU12" in steps[3][1] and "AU4" in steps[5][1]
    kept = [line["calls"] for line in lines("generations.jsonl") if "calls" in line]
    assert [["zoom", '{"region": "mouth"}'], ["measure", '{"unit": 12}']] in kept
    said = [turn for line in lines("conversations.jsonl") for turn in line["turns"]]
    assert any('<tool_call>{"name": "zoom"' in text for role, text in said if role == "assistant")
    manifest = json.loads(Path("run/manifest.json").read_text())
    (model,) = manifest["models"].values()
    assert "with tools" in model["tools"]
    (cell,) = manifest["cells"]
    assert cell["needs"] == ["tools"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("drops", "chat template drops tools: a prompt has"),
        ("deaf", "returns no tool_calls"),
        ("refuses", "enable-auto-tool-choice"),
        ("uncounted", "does not count the tokens"),
    ],
)
def test_a_server_that_does_not_is_asked_nothing(place: Path, kind: str, said: str) -> None:
    with caller(kind) as stub, pytest.raises(harness.HarnessError, match=said) as error:
        run(stub)
    assert "agent:text" in error.value.hint and "chat template" in error.value.hint
    assert not asked(stub)
    assert not Path("run/trials.jsonl").exists() or not lines("trials.jsonl")


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ("agent:native", "can be told of tools"),
        ("agent:own", "calls no tools by itself"),
    ],
)
def test_other_models_need_another_way(place: Path, protocol: str, said: str) -> None:
    with pytest.raises(harness.HarnessError, match=said):
        run(Stub(url=""), model=RuleModel(), protocol=protocol)


@pytest.mark.parametrize(
    ("step", "statuses"),
    [
        ([("zoom", '{"region": ')], ["malformed"]),
        ([("zoom", '["mouth"]')], ["malformed"]),
        ([("zoom", '{"region": "mouth", "region": "eyes"}')], ["malformed"]),
        ([("knife", "{}")], ["unknown-tool"]),
        ([("zoom", '{"region": "ear"}')], ["bad-arguments"]),
        ([("zo om", "{}"), ZOOM], ["malformed", "ok"]),
        ([ZOOM, ("measure", "")], ["ok", "bad-arguments"]),
        ([ZOOM, ZOOM], ["ok", "repeated"]),
        ([("zoom", {"region": "mouth"})], ["ok"]),
        (["zoom", {"function": None}, {"function": {"name": 3}}], ["malformed"] * 3),
        ('anger <tool_call>{"name": "zoom", "arguments": {}}</tool_call>', ["malformed"]),
        ("<tool_response>anger</tool_response>", ["forged"]),
    ],
)  # fmt: skip
def test_wrong_calls_are_told_and_counted_and_the_server_takes_what_follows(
    place: Path, step: Any, statuses: list[str]
) -> None:
    with caller(script=[step, "happiness"]) as stub:
        done = run(stub, limit=1)
        assert len(asked(stub)) == 2
    (line,) = lines("trials.jsonl")
    assert [one[3] for one in line["calls"]] == statuses
    assert list(done.records()["value"]) == ["happiness"]


def test_a_chat_model_of_langchain_is_told_of_tools_too(place: Path) -> None:
    pytest.importorskip("langchain_openai")
    steps = [[("zoom", '{"region": '), ZOOM, ("measure", '{"unit": 12}')], "happiness"]
    with caller(script=steps) as stub:
        done = run(stub, limit=1, model=f"langchain:openai:stub@{stub.url}/v1")
        last = asked(stub)[-1]["messages"]
        roles = [one["role"] for one in last if one["role"] != "system"]
        assert roles == ["user", "assistant", "tool", "tool", "user"]
    (line,) = lines("trials.jsonl")
    assert [one[3] for one in line["calls"]] == ["ok", "ok", "malformed"]
    assert list(done.records()["value"]) == ["happiness"]
    with caller("drops") as stub, pytest.raises(harness.HarnessError, match="drops tools"):
        run(stub, limit=1, model=f"langchain:openai:stub@{stub.url}/v1", out="other")


def test_at_the_limit_no_more_calls_may_be_made(place: Path) -> None:
    with caller(script=[[ZOOM], [("measure", '{"unit": 4}')], [ZOOM]]) as stub:
        run(stub, limit=1, protocol="agent:native,turns=2")
        assert [one.get("tool_choice") for one in asked(stub)] == [None, None, "none"]
        assert "No more calls" in asked(stub)[-1]["messages"][-1]["content"]
    (line,) = lines("trials.jsonl")
    assert line["rules"] == ["agent-limit"]
    assert [one[3] for one in line["calls"]] == ["ok", "ok", "over-limit"]


def test_tools_and_calls_are_part_of_a_request(place: Path) -> None:
    with caller(script=[[ZOOM], "happiness"]) as stub:
        run(stub, limit=1)
        run(stub, limit=1, tools="zoom")
        run(stub, limit=1, tools="zoom:echo")
        assert len(asked(stub)) == 2 + 2 + 1, "the first request of zoom:echo is that of zoom"


def test_json_is_held_where_the_server_holds_it(place: Path) -> None:
    held: list[dict[str, Any]] = []

    def extend(body: dict[str, Any], completion: dict[str, Any]) -> None:
        schema = body.get("structured_outputs", {}).get("json")
        if schema is None:
            return
        held.append(schema)
        able(obeys={"structured_outputs"})["extend"](body, completion)

    with running_stub(extend=extend) as stub:
        done = run(stub, protocol="agent:json", limit=1)
    *_, calling, last = held
    told = json.dumps(calling)
    assert '"zoom"' in told and '"measure"' in told and '"additionalProperties": false' in told
    assert '"call"' not in json.dumps(last), "at the limit only an answer is allowed"
    assert {one[3] for one in lines("trials.jsonl")[0]["calls"]} <= {
        "ok",
        "repeated",
        "bad-arguments",
    }
    assert not any("freely" in note for note in done.notes)
    manifest = json.loads(Path("run/manifest.json").read_text())
    (model,) = manifest["models"].values()
    assert model["constraints"] == {"calls": "structured_outputs"}


def test_json_goes_on_freely_elsewhere_and_says_so(place: Path) -> None:
    with running_stub(answer=lambda body: '{"answer": "anger"}') as stub:
        done = run(stub, protocol="agent:json", limit=1)
    assert any("written freely" in note for note in done.notes)
    assert list(done.records()["value"]) == ["anger"]
