"""Access control: only this machine, and only pages of this server.

A request must name this machine as its host, so that no name of another points here, and what it writes must come from
a page of the same address. Whoever has the address with its token is taken for its owner.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from aiohttp import web
from aiohttp.typedefs import Middleware

HOST = "127.0.0.1"
HOSTS = frozenset({HOST, "localhost"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Frame-Options": "DENY",
    }
)
"""On every response: nothing of it is kept or told."""


def guarded(what: str) -> Middleware:
    """Refuses other hosts and other origins. `what` is what the page takes, for the message: `answers`, `notes`."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            _refuse_strangers(request, what)
            response = await handler(request)
        except web.HTTPException as refusal:
            response = web.Response(text=refusal.text, status=refusal.status)
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response

    return guard


def same_token(given: str, token: str) -> bool:
    """Whether a token of an address is the right one; takes the same time for each wrong one."""
    return hmac.compare_digest(token.encode(), given.encode("utf-8", "replace"))


def _refuse_strangers(request: web.Request, what: str) -> None:
    host = request.headers.get("Host", "")
    if host.rpartition(":")[0] not in HOSTS and host not in HOSTS:
        raise web.HTTPForbidden(text=f"this page is served for http://{HOST} alone\n")
    origin = request.headers.get("Origin")
    if request.method not in {"GET", "HEAD"}:
        if origin != f"http://{host}":
            raise web.HTTPForbidden(text=f"{what} are taken from this page alone\n")
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text=f"{what} are JSON\n")
    elif origin is not None and origin != f"http://{host}":
        raise web.HTTPForbidden(text="this page is for no other page\n")
