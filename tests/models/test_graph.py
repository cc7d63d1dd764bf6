"""A person's own LangGraph agent as the subject, against a local server that calls tools."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.run.log import read_log
from tests.models.callers import caller
from tests.models.stub import Stub
from tests.run.agents import film_steps

pytest.importorskip("langgraph")
pytest.importorskip("langchain_openai")

ZOOM = ("zoom", '{"region": "mouth"}')
SHIPPED = Path(__file__).parents[1] / "example_package" / "affect_example" / "agent.py"
TASK = """\
source: {family: faces, n: 4, size: 64, seed: 3, labels: [anger, happiness]}
fields:
  emotion: {kind: label, labels: [anger, happiness]}
prompts: [emotion/plain]
"""
BY_HAND = """
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from harness.models.langchain.graph_tools import as_servers_take_them

def build_by_hand(tools):
    asked = chat().bind_tools(tools) if tools else chat()
    async def model(state):
        return {"messages": [await asked.ainvoke(as_servers_take_them(state["messages"]))]}
    def on(state):
        return "tools" if state["messages"][-1].tool_calls else END
    graph = StateGraph(MessagesState)
    graph.add_node("model", model)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", on)
    graph.add_edge("tools", "model")
    return graph.compile()
"""
NO_SERVER = """
from typing import TypedDict
from pydantic import BaseModel
from langgraph.checkpoint.memory import MemorySaver
from langgraph.types import interrupt
from langgraph.graph import END, START, MessagesState, StateGraph

class Answer(BaseModel):
    emotion: str

class State(MessagesState):
    structured_response: Answer

def structured(tools):
    graph = StateGraph(State)
    graph.add_node("model", lambda state: {"structured_response": Answer(emotion="anger")})
    graph.add_edge(START, "model")
    graph.add_edge("model", END)
    return graph.compile()

def failing(tools):
    raise KeyError("no such thing")

def nothing(tools):
    return "a text"

def untold():
    return None

def wants_more(tools, middleware, llm):
    return structured(tools)

def by_place(tools, /):
    return structured(tools)

def saying(node, state=MessagesState, **compiled):
    graph = StateGraph(state)
    graph.add_node("model", node)
    graph.add_edge(START, "model")
    graph.add_edge("model", END)
    return graph.compile(**compiled)

class Plain(TypedDict):
    messages: list

class Other(TypedDict):
    answer: str

def silent(tools):
    return saying(lambda state: {"messages": []})

def emptied(tools):
    return saying(lambda state: {"messages": []}, Plain)

def no_messages(tools):
    return saying(lambda state: {"answer": "anger"}, Other)

def waiting(tools):
    return saying(lambda state: {"messages": [interrupt("which?")]}, checkpointer=MemorySaver())

def endless(tools):
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [AIMessage("anger")]})
    graph.add_edge(START, "model")
    graph.add_edge("model", "model")
    return graph.compile()

def leave(state):
    raise SystemExit(0)

async def leave_later(state):
    leave(state)

def leaving(tools):
    return saying(leave)

def leaving_two(tools):
    graph = StateGraph(MessagesState)
    for name, node in (("one", leave), ("other", leave_later)):
        graph.add_node(name, node)
        graph.add_edge(START, name)
    return graph.compile()

def leaving_at_once(tools):
    leave(None)

def replaced(tools):
    return saying(lambda state: {"messages": [{"role": "assistant", "content": "anger"}]}, Plain)

