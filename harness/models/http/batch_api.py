"""The batch API of OpenAI: a file of requests is uploaded, a batch made of it, and the batch asked about until it ends.

Shapes: POST /v1/files (multipart, purpose=batch), POST /v1/batches (input_file_id, endpoint, completion_window=24h,
metadata), GET /v1/batches/ID, GET /v1/batches?limit&after (newest first), GET /v1/files/ID/content. At most 50,000
requests and 200 MB a file; metadata of at most 64 characters a key and 512 a value.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, TypeAlias

from harness.core.errors import HarnessError
from harness.models.http.connection import MOST_RESULTS, Http, HttpResponse, TooLarge
from harness.models.http.endpoint import Endpoint
from harness.models.http.http_errors import HOPELESS
from harness.models.http.json_body import read_json
from harness.models.http.server_messages import delay_of, told_by
from harness.models.retry import Patience

MARK = "affect_harness_batch"
"""The key of the metadata by which a batch is found whose id never came back."""
UPLOAD_SECONDS = 1800.0
"""Longest time of one exchange: files are large."""
Lost: TypeAlias = Callable[[], Awaitable[dict[str, Any] | None]]
_OVER = frozenset({"completed", "failed", "expired", "cancelled"})


class Refused(HarnessError):
    """The service plainly does not take what it was sent: nothing was submitted."""


class Gone(HarnessError):
    """The service does not know a batch, or a file of its results, any more."""


@dataclass(frozen=True, slots=True)
class BatchState:
    """How a batch stands."""

    id: str
    status: str
    done: int = 0
    failed: int = 0
    total: int = 0
    files: tuple[str, ...] = ()
    """Those that hold its results."""
    input: str = ""
    errors: str = ""
    """Why it was refused as a whole."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.status in _OVER


@dataclass(frozen=True, slots=True)
class LineResult:
    """The answer to one line."""

    status: int
    """Of HTTP; 0 where the line was not asked."""
    body: bytes


class BatchApi(Protocol):
    """What a service of batches offers. That of OpenAI is below; others fit by an adapter of the same shape."""

    most_requests: int
    most_bytes: int

    def line(self, name: str, body: bytes) -> bytes:
        """A request as a line of the file, with its line break."""
        ...

    async def submit(self, file: Path, mark: str) -> str:
        """Submit a file once, and return the id. Raises Refused where it is not taken. A request whose answer was lost is looked up before it is repeated."""
        ...

    async def find(self, mark: str) -> str:
        """The id of the batch that was submitted with a mark; empty where there is none."""
        ...

    async def state(self, id_: str) -> BatchState:
        """How a batch stands. Raises Gone where there is none."""
        ...

    async def results(self, state: BatchState) -> bytes:
        """The lines of its results, of those that failed too. Raises Gone."""
        ...

    def read(self, line: bytes) -> tuple[str, LineResult]:
        """The name and the answer of a line of the results. Raises ValueError, KeyError, TypeError."""
        ...

    async def forget(self, state: BatchState) -> None:
        """Delete what was uploaded; that it fails is no error."""
        ...

    async def close(self) -> None: ...


