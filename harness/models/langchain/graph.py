"""A person's own agent: a compiled LangGraph graph that answers by itself, and calls the tools it is lent."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import inspect
import json
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from time import perf_counter, time_ns
from types import ModuleType
from typing import TYPE_CHECKING, Any

from harness.core.errors import HarnessError, missing_extra
from harness.core.generation import Generation
from harness.core.loop import AgentLimits, LoopRecord
from harness.core.model import Card
from harness.core.request import Request
from harness.core.text import visible
from harness.models.http.video import videos_of
from harness.models.langchain.messages import (
    ProviderFault,
    describe,
    fault_of,
    read_finish,
    read_message_of,
    read_refusal,
)
from harness.models.registry import OpenOptions
from harness.models.retry import Patience

if TYPE_CHECKING:
    from harness.models.langchain.graph_tools import Trail

WINDOW = 8
"""Most trials at once."""
FORM = "write langchain-agent:MODULE:FACTORY, such as langchain-agent:my_agent:build"
_STEPS = 12
"""Steps of a graph that one turn may take, middleware among them."""


def open_graph(argument: str, *, name: str, options: OpenOptions) -> LangGraphModel:
    """The agent that `MODULE:FACTORY` builds.

    The factory is called for each trial, with `tools` (StructuredTools) and, if it takes them, `middleware` (limits), and
    gives a compiled graph over `messages`. Raises HarnessError where it was not allowed by its module's name, cannot be
    imported, or is no such function.
    """
    found = re.fullmatch(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)", argument, re.ASCII)
    if found is None:
        raise HarnessError(f"langchain-agent:{argument} names no module and function", hint=FORM)
    module, factory = found.groups()
    if module.lower() not in {host.lower() for host in options.allow_remote}:
        raise HarnessError(
            f"pictures of faces would be given to the code of {module}, which may send them from this machine",
            hint=f"if the data sets' licences and the people shown allow it, add --allow-remote {module}",
        )
    try:
        import langgraph.version
        from langchain.agents import create_agent  # noqa: F401 (that it is there)
    except ImportError as error:
        raise missing_extra("langchain-agent", "langchain") from error
    loaded = _imported(module)
    build: Any = getattr(loaded, factory, None)
    given = _taken(build)
    if "tools" not in given:
        raise HarnessError(
            f"langchain-agent:{argument}: {factory} is no function of {module} that can be called with `tools=...`, or with "
            "`tools=...` and `middleware=...`",
            hint="write def build(tools, middleware): return create_agent(MODEL, tools, middleware=middleware)",
        )
    identity = " ".join(
        ("langchain-agent", argument, _digest(loaded), f"langgraph-{langgraph.version.__version__}")
    )
    return LangGraphModel(
        build,
        name=name,
        identity=identity,
        patience=options.patience(),
        window=options.concurrency or WINDOW,
    )


def _imported(module: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:  # last, so that no file of the folder hides a package
        sys.path.append(here)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:
        raise HarnessError(
            f"langchain-agent: {module} cannot be imported: {describe(error)}",
            hint="run the command in the folder of the module, or install it",
        ) from error


_LENT = ("tools", "middleware")


def _taken(build: Any) -> frozenset[str]:
    """What of _LENT a factory takes by name; nothing where it is no function, or needs more than these."""
    try:
        signature = inspect.signature(build)
    except (TypeError, ValueError):
        return frozenset()
    for given in (_LENT, _LENT[:1]):
        try:
            signature.bind(**dict.fromkeys(given))
        except TypeError:
            continue
        return frozenset(given)
    return frozenset()


def _digest(module: ModuleType) -> str:
    """Twelve hex digits of the module's file; what it imports is not part of it."""
    place = getattr(module, "__file__", None)
    data = Path(place).read_bytes() if place and Path(place).is_file() else b""
    return hashlib.sha256(data).hexdigest()[:12]


