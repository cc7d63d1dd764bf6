"""Open LangChain's chat models by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.core.errors import HarnessError, missing_extra
from harness.models.http.endpoint import (
    Endpoint,
    find_key,
    is_loopback,
    parse_endpoint,
)
from harness.models.http.rate_limit import Rates
from harness.models.http.served import Served, ask_served
from harness.models.langchain.messages import describe, field_named
from harness.models.langchain.model import WINDOW, LangChainModel
from harness.models.langchain.providers import FORM, Named, addresses, check_places, parse_named
from harness.models.registry import OpenOptions
from harness.models.retry import Patience

_OPENAI = "openai"


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
            key_env=options.key_env,
            usual_key=options.usual_key,
        )
        served = ask_served(endpoint, listing=True)
    patience = options.patience()
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
        rates=Rates(options.rpm, options.tpm),
        sampling=options.sampling,
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
    elif options.key_file is not None or options.key_env is not None:
        given["api_key"] = find_key(options.key_file, variable=options.key_env)
    wished = {"max_retries": 0, "timeout": patience.timeout, "cache": False}
    try:
        kind = type(init_chat_model(named.model, model_provider=named.provider, **given))
        known = {key: value for key, value in wished.items() if field_named(kind, key)}
        return init_chat_model(named.model, model_provider=named.provider, **given, **known)
    except ImportError as error:
        raise HarnessError(
            f"langchain:{named.provider} needs a package that is not installed: {error}",
            hint=f"run pip install langchain-{named.provider.replace('_', '-')}",
        ) from None
    except Exception as error:  # noqa: BLE001 (each provider's package raises its own kinds)
        raise HarnessError(
            f"LangChain cannot create a chat model for {named.provider}:{named.model}: "
            f"{describe(error)}",
            hint=f"{FORM}; set the key in the environment variable that the provider's package "
            "reads",
        ) from None


def _identity(chat: Any, named: Named, hosts: Sequence[str], served: Served) -> str:
    places = addresses(chat) or hosts
    said = ("langchain", named.provider, named.model, *places, served.root, served.version)
    return " ".join(word for word in said if word)
