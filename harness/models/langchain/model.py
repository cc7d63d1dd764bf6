"""Any chat model of LangChain, by `init_chat_model`."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any

from harness.core.constraint import Need
from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.message import Message
from harness.core.model import Card
from harness.core.request import Request, Sampling
from harness.core.text import visible
from harness.core.thinking import thinking_levels, thinking_need
from harness.models.http.completion import Completion, as_completion
from harness.models.http.constraint_dialects import held_to, unwrapped
from harness.models.http.http_errors import Blocked
from harness.models.http.key_mask import Mask
from harness.models.http.limit_parsing import told_images
from harness.models.http.probe import PROOFS, prove
from harness.models.http.rate_limit import UNLIMITED, Allowance, Rates
from harness.models.http.request_body import NEUTRAL, parameters
from harness.models.http.server_messages import BLOCKED, refused_parameter
from harness.models.http.thinking import Thinking
from harness.models.http.tool_calls import body_of, prove_tools
from harness.models.http.video import videos_of
from harness.models.langchain.messages import (
    BODY,
    ProviderFault,
    fault_of,
    field_named,
    generation_of,
    settings_for,
    to_blocks,
)
from harness.models.langchain.providers import (
    clients,
    secrets,
)
from harness.models.langchain.thinking import ways_of
from harness.models.retry import Patience

WINDOW = 16
"""Most requests in flight."""

_ITSELF = "use the address that the server itself answers at"
_HOPELESS = {
    402: "check your account at the provider",
    401: "set the environment variable from which this provider's LangChain package reads the key",
    403: "use a key with access to this model",
    404: "check the model name and the address",
}


class LangChainModel:
    """A Model over a LangChain chat model. Nothing is traced, cached or streamed."""

    def __init__(
        self,
        chat: Any,
        *,
        name: str,
        identity: str,
        facts: dict[str, str] | None = None,
        patience: Patience | None = None,
        window: int = WINDOW,
        rates: Rates = UNLIMITED,
        sampling: Sampling | None = None,
    ) -> None:
        """`sampling`: that with which replies will be drawn, where it is known."""
        self._chat = chat
        self._ways = ways_of(chat)
        self._thinking = Thinking(self._try, place=name, sampling=sampling, ways=self._ways)
        self._patience = patience or Patience()
        self._dropped: frozenset[str] = frozenset()
        self._mask = Mask(secrets(chat))
        self._succeeded = False
        self._allowance = Allowance(
            rates,
            give_up_after=self._patience.give_up_after,
            base=self._patience.base,
            cap=self._patience.cap,
        )
        self._probed: frozenset[Need] = frozenset()
        self._probing = asyncio.Lock()
        self._set: dict[tuple[Sampling, str], Any] = {}
        """The chat model with each sampling and constraint that was asked for."""
        import langchain_core

        unsent = settings_for(chat, Sampling(), frozenset()).unsent
        details = {
            **(facts or {}),
            "class": type(chat).__name__,
            "langchain_core": str(langchain_core.__version__),
            "not_sent": ", ".join(unsent),
        }
        self._card = Card(name=name, identity=identity, window=window, details=details)

    @property
    def card(self) -> Card:
        """The card; `details["not_sent"]` names the parameters that the class has no place for,
        `details["dropped"]` those that the server refused to know."""
        return self._card

    async def reply(self, request: Request) -> Generation:
        """Ask, and ask again where waiting may help. Raises HarnessError where no request can succeed."""
        if videos_of(request.messages):
            return Generation.failed(request.key, "unsupported", "LangChain cannot send videos")
        if request.candidates:
            return Generation.failed(
                request.key, "unsupported", "LangChain gives no log-probabilities for labels"
            )
        if request.constraint is not None:
            await self._ensure(request.constraint.kind)
        extra = held_to(request, self._card.constraints)
        if isinstance(extra, Generation):
            return extra
        if request.thinking:
            await self._ensure(thinking_need(request.thinking))
            extra |= self._thinking.body_of(request)
        extra |= body_of(request.offer)
        generation = await self._put(request, extra)
        return unwrapped(generation, request, self._card.constraints)

    async def probe(self, needs: frozenset[Need]) -> None:
        """Find out which constraints hold. Raises HarnessError where nothing answers.

        A class that can carry more in the body of its requests (`extra_body`) carries a constraint in the same
        spellings as any OpenAI-compatible server is tried with; other classes hold none. Thinking is asked for in the same
        way, or by fields of the class.
        """
        self._probed |= needs
        carries = field_named(self._chat, BODY)
        held = {k: s for k, s in self._card.constraints.items() if k not in needs}
        for kind in PROOFS:
            if carries and kind in needs and (spelling := await prove(self._try, kind)) is not None:
                held[kind] = spelling
        self._card = replace(self._card, constraints=held)
        if "tools" in needs:
            proof = await prove_tools(self._try)
            missing = {"tools": proof.why_not} if proof.why_not else {}
            self._card = replace(self._card, tools=proof.how, missing=missing)
        if self._ways and (levels := thinking_levels(needs)):
            self._card = await self._thinking.find(
                levels, held_too=thinking_levels(needs, held=True), card=self._card
            )

    async def _ensure(self, need: Need) -> None:
        async with self._probing:
            if need not in self._probed:
                await self.probe(frozenset[Need]({need}))

    async def _try(self, request: Request, extra: Mapping[str, Any]) -> Completion | Generation:
        got = await self._put(request, extra)
        return got if got.failure is not None else as_completion(got)

    async def _put(self, request: Request, extra: Mapping[str, Any]) -> Generation:
        """The reply, asked again where waiting may help."""
        turns = [turn_of(message) for message in request.messages]
        attempt = 1
        while True:
            sent = await self._allowance.enter()
            try:
                outcome = await self._once(request, turns, extra)
            finally:
                self._allowance.leave()
            if isinstance(outcome, Generation):
                usage = outcome.usage
                self._allowance.answered(usage.prompt_tokens + usage.completion_tokens)
                return outcome
            if self._mended(request, outcome):
                continue
            if outcome.limited:
                if self._allowance.refused(sent, outcome.told):
                    continue
                said = f"{outcome.detail} (stopped after {self._patience.give_up_after:g} s)"
                return Generation.failed(request.key, outcome.kind, said)
            given_up = await self._patience.wait(request.key, attempt, outcome)
            if given_up is not None:
                return given_up
            attempt += 1

    async def close(self) -> None:
        """Close the connections, which belong to the loop that made them.

        Their client stays open: LangChain's packages share it between chat models.
        """
        self._probing = asyncio.Lock()  # the old one belongs to its loop
        self._allowance.reset()
        for holder in clients(self._chat):
            close = getattr(getattr(holder, "_transport", None), "aclose", None)
            if close is not None:
                await close()

    async def _once(
        self, request: Request, turns: list[Any], extra: Mapping[str, Any]
    ) -> Generation | ProviderFault:
        from langsmith import tracing_context

        start = perf_counter()
        try:
            # A tracer named in the environment would send every picture to its own server.
            with tracing_context(enabled=False):
                async with asyncio.timeout(self._patience.timeout):
                    said = await self._with(request.sampling, extra).ainvoke(turns)
            took = perf_counter() - start
            got = generation_of(said, request.key, took, hide=self._mask.text)
            if got.finish == "failed":
                return ProviderFault("server", f"the reply ended with {got.word or got.finish!r}")
            self._succeeded = True
            return got
        except Exception as error:  # noqa: BLE001 (each provider's package raises its own kinds)
            fault = fault_of(error)
            if fault.words.blocked and fault.status in {None, 400, 403, 422}:
                said = self._mask.text(fault.words.message)
                blocked = Blocked(said, fault.words.code or BLOCKED)
                return blocked.generation(request.key, perf_counter() - start)
            return replace(fault, detail=visible(self._mask.text(fault.detail)))

    def _with(self, sampling: Sampling, extra: Mapping[str, Any]) -> Any:
        """The chat model with a sampling set on it, and more for the body of its requests, or for fields of its class."""
        place = (sampling, json.dumps(extra, sort_keys=True))
        chat = self._set.get(place)
        if chat is None:
            values = dict(settings_for(self._chat, sampling, self._dropped).values)
            more = {
                name: value for name, value in extra.items() if name not in {"tools", "tool_choice"}
            }
            if more and field_named(self._chat, BODY):
                values[BODY] = {**values.get(BODY, {}), **more}
            else:
                values |= more
            chat = self._chat.model_copy(update=values)
            if "tools" in extra:
                named = extra.get(
                    "tool_choice"
                )  # that none may be called is not said alike by all classes
                chosen = (
                    {"tool_choice": named["function"]["name"]} if isinstance(named, dict) else {}
                )
                chat = chat.bind_tools(extra["tools"], **chosen)
            self._set[place] = chat
        return chat

    def _mended(self, request: Request, fault: ProviderFault) -> bool:
        """Leave out a parameter that the server refused, if that changes nothing; whether one was.

        Raises HarnessError where no request can succeed.
        """
        status = fault.status or 0
        unpaid = fault.words.unpaid and fault.told is None
        hopeless = status in _HOPELESS and not (self._succeeded and status != 402)
        if hopeless or 300 <= status < 400 or unpaid:
            otherwise = "check your account at the provider" if status >= 400 else _ITSELF
            raise HarnessError(
                f"{self._card.name}: {fault.detail}", hint=_HOPELESS.get(status, otherwise)
            )
        if fault.status not in (400, 422):
            return False
        if (most := told_images(fault.detail)) is not None:
            self._card = replace(self._card, max_images=most)
            return False
        values = parameters(request.sampling)
        name = refused_parameter(fault.detail.encode())
        if (
            name is None or name in self._dropped
        ):  # Anthropic: "top_p and temperature cannot both be"
            harmless = (n for n in NEUTRAL if n not in self._dropped and values[n] == NEUTRAL[n])
            name = next((n for n in harmless if re.search(rf"\b{n}\b", fault.detail)), None)
        if name is None or name == "max_tokens":
            return False
        if name in NEUTRAL and values[name] != NEUTRAL[name]:
            raise HarnessError(
                f"{self._card.name} does not accept {name}, which is set to {values[name]:g} "
                f"({fault.detail})",
                hint=f"set {'--temperature' if name == 'temperature' else name} to {NEUTRAL[name]:g}, which is the same as "
                "leaving it out; or use another model",
            )
        self._dropped |= {name}
        self._set.clear()
        details = {**self._card.details, "dropped": ", ".join(sorted(self._dropped))}
        self._card = replace(self._card, details=details)
        return True


def turn_of(message: Message) -> Any:
    """A turn as LangChain's message."""
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

    if message.role == "tool":
        return ToolMessage(content=message.text, tool_call_id=message.answers)
    if message.calls:
        calls = [
            {"type": "tool_call", "name": one.name, "args": json.loads(one.arguments), "id": one.id}
            for one in message.calls
        ]
        return AIMessage(content=to_blocks(message), tool_calls=calls)
    kinds = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    return kinds[message.role](content=to_blocks(message))
