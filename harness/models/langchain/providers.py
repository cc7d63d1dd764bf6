"""Parse the name of a LangChain model, and find where it sends data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from harness.core.errors import HarnessError
from harness.models.http.endpoint import is_loopback

FORM = (
    "write langchain:PROVIDER:MODEL, such as langchain:anthropic:claude-sonnet-4-5, or "
    "langchain:openai:MODEL@URL for an OpenAI-compatible server"
)


@dataclass(frozen=True, slots=True)
class Named:
    """What stands after `langchain:`, read."""

    provider: str
    """As `init_chat_model` calls it: `openai`, `anthropic`, `google_genai`, `ollama`..."""
    model: str
    url: str = ""
    """Where the server answers, if it is named."""


def parse_named(argument: str) -> Named:
    """Read `PROVIDER:MODEL[@URL]`. Raises HarnessError where it is not that."""
    found = re.fullmatch(
        r"(?P<provider>[A-Za-z0-9_-]+):(?P<model>.+?)(?:@(?P<url>[a-z]+://.*))?", argument
    )
    if found is None:
        raise HarnessError("langchain: has no provider and model", hint=FORM)
    url = found.group("url") or ""
    parts = urlsplit(url)
    if url and (parts.username is not None or parts.query or parts.fragment):
        raise HarnessError(
            f"the URL of langchain:{found.group('provider')}:{found.group('model')} has a "
            "query, a fragment or a password",
            hint=FORM,
        )
    return Named(found.group("provider").replace("-", "_"), found.group("model"), url.rstrip("/"))


def check_places(
    chat: Any, *, provider: str, url: str, allow_remote: frozenset[str]
) -> tuple[str, ...]:
    """The hosts that a chat model sends to, sorted; empty where its class does not say.

    Each must be this machine or allowed; one that does not say is allowed by its provider's name. A
    redirect is followed nowhere. Raises HarnessError otherwise.
    """
    found = addresses(chat)
    hosts = tuple(sorted({(urlsplit(place).hostname or "").lower() for place in found}))
    allowed = {host.lower() for host in allow_remote}
    for host in hosts or (provider,):
        if is_loopback(host):
            if getproxies().get("http") and not proxy_bypass(host):
                raise HarnessError(
                    f"a proxy on this machine is between LangChain and {host}",
                    hint=f"set NO_PROXY={host}",
                )
        elif host not in allowed:
            raise HarnessError(
                f"pictures of faces would be sent from this machine to {host}"
                + ("" if hosts else f" ({type(chat).__name__} does not say where it sends data)"),
                hint="if the data sets' licences and the people shown allow it, add "
                f"--allow-remote {host}",
            )
    if url and (urlsplit(url).hostname or "").lower() not in hosts:
        raise HarnessError(
            f"{type(chat).__name__} does not accept a server address",
            hint="leave out @URL, or use the provider openai for an OpenAI-compatible server",
        )
    for holder in clients(chat):
        if isinstance(getattr(holder, "follow_redirects", None), bool):
            holder.follow_redirects = False
    return hosts


def clients(chat: Any) -> Iterator[Any]:
    """The chat model and the clients that it holds, down to what sends the bytes."""
    seen: set[int] = set()
    waiting = [chat]
    while waiting and len(seen) < 50:
        holder = waiting.pop()
        if id(holder) in seen:
            continue
        seen.add(id(holder))
        yield holder
        held = {
            **getattr(holder, "__dict__", {}),
            **(getattr(holder, "__pydantic_private__", None) or {}),
        }
        waiting += [value for name, value in held.items() if "client" in name and _is_object(value)]


def _is_object(value: object) -> bool:
    return value is not None and not isinstance(
        value, (str, bytes, int, float, type, Mapping, list, tuple)
    )


def secrets(chat: Any) -> tuple[str, ...]:
    """The keys that a chat model holds. One of under eight letters is a placeholder, and is left out."""
    held = (getattr(value, "get_secret_value", None) for value in vars(chat).values())
    found = {str(tell()) for tell in held if callable(tell)}
    return tuple(sorted((key for key in found if len(key) >= 8), key=len, reverse=True))


def addresses(chat: Any) -> tuple[str, ...]:
    """Every http address that a chat model or one of its clients names, sorted."""
    found: set[str] = set()
    for holder in clients(chat):
        named = [str(getattr(holder, "base_url", None) or "")]
        if holder is chat:
            named += [value for value in vars(chat).values() if isinstance(value, str)]
        found |= {text.rstrip("/") for text in named if re.match(r"https?://[^/]", text)}
    return tuple(sorted(found))