class OpenAIBatches:
    """Batches of chat completions at one server."""

    most_requests = 50_000
    most_bytes = 190_000_000

    def __init__(self, endpoint: Endpoint, patience: Patience) -> None:
        """Raises HarnessError for the address of one deployed model, which has no batches of its own."""
        if endpoint.deployment:
            raise HarnessError(
                f"{endpoint.base} is the address of a deployment, which takes no batches",
                hint="use the address that ends in /openai/v1, or leave out --batch",
            )
        self._endpoint = endpoint
        self._patience = patience
        headers = {n: v for n, v in endpoint.headers.items() if n.lower() != "content-type"}
        self._http = Http(
            headers, proxy=endpoint.proxy, timeout=UPLOAD_SECONDS, window=4, mask=endpoint.mask
        )

    def line(self, name: str, body: bytes) -> bytes:
        """See `BatchApi`. The body is put in as it is: it holds no line break."""
        head = json.dumps({"custom_id": name, "method": "POST", "url": "/v1/chat/completions"})
        return head[:-1].encode() + b', "body": ' + body + b"}\n"

    async def submit(self, file: Path, mark: str) -> str:
        """See `BatchApi`. Raises HarnessError."""
        uploaded = await self._ask("POST", "files", upload=file)
        asked = {
            "input_file_id": uploaded["id"],
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
            "metadata": {MARK: mark},
        }
        made = await self._ask("POST", "batches", body=asked, lost=lambda: self._named(mark))
        return str(made["id"])

    async def find(self, mark: str) -> str:
        """See `BatchApi`. Raises HarnessError."""
        found = await self._named(mark)
        return "" if found is None else str(found["id"])

    async def _named(self, mark: str) -> dict[str, Any] | None:
        after = ""
        while True:
            page = await self._ask("GET", f"batches?limit=100{after}")
            listed = [one for one in page.get("data") or [] if isinstance(one, dict)]
            for one in listed:
                if (one.get("metadata") or {}).get(MARK) == mark:
                    return one
            if not page.get("has_more") or not listed:
                return None
            after = f"&after={listed[-1]['id']}"

    async def state(self, id_: str) -> BatchState:
        """See `BatchApi`. Raises HarnessError."""
        got = await self._ask("GET", f"batches/{id_}")
        counts = got.get("request_counts") or {}
        errors = (got.get("errors") or {}).get("data") or []
        return BatchState(
            id_,
            str(got.get("status")),
            int(counts.get("completed") or 0),
            int(counts.get("failed") or 0),
            int(counts.get("total") or 0),
            tuple(str(f) for n in ("output_file_id", "error_file_id") if (f := got.get(n))),
            str(got.get("input_file_id") or ""),
            "; ".join(f"{one.get('code')}: {one.get('message')}" for one in errors[:3]),
        )

    async def results(self, state: BatchState) -> bytes:
        """See `BatchApi`. Raises HarnessError."""
        found = [await self._bytes("GET", f"files/{name}/content") for name in state.files]
        return b"".join(one if one.endswith(b"\n") or not one else one + b"\n" for one in found)

    def read(self, line: bytes) -> tuple[str, LineResult]:
        """See `BatchApi`. What was not asked in time has the status 0."""
        told = read_json(line)
        answer = told.get("response")
        if not answer:
            return told["custom_id"], LineResult(0, json.dumps(told.get("error")).encode())
        body = json.dumps(answer["body"]).encode()
        return told["custom_id"], LineResult(int(answer["status_code"]), body)

    async def forget(self, state: BatchState) -> None:
        """See `BatchApi`."""
        import aiohttp

        for name in filter(None, (state.input, *state.files)):
            try:
                await self._http.send("DELETE", self._url(f"files/{name}"))
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
                return

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _ask(
        self, method: str, path: str, *, lost: Lost | None = None, **sent: Any
    ) -> dict[str, Any]:
        data = await self._bytes(method, path, lost=lost, **sent)
        try:
            told = read_json(data)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict) or (method == "POST" and "id" not in told):
            raise Refused(
                f"{self._url(path)} did not answer as the batch API of OpenAI does",
                hint="leave out --batch if this server has none",
            )
        return told

    async def _bytes(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        upload: Path | None = None,
        lost: Lost | None = None,
    ) -> bytes:
        """What the server sent, asked again while it cannot answer. `lost` finds what an answer that did not come back
        may have made. Raises HarnessError."""
        import aiohttp

        end, attempt, url = monotonic() + self._patience.give_up_after, 1, self._url(path)
        while True:
            try:
                got = await self._http.send(method, url, body=body, upload=upload)
                if got.status == 200:
                    return got.data
                said = self._refused(got, url, known=method == "GET" and path.count("/") > 0)
                told = delay_of(got.headers)
            except TooLarge as error:
                raise HarnessError(
                    f"{url}: the results are larger than {MOST_RESULTS >> 20} MB",
                    hint="submit smaller batches with --concurrency N",
                ) from error
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
                said, told = self._http.words(error), None
            pause = self._patience.pause(url, attempt, told=told)
            if monotonic() + pause > end:
                raise HarnessError(
                    f"{url}: {said}",
                    hint="run the same command again to continue: a batch that was submitted goes on meanwhile",
                )
            await asyncio.sleep(pause)
            if lost is not None and (made := await lost()) is not None:
                return json.dumps(made).encode()
            attempt += 1

    def _refused(self, got: HttpResponse, url: str, *, known: bool) -> str:
        """What the server said, where waiting may help. Raises HarnessError where it cannot; Gone for something `known`
        that is not there."""
        told = told_by(got.data, hide=self._endpoint.mask.text)
        said = f"HTTP {got.status}: {told.message}"
        if got.status < 500 and got.status not in (408, 409, 425, 429):
            hint = HOPELESS.get(got.status, "leave out --batch to ask directly")
            if got.status == 404 and known:
                raise Gone(f"{url} answered {said}")
            if got.status == 404:
                hint = "this server may have no batch API: leave out --batch to ask directly"
            raise Refused(f"{url} answered {said}", hint=hint)
        return said

    def _url(self, path: str) -> str:
        query = self._endpoint.query
        return (
            f"{self._endpoint.base}/{path}{('&' if '?' in path else '?') + query if query else ''}"
        )