class LangGraphModel:
    """A Model over a graph. Nothing is traced. One trial is one request, and its trajectory one reply."""

    def __init__(
        self,
        build: Callable[..., Any],
        *,
        name: str,
        identity: str,
        patience: Patience | None = None,
        window: int = WINDOW,
    ) -> None:
        self._build = build
        self._takes = _taken(build)
        self._patience = patience or Patience()
        self._card = Card(
            name=name,
            identity=identity,
            window=window,
            loop="langgraph",
            notes=(
                f"{name}: sampling is given to the graph as `configurable` values, and whether it uses them is its own "
                "matter; its identity covers the file of its module, not what that imports",
            ),
            details={
                "loop": "langgraph",
                "middleware": "yes" if "middleware" in self._takes else "no",
            },
        )

    @property
    def card(self) -> Card:
        """The card; `loop` says that it calls tools by itself."""
        return self._card

    async def reply(self, request: Request) -> Generation:
        """Run the graph once, and again where waiting may help. Raises HarnessError where a tool is broken."""
        if videos_of(request.messages):
            return Generation.failed(request.key, "unsupported", "LangChain cannot send videos")
        if request.constraint or request.candidates or request.thinking:
            told = "a graph is held to nothing, and decides by itself how much it thinks"
            return Generation.failed(request.key, "unsupported", told)
        attempt = 1
        while True:
            outcome = await self._once(request)
            if isinstance(outcome, Generation):
                return outcome
            given_up = await self._patience.wait(request.key, attempt, outcome)
            if given_up is not None:
                return given_up
            attempt += 1

    async def close(self) -> None:
        """Nothing is held: clients are the graph's own."""

    async def _once(self, request: Request) -> Generation | ProviderFault:
        from langgraph.errors import GraphRecursionError
        from langsmith import tracing_context

        from harness.models.langchain.exits import GraphExitError, contain_exits
        from harness.models.langchain.graph_tools import Trail, count_images

        contain_exits(asyncio.get_running_loop())
        limits = AgentLimits() if request.lent is None else request.lent.limits
        trail = Trail(request.lent, count_images(request.messages))
        state: Any = {}
        start = perf_counter()
        try:
            graph = await self._graph(trail, limits)
            # A tracer named in the environment would send every picture to its own server.
            with tracing_context(enabled=False):
                async with asyncio.timeout(self._patience.timeout * (limits.turns + 1)):
                    state = await graph.ainvoke(
                        {"messages": _turns_of(request)}, config=_config(request, trail, limits)
                    )
        except GraphRecursionError:
            trail.limited = True
            if not trail.replies:
                told = f"the graph did not come to an end within {_steps(limits)} steps"
                return ProviderFault("bad-reply", told, again=False)
        except HarnessError:
            raise
        except (GraphExitError, SystemExit):
            return ProviderFault("bad-reply", "the graph called sys.exit()", again=False)
        except Exception as error:
            if trail.broken is not None:
                raise trail.broken from error
            fault = fault_of(error)
            again = fault.again and fault.kind != "bad-reply"  # an error of the graph's own code
            return ProviderFault(fault.kind, visible(fault.detail), again, fault.status, fault.told)
        return _generation(request.key, state, trail, limits, perf_counter() - start)

    async def _graph(self, trail: Trail, limits: AgentLimits) -> Any:
        from harness.models.langchain.graph_tools import limiting, structured_tools

        given: dict[str, Any] = {"tools": structured_tools(trail)}
        if "middleware" in self._takes:
            given["middleware"] = limiting(limits)
        graph = self._build(**given)
        if inspect.isawaitable(graph):
            graph = await graph
        if not hasattr(graph, "ainvoke"):
            raise HarnessError(
                f"{self._card.name} gave {type(graph).__name__}, not a compiled graph",
                hint="end the factory with return builder.compile(), or return create_agent(...)",
            )
        return graph


def _steps(limits: AgentLimits) -> int:
    return _STEPS * (limits.turns + 2)


_ASKED = "asked-"
"""Beginning of the ids of the messages that a graph is given."""


def _turns_of(request: Request) -> list[Any]:
    from harness.models.langchain.model import turn_of

    turns = [turn_of(message) for message in request.messages]
    return [turn.model_copy(update={"id": f"{_ASKED}{n}"}) for n, turn in enumerate(turns)]


def _added(state: Any) -> list[Any]:
    """The messages of a state that the graph did not get; LangChain's, whatever the graph keeps them as."""
    from langchain_core.messages import convert_to_messages

    held = state.get("messages") if isinstance(state, dict) else None
    messages = convert_to_messages(held) if isinstance(held, list) else []
    return [one for one in messages if not str(one.id or "").startswith(_ASKED)]


def _why_none(state: Any) -> str:
    """What is told of a graph that gave no message of its own."""
    if not isinstance(state, dict) or "messages" not in state:
        given = "a state without `messages`" if isinstance(state, dict) else type(state).__name__
        return f"the graph gave {given}; its state needs `messages`"
    if "__interrupt__" in state:
        return "the graph stopped to ask a person (interrupt), and there is none"
    return "the graph gave no messages of its own"


def _config(request: Request, trail: Trail, limits: AgentLimits) -> dict[str, Any]:
    # A graph that keeps its threads must not go on with one of an earlier try.
    return {
        "callbacks": [trail],
        "recursion_limit": _steps(limits),
        "configurable": {**asdict(request.sampling), "thread_id": f"{request.key}-{time_ns()}"},
    }


def _generation(
    key: str, state: Any, trail: Trail, limits: AgentLimits, took: float
) -> Generation | ProviderFault:
    """The reply: a structured response as JSON, else the last message."""
    last = trail.replies[-1] if trail.replies else None
    try:
        added = _added(state)
    except (ValueError, TypeError, LookupError, NotImplementedError) as error:
        told = f"the graph gave messages that are none: {describe(error)}"
        return ProviderFault("bad-reply", visible(told), again=False)
    said = added[-1] if added else None
    if last is not None and last.tool_calls and len(trail.replies) > limits.turns:
        trail.limited, said = (
            True,
            last,
        )  # what stands behind it is the middleware's, not the model's
    structured = state.get("structured_response") if isinstance(state, dict) else None
    if structured is not None:
        dumped = structured.model_dump() if hasattr(structured, "model_dump") else structured
        text, reasoning, declined = json.dumps(dumped, ensure_ascii=False, default=str), "", ""
    else:
        said = said if said is not None else last
        if said is None:
            return ProviderFault("bad-reply", _why_none(state), again=False)
        text, reasoning, declined = read_message_of(said)
    record: LoopRecord = trail.record(added)
    if last is None:
        return Generation(key, text, "stop", latency=took, loop=record)
    finish, word = read_finish(last)
    refusal = read_refusal(last, finish, word, declined)
    about = last.response_metadata
    return Generation(
        key, text or declined, finish, trail.usage, took, reasoning=reasoning, word=word, refusal=refusal,
        served=str(about.get("model_name") or about.get("model") or "")[:200], loop=record,
    )  # fmt: skip
