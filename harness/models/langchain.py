"""Any chat model of LangChain, by `init_chat_model`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from harness.core.errors import HarnessError, missing_extra
from harness.core.generation import Generation
from harness.core.message import Message
from harness.core.model import Card
from harness.core.request import Request, Sampling
from harness.models.endpoint import (
    Endpoint,
    Served,
    ask_served,
    find_key,
    is_loopback,
    parse_endpoint,
)
from harness.models.langchain_places import (
    FORM,
    Named,
    addresses,
    check_places,
    clients,
    parse_named,
    secrets,
)
from harness.models.langchain_shapes import (
    Fault,
    describe,
    fault_of,
    field_named,
    read_finish,
    read_text,
    read_usage,
    settings_for,
    to_blocks,
)
from harness.models.limits import told_images
from harness.models.patience import Patience
from harness.models.registry import OpenOptions
from harness.models.wire import NEUTRAL, parameters, refused_parameter

WINDOW = 16
"""Most requests in flight."""

_OPENAI = "openai"
_ITSELF = "write the address the server itself answers at"
_HOPELESS = {
    401: "set the key that this provider's LangChain package reads from the environment",
    403: "use a key that may use this model",
    404: "check the model's name and the address",
}


def open_langchain(argument: str, *, name: str, options: OpenOptions) -> LangChainModel:
    """The model `PROVIDER:MODEL` or `PROVIDER:MODEL@URL`.

    Raises HarnessError where LangChain or the provider's package is not installed, the provider is
    unknown, a key is missing, or pictures would go to a host that was not allowed.
    """
    named = parse_named(argument)
    endpoint, served = None, Served()
    if named.url and named.provider == _OPENAI:
        endpoint = parse_endpoint(
            f"{named.model}@{named.url}",
            allow_remote=options.allow_remote,
            key_file=options.key_file,
        )
        served = ask_served(endpoint)
    patience = Patience() if options.timeout is None else Patience(timeout=options.timeout)
    chat = _make(named, endpoint, options, patience)
    hosts = check_places(
        chat, provider=named.provider, url=named.url, allow_remote=options.allow_remote
    )
    return LangChainModel(
        chat,
        name=name,
        identity=_identity(chat, named, hosts, served),
        facts={"provider": named.provider, "served": named.model, "hosts": ", ".join(hosts)}
        | {"remote": ", ".join(h for h in hosts or (named.provider,) if not is_loopback(h))}
        | ({"root": served.root, "server_version": served.version} if endpoint else {}),
        patience=patience,
        window=options.concurrency or WINDOW,
    )


def _make(named: Named, endpoint: Endpoint | None, options: OpenOptions, patience: Patience) -> Any:
    """The chat model, made twice: the first shows which settings its class knows.

    Its own retries are turned off, since they would hide what a server said.
    """
    try:
        from langchain.chat_models import init_chat_model
    except ImportError as error:
        raise missing_extra("langchain", "langchain") from error
    given: dict[str, Any] = {}
    if named.url:
        given["base_url"] = endpoint.base if endpoint else named.url
    if endpoint is not None:
        given["api_key"] = (
            endpoint.key or "none"
        )  # the class wants one, whether or not the server does
    elif options.key_file is not None:
        given["api_key"] = find_key(options.key_file)
    wished = {"max_retries": 0, "timeout": patience.timeout, "cache": False}
    try:
        kind = type(init_chat_model(named.model, model_provider=named.provider, **given))
        known = {key: value for key, value in wished.items() if field_named(kind, key)}
        return init_chat_model(named.model, model_provider=named.provider, **given, **known)
    except ImportError as error:
        raise HarnessError(
            f"langchain:{named.provider} needs a package that is not installed: {error}",
            mend=f"pip install langchain-{named.provider.replace('_', '-')}",
        ) from None
    except Exception as error:  # noqa: BLE001 (each provider's package raises its own kinds)
        raise HarnessError(
            f"LangChain makes no chat model of {named.provider}:{named.model}: {describe(error)}",
            mend=f"{FORM}; keys come from the environment that the provider's package reads",
        ) from None


def _identity(chat: Any, named: Named, hosts: Sequence[str], served: Served) -> str:
    places = addresses(chat) or hosts
    said = ("langchain", named.provider, named.model, *places, served.root, served.version)
    return " ".join(word for word in said if word)


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
    ) -> None:
        self._chat = chat
        self._patience = patience or Patience()
        self._dropped: frozenset[str] = frozenset()
        self._secrets = secrets(chat)
        self._set: dict[Sampling, Any] = {}
        """The chat model with each sampling that was asked for."""
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
        if request.constraint is not None or request.candidates:
            return Generation.failed(
                request.key, "unsupported", "constraints and candidates are not sent by LangChain"
            )
        turns = [_turn(message) for message in request.messages]
        attempt = 1
        while True:
            outcome = await self._once(request, turns)
            if isinstance(outcome, Generation):
                return outcome
            if self._mended(request, outcome):
                continue
            if not outcome.again or self._patience.spent(attempt, told=outcome.told):
                tries = f" (after {attempt} tries)" if attempt > 1 else ""
                return Generation.failed(request.key, outcome.kind, outcome.detail + tries)
            await asyncio.sleep(self._patience.pause(request.key, attempt, told=outcome.told))
            attempt += 1

    async def close(self) -> None:
        """Close the connections, which belong to the loop that made them.

        Their client stays open: LangChain's packages share it between chat models.
        """
        for holder in clients(self._chat):
            close = getattr(getattr(holder, "_transport", None), "aclose", None)
            if close is not None:
                await close()

    async def _once(self, request: Request, turns: list[Any]) -> Generation | Fault:
        from langsmith import tracing_context

        start = perf_counter()
        try:
            # A tracer named in the environment would send every picture to its own server.
            with tracing_context(enabled=False):
                async with asyncio.timeout(self._patience.timeout):
                    said = await self._with(request.sampling).ainvoke(turns)
            return Generation(
                request.key,
                self._hidden(read_text(said)),
                read_finish(said),
                read_usage(said),
                perf_counter() - start,
            )
        except Exception as error:  # noqa: BLE001 (each provider's package raises its own kinds)
            fault = fault_of(error)
            return replace(fault, detail=self._hidden(fault.detail))

    def _hidden(self, text: str) -> str:
        """What a server says, without a key that it repeats."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _with(self, sampling: Sampling) -> Any:
        """The chat model with a sampling set on it."""
        chat = self._set.get(sampling)
        if chat is None:
            settings = settings_for(self._chat, sampling, self._dropped)
            chat = self._set[sampling] = self._chat.model_copy(update=dict(settings.values))
        return chat

    def _mended(self, request: Request, fault: Fault) -> bool:
        """Leave out a parameter that the server refused, if that changes nothing; whether one was.

        Raises HarnessError where no request can succeed.
        """
        status = fault.status or 0
        if status in _HOPELESS or 300 <= status < 400 or "(insufficient_quota)" in fault.detail:
            otherwise = "see to the account at the provider" if status >= 400 else _ITSELF
            raise HarnessError(
                f"{self._card.name}: {fault.detail}", mend=_HOPELESS.get(status, otherwise)
            )
        if fault.status not in (400, 422):
            return False
        if (most := told_images(fault.detail)) is not None:
            self._card = replace(self._card, max_images=most)
            return False
        values = parameters(request)
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
                f"{self._card.name} does not take {name}, which was set to {values[name]:g} "
                f"({fault.detail})",
                mend="use another model: leaving it out would change the replies",
            )
        self._dropped |= {name}
        self._set.clear()
        details = {**self._card.details, "dropped": ", ".join(sorted(self._dropped))}
        self._card = replace(self._card, details=details)
        return True


def _turn(message: Message) -> Any:
    """A turn as LangChain's message."""
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    kinds = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    return kinds[message.role](content=to_blocks(message))
