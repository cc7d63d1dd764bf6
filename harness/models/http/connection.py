"""HTTP requests to one server, with limits on the size of responses."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import threading
import zlib
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, TypeVar

from harness.core.text import visible
from harness.models.http.key_mask import Mask

if TYPE_CHECKING:
    import aiohttp

MOST_BYTES = 64 << 20
"""Bytes of an answer, decompressed, beyond which it is given up."""
MOST_RESULTS = 1 << 30
"""Bytes of the results of a batch beyond which they are given up."""
_SHARED = 1 << 20
"""Bytes of an answer beyond which answers are read one at a time, so that several large ones do not add up."""
_STREAMED_FROM = 1 << 20
"""Bodies from this many bytes on are handed over as a stream, so that sending one does not hold the loop."""

_T = TypeVar("_T")


class TooLarge(ValueError):
    """An answer of more than `MOST_BYTES`."""


class Unreadable(ValueError):
    """An answer in an encoding that was not asked for, or that is broken."""


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
        self._session: aiohttp.ClientSession | None = None
        self._large = asyncio.Lock()

    async def post(self, url: str, body: bytes) -> HttpResponse:
        """Post a JSON body. Raises TimeoutError, OSError, aiohttp.ClientError, TooLarge and Unreadable."""
        data = body if len(body) < _STREAMED_FROM else io.BytesIO(body)
        async with self._open().post(
            url, data=data, proxy=self._proxy, allow_redirects=False
        ) as got:
            return HttpResponse(got.status, got.headers, await self._read(got))

    async def get(self, url: str, more: Mapping[str, str] = MappingProxyType({})) -> HttpResponse:
        """Fetch a page, with `more` headers. Raises as `post` does."""
        async with self._open().get(
            url, headers=more, proxy=self._proxy, allow_redirects=False
        ) as got:
            return HttpResponse(got.status, got.headers, await self._read(got))

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
            async with self._open().request(
                method, url, data=data, headers=headers, proxy=self._proxy, allow_redirects=False
            ) as got:
                return HttpResponse(got.status, got.headers, await self._read(got, MOST_RESULTS))

    async def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        self._large = asyncio.Lock()  # the old one belongs to its loop

    def words(self, error: BaseException) -> str:
        """What went wrong on the way, without secrets and control characters, on one line."""
        return explain(error, self._mask)

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

    async def _read(self, response: aiohttp.ClientResponse, limit: int = MOST_BYTES) -> bytes:
        """The body, decompressed, up to the limit."""
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        length = response.content_length
        if encoding in {"", "identity"} and length is not None and length <= _SHARED:
            return await response.read()
        if length is not None and length > limit:
            raise TooLarge
        body = _Body(encoding, limit)
        chunks = response.content.iter_any()
        async for chunk in chunks:
            body.add(chunk, most=_SHARED)
            if body.size > _SHARED:
                break
        else:
            return body.end()
        async with self._large:
            body.add(b"", most=limit)
            async for chunk in chunks:
                body.add(chunk, most=limit)
        return body.end()


class _Body:
    """A body that grows, decompressed as it comes; never larger than the limit."""

    def __init__(self, encoding: str, limit: int) -> None:
        self.size = 0
        self._limit = limit
        self._pieces: list[bytes] = []
        self._tail = b""
        self._zip: Any = None
        if encoding in {"gzip", "x-gzip", "deflate"}:
            self._zip = zlib.decompressobj(zlib.MAX_WBITS | 32)  # either header
        elif encoding not in {"", "identity"}:
            raise Unreadable(
                f"the response uses the encoding {encoding[:40]!r}, which was not requested"
            )

    def add(self, chunk: bytes, *, most: int) -> None:
        """Add what came. Of what is compressed no more than `most` bytes and one are made; the rest waits."""
        if self._zip is not None:
            try:
                chunk = self._zip.decompress(self._tail + chunk, max(1, most + 1 - self.size))
            except zlib.error as error:
                raise Unreadable(f"the response cannot be decompressed: {error}") from error
            self._tail = self._zip.unconsumed_tail
        self.size += len(chunk)
        if self.size > self._limit:
            raise TooLarge
        self._pieces.append(chunk)

    def end(self) -> bytes:
        return b"".join(self._pieces)


def explain(error: BaseException, mask: Mask) -> str:
    """What went wrong on the way to a server, in one line that may be shown."""
    from aiohttp import ClientResponseError

    if isinstance(error, TooLarge):
        return f"the response is larger than {MOST_BYTES >> 20} MB"
    if isinstance(error, ClientResponseError):  # writes itself as `400, message='...', url='...'`
        told = f"no reply in HTTP: {error.message}"
    else:
        told = str(error)
    said = mask.text(told or type(error).__name__)
    said = said.replace(" ssl:default", "").replace(" ssl:True", "")
    return visible(" ".join(said.split()))[:500]


def trust_hint(error: BaseException) -> str:
    """What to do about a failure of TLS; empty for another one."""
    said = f"{type(error).__name__} {getattr(error, 'os_error', '')}".lower()
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