async def later(tools):
    def look(state):
        tools[0].invoke({"region": "mouth"})
        tools[0].invoke({"region": "ear"})
        return {"messages": [AIMessage([{"type": "text", "text": "anger"}])]}
    return saying(look)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "task.yaml").write_text(TASK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("LANGSMITH_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("LANGSMITH_API_KEY", "never-used")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(stub: Stub | None, place: Path, factory: str = "build", **options: Any) -> harness.Run:
    """A run of the shipped example, and of the graphs above, in a module of a name of its own."""
    module = f"agent_{abs(hash(str(place)))}"
    url = stub.url if stub else "http://127.0.0.1:9"
    source = SHIPPED.read_text().replace("http://127.0.0.1:8000", url)
    assert not stub or stub.url in source
    (place / f"{module}.py").write_text(source + BY_HAND + NO_SERVER)
    usual = {
        "tools": "zoom+measure",
        "out": "run",
        "report": False,
        "allow_remote": module,
        "limit": 2,
    }
    given = {"model": f"langchain-agent:{module}:{factory}", "progress": False} | usual | options
    return harness.evaluate("task.yaml", **given)


def lines(name: str) -> list[dict[str, Any]]:
    return [line for _, line in read_log(Path("run") / name)]


@pytest.mark.parametrize("factory", ["build", "build_by_hand"])
def test_a_graph_calls_tools_and_its_trajectory_is_kept(place: Path, factory: str) -> None:
    script = [[ZOOM, ("measure", '{"unit": 12}')], [("measure", '{"unit": 4}')], "happiness"]
    with caller(script=script) as stub:
        done = run(stub, place, factory)
        asked = list(stub.requests)
        run(stub, place, factory)
        assert stub.count == len(asked), "what is finished is not asked again"
    assert set(done.records()["value"]) == {"happiness"}
    assert len(asked) == 2 * 3
    last = next(one for one in asked if one["messages"][-1]["role"] == "tool")["messages"]
    seen = [part["type"] for one in last if one["role"] == "user" for part in one["content"]]
    assert seen.count("image_url") == 2, "the picture, and what zoom shows"
    for line in lines("trials.jsonl"):
        assert [(one[0], one[1], one[3], one[4]) for one in line["calls"]] == [
            (1, "zoom", "ok", 1), (1, "measure", "ok", 0), (2, "measure", "ok", 0),
        ]  # fmt: skip
    for line in lines("generations.jsonl"):
        turns = line["loop"]["turns"]
        assert [role for role, _ in turns] == [
            "assistant",
            "tool",
            "tool",
            "assistant",
            "tool",
            "assistant",
        ]
        assert '<tool_call>{"name": "zoom"' in turns[0][1]
        assert any("[image 2]" in text for _, text in turns)
        assert line["usage"][1] == 3 * 7, "tokens of every reply"
    for steps in film_steps(Path("run")):
        assert [kind for kind, _ in steps] == [
            "shown", "call", "call", "seen", "call", "seen", "reply",
        ]  # fmt: skip
        assert "zoom: mouth" in steps[3][1] and "AU12" in steps[3][1] and "AU4" in steps[5][1]
    manifest = json.loads(Path("run/manifest.json").read_text())
    (model,) = manifest["models"].values()
    assert model["loop"] == "langgraph"
    assert {cell["protocol"] for cell in manifest["cells"]} == {"agent:own"}


def test_wrong_calls_are_told_and_counted(place: Path) -> None:
    steps = [("knife", "{}"), ("zoom", '{"region": "ear"}'), ("zoom", '{"region": '), ZOOM, ZOOM]
    with caller(script=[steps, "anger"]) as stub:
        run(stub, place, limit=1)
    (line,) = lines("trials.jsonl")
    assert "failure" not in line
    told = [text for role, text in lines("generations.jsonl")[0]["loop"]["turns"] if role == "tool"]
    assert any("knife is not a valid tool" in text for text in told)
    assert [one[3] for one in line["calls"]] == [
        "unknown-tool", "bad-arguments", "ok", "repeated", "malformed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("limit", "replies", "statuses"),
    [("turns=2", 3, ["ok", "ok", "over-limit"]), ("calls=1", 7, ["ok"] + ["over-limit"] * 6)],
)
def test_limits_end_the_loop(place: Path, limit: str, replies: int, statuses: list[str]) -> None:
    more = [[("measure", json.dumps({"unit": unit}))] for unit in (4, 6, 12, 1, 2, 9)]
    with caller(script=[[ZOOM], *more]) as stub:
        done = run(stub, place, limit=1, protocol=f"agent:own,{limit}")
        assert stub.count == replies
        said = json.dumps(stub.requests[-1]["messages"])
        assert "No more calls can be made" in said
    (line,) = lines("trials.jsonl")
    assert [one[3] for one in line["calls"]] == statuses
    assert line["rules"] == ["agent-limit"]
    assert list(done.records()["outcome"]) == ["empty"], "what middleware says is no answer"


def test_parallel_calls_are_limited_in_the_order_of_the_reply(place: Path) -> None:
    steps = [("measure", json.dumps({"unit": unit})) for unit in (4, 4, 6, 12)]
    with caller(script=[steps, "anger"]) as stub:
        run(stub, place, limit=1, protocol="agent:own,calls=3")
    (line,) = lines("trials.jsonl")
    assert [one[3] for one in line["calls"]] == ["ok", "repeated", "ok", "over-limit"]


def test_lying_tools_work_on_a_graph_and_none_asks_it_without_tools(place: Path) -> None:
    with caller(script=[[ZOOM], "anger"]) as stub:
        run(stub, place, tools=["none", "zoom", "zoom:blank", "zoom:swap"])
        bodies = [json.dumps(one) for one in stub.requests]
    assert sum("gives no result" in one for one in bodies) == 2
    assert sum('"tools"' not in one for one in bodies) == 2
    cells = {
        cell["id"]: cell.get("tools", "")
        for cell in json.loads(Path("run/manifest.json").read_text())["cells"]
    }
    for line in lines("trials.jsonl"):
        lie = cells[line["trial"].split("/")[0]].partition(":")[2]
        donors = [one[5] for one in line.get("calls", ())]
        assert all(bool(donor) == (lie == "swap") for donor in donors)


def test_a_structured_response_is_read_as_json(place: Path) -> None:
    done = run(None, place, "structured", tools="none", limit=1)
    assert list(done.records()["value"]) == ["anger"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"allow_remote": ()}, "would be given to the code of agent_"),
        ({"factory": "build_nothing"}, "is no function of"),
        ({"factory": "untold"}, "is no function of"),
        ({"factory": "wants_more"}, "that can be called with `tools=...`"),
        ({"factory": "by_place"}, "that can be called with `tools=...`"),
        ({"factory": "nothing"}, "not a compiled graph"),
        ({"model": "langchain-agent:no_such_module_here:build", "allow_remote": "no_such_module_here"}, "cannot be imported"),
        ({"model": "langchain-agent:build"}, "names no module and function"),
        ({"protocol": "agent:react"}, "in a loop of its own"),
        ({"channels": "choice", "tools": "none"}, "does not enforce"),
        ({"thinking": "low"}, "cannot be asked for thinking"),
        ({"rpm": 5}, "rpm"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(place: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(harness.HarnessError, match=said):
        run(None, place, **options)


def test_what_a_graph_raises_is_a_failure_of_the_trial(place: Path) -> None:
    done = run(None, place, "failing", limit=1, timeout=1)
    assert list(done.records()["outcome"]) == ["failed"]
    assert "KeyError" in lines("trials.jsonl")[0]["failure"]["detail"]


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("silent", "no messages of its own"),
        ("emptied", "no messages of its own"),
        ("no_messages", "a state without `messages`"),
        ("waiting", "stopped to ask a person"),
        ("endless", "did not come to an end within"),
        ("leaving", "called sys.exit()"),
        ("leaving_two", "called sys.exit()"),
        ("leaving_at_once", "called sys.exit()"),
    ],
)
def test_a_graph_that_says_nothing_fails_and_the_prompt_is_never_read_as_its_answer(
    place: Path, factory: str, said: str
) -> None:
    done = run(None, place, factory, limit=1)
    assert list(done.records()["outcome"]) == ["failed"]
    assert said in lines("trials.jsonl")[0]["failure"]["detail"]


@pytest.mark.parametrize(
    ("factory", "statuses"), [("replaced", []), ("later", ["ok", "bad-arguments"])]
)
def test_calls_of_a_graphs_own_code_are_counted(
    place: Path, factory: str, statuses: list[str]
) -> None:
    done = run(None, place, factory, limit=1)
    assert list(done.records()["value"]) == ["anger"]
    (line,) = lines("trials.jsonl")
    assert [one[3] for one in line.get("calls", ())] == statuses
