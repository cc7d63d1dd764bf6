"""HTTP requests to one server, with limits on the size of responses."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import threading
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, TypeVar

from harness.core.text import visible
from harness.models.http.key_mask import Mask
from harness.models.http.plain_connection import Connection, Connections
from harness.models.http.response_body import (
    MOST_BYTES,
    MOST_RESULTS,
    NoAnswer,
    TooLarge,
    read_body,
)

if TYPE_CHECKING:
    import aiohttp

_STREAMED_FROM = 1 << 20
"""Bodies from this many bytes on are handed over as a stream, so that sending one does not hold the loop."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What a server sent back."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class Http:
    """One pool of connections for one event loop; follows no redirect, keeps no cookie."""

    def __init__(
        self,
        headers: Mapping[str, str],
        *,
        proxy: str | None,
        timeout: float,
        window: int,
        mask: Mask,
    ) -> None:
        """`timeout` is the longest time of one exchange, in seconds; `window` the most connections."""
        self._headers = {**headers, "Accept-Encoding": "identity"}
        self._proxy = proxy
        self._timeout = timeout
        self._window = window
        self._mask = mask
        self._plain: Connections | None = None
        self._session: aiohttp.ClientSession | None = None
        self._large = asyncio.Lock()

    async def post(self, url: str, body: bytes) -> HttpResponse:
        """Post a JSON body. Raises TimeoutError, NoAnswer and other OSErrors, TooLarge and Unreadable."""
        if self._plainly(url):
            async with asyncio.timeout(self._timeout):
                return await self._connections().post(url, body, self._taken)
        data = body if len(body) < _STREAMED_FROM else io.BytesIO(body)
        return await self._by_aiohttp("POST", url, data=data)

    async def get(self, url: str, more: Mapping[str, str] = MappingProxyType({})) -> HttpResponse:
        """Fetch a page, with `more` headers. Raises as `post` does."""
        if self._plainly(url):
            async with asyncio.timeout(self._timeout):
                return await self._connections().get(url, more, self._taken)
        return await self._by_aiohttp("GET", url, headers=more)

    async def send(
        self,
        method: str,
        url: str,
        *,
        body: Mapping[str, Any] | None = None,
        upload: Path | None = None,
        raw: Path | None = None,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> HttpResponse:
        """Send JSON, a file of requests for a batch (in a form, or `raw`), or nothing, with `more` headers; the answer may
        be large. Raises as `post` does."""
        import aiohttp

        with contextlib.ExitStack() as opened:
            data: aiohttp.FormData | bytes | IO[bytes] | None = None
            headers = dict(more)
            if body is not None:
                data, headers = (
                    json.dumps(body).encode(),
                    {"Content-Type": "application/json", **more},
                )
            if raw is not None:
                data = opened.enter_context(raw.open("rb"))
            if upload is not None:
                data = aiohttp.FormData({"purpose": "batch"})
                file = opened.enter_context(upload.open("rb"))
                data.add_field("file", file, filename=upload.name, content_type="application/jsonl")
            return await self._by_aiohttp(
                method, url, data=data, headers=headers, limit=MOST_RESULTS
            )

    async def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        if self._plain is not None:
            await self._plain.close()
            self._plain = None
        if self._session is not None:
            await self._session.close()
            self._session = None
        self._large = asyncio.Lock()  # the old one belongs to its loop

    def words(self, error: BaseException) -> str:
        """What went wrong on the way, without secrets and control characters, on one line."""
        return explain(error, self._mask)

    def _plainly(self, url: str) -> bool:
        """Whether neither TLS nor a proxy is needed."""
        return self._proxy is None and url.startswith("http://")

    def _connections(self) -> Connections:
        """Made in the loop that uses them."""
        if self._plain is None:
            self._plain = Connections(self._headers, most=self._window)
        return self._plain

    async def _taken(self, arriving: Connection) -> HttpResponse:
        data = await read_body(arriving, limit=MOST_BYTES, large=self._large)
        return HttpResponse(arriving.status, arriving.headers, data)

    async def _by_aiohttp(
        self, method: str, url: str, *, limit: int = MOST_BYTES, **given: Any
    ) -> HttpResponse:
        import aiohttp

        try:
            async with self._open().request(
                method, url, proxy=self._proxy, allow_redirects=False, **given
            ) as got:
                data = await read_body(_FromAiohttp(got), limit=limit, large=self._large)
                return HttpResponse(got.status, got.headers, data)
        except aiohttp.ClientError as error:
            if isinstance(error, TimeoutError):
                raise
            raise NoAnswer(str(error) or type(error).__name__) from error

    def _open(self) -> aiohttp.ClientSession:
        """The session, made in the loop that uses it."""
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._window),
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


class _FromAiohttp:
    """A response of aiohttp as an `Arriving`."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.headers = response.headers
        self.length = response.content_length

    async def whole(self) -> bytes:
        return await self._response.read()

    def pieces(self) -> AsyncIterator[bytes]:
        return self._response.content.iter_any()


def explain(error: BaseException, mask: Mask) -> str:
    """What went wrong on the way to a server, in one line that may be shown."""
    if isinstance(error, TooLarge):
        return f"the response is larger than {MOST_BYTES >> 20} MB"
    said = mask.text(str(error) or type(error).__name__)
    said = said.replace(" ssl:default", "").replace(" ssl:True", "")
    return visible(" ".join(said.split()))[:500]


def trust_hint(error: BaseException) -> str:
    """What to do about a failure of TLS; empty for another one."""
    cause = error.__cause__ or error
    said = f"{type(cause).__name__} {getattr(cause, 'os_error', '')}".lower()
    if "certificate" in said:
        return (
            "the host's certificate is not trusted: set SSL_CERT_FILE to the file of the "
            "authority that signed it, or correct the host name"
        )
    if "ssl" in said:
        return "the port does not accept TLS: use http:// if the server speaks plain HTTP"
    return ""


def run_apart(work: Coroutine[Any, Any, _T]) -> _T:
    """The result of a coroutine, also where an event loop already runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    found: list[_T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(asyncio.run(work))
        except BaseException as error:  # noqa: BLE001 (raised again in the thread that waits)
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]
