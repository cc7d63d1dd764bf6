"""A model adapter: a service of one's own that takes a conversation as JSON over HTTP.

GET URL    {"model": "my-model", "version": "3"}
POST URL   {"turns": [{"role": "user", "parts": [{"image": BASE64}, {"text": "..."}]}], "max_tokens": 256, ...}
           {"text": "happiness", "finish": "stop"}
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import aiohttp

from harness.core.errors import HarnessError
from harness.core.finish import finish_of
from harness.core.generation import Generation
from harness.core.message import Message, Text
from harness.core.model import Card
from harness.core.request import Request
from harness.models import OpenOptions

LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
UNUSED = ("key_file", "rpm", "tpm", "give_up_after")
"""Options of a run that this adapter makes nothing of, and so refuses."""


class ServiceModel:
    """A model behind a service: a card, `reply` and `close`."""

    def __init__(self, url: str, card: Card, timeout: float) -> None:
        self._url = url
        self._card = card
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    @property
    def card(self) -> Card:
        """What it is and can take."""
        return self._card

    async def reply(self, request: Request) -> Generation:
        """The reply to one request. One bad request raises nothing: it gives a failed Generation."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        started = time.perf_counter()
        try:
            async with self._session.post(self._url, json=_body(request)) as response:
                status, text = response.status, await response.text()
        except TimeoutError:
            return Generation.failed(request.key, "timeout", "no reply in time")
        except aiohttp.ClientError as error:
            return Generation.failed(request.key, "unreachable", str(error))
        if status != 200:
            kind = "server" if status >= 500 else "rejected"
            return Generation.failed(request.key, kind, f"status {status}: {text[:200]}")
        try:
            said = json.loads(text)
            reply, finish = str(said["text"]), finish_of(said.get("finish"))
        except (ValueError, KeyError, TypeError, AttributeError):
            return Generation.failed(request.key, "bad-reply", text[:200])
        return Generation(
            key=request.key, text=reply, finish=finish, latency=time.perf_counter() - started
        )

    async def close(self) -> None:
        """Called once, after the last request."""
        if self._session is not None:
            await self._session.close()


def open_service(argument: str, *, name: str, options: OpenOptions) -> ServiceModel:
    """The model behind `service:URL`. Raises HarnessError for a host that was not allowed and one that is silent."""
    address = urlsplit(argument)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise HarnessError(f"{name}: no address", hint="write service:http://127.0.0.1:9000")
    if address.hostname not in LOCAL | options.allow_remote:
        raise HarnessError(
            f"{name}: pictures would leave this machine for {address.hostname}",
            hint=f"allow it by --allow-remote {address.hostname}",
        )
    for option in UNUSED:
        if getattr(options, option) is not None:
            flag = "--" + option.replace("_", "-")
            raise HarnessError(f"{name}: {flag} has no effect on this model", hint="leave it out")
    timeout = 120.0 if options.timeout is None else options.timeout
    try:
        with urlopen(argument, timeout=timeout) as response:
            said = json.load(response)
        identity = f"service {said['model']} {said['version']}"
    except (URLError, ValueError, KeyError, TypeError) as error:
        raise HarnessError(f"{name} does not say what it serves: {error}", hint="start it") from None  # fmt: skip
    window = 8 if options.concurrency is None else options.concurrency
    return ServiceModel(argument, Card(name=name, identity=identity, window=window), timeout)


def _body(request: Request) -> dict[str, Any]:
    sampling = request.sampling
    return {
        "turns": [{"role": m.role, "parts": _parts(m)} for m in request.messages],
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "seed": sampling.seed,
    }


def _parts(message: Message) -> list[dict[str, str]]:
    """Texts and pictures in their order; no videos come, since the card does not offer them."""
    return [
        {"text": part.text}
        if isinstance(part, Text)
        else {"image": base64.b64encode(part.data).decode()}
        for part in message.parts
    ]
