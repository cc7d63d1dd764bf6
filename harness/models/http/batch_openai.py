"""The batch API of OpenAI: a file of requests is uploaded, a batch made of it, and the batch asked about until it ends.

Shapes: POST /v1/files (multipart, purpose=batch), POST /v1/batches (input_file_id, endpoint, completion_window=24h,
metadata), GET /v1/batches/ID, GET /v1/batches?limit&after (newest first), GET /v1/files/ID/content. At most 50,000
requests and 200 MB a file; metadata of at most 64 characters a key and 512 a value.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from harness.models.http.batch_api import MARK, BatchState, LineResult
from harness.models.http.batch_http import BatchHttp
from harness.models.http.batch_ledger import Submission
from harness.models.http.endpoint import Endpoint
from harness.models.http.json_body import read_json
from harness.models.retry import Patience


class OpenAIBatches:
    """Batches of chat completions at one server."""

    most_requests = 50_000
    most_bytes = 190_000_000

    def __init__(self, endpoint: Endpoint, patience: Patience) -> None:
        """Raises HarnessError for the address of one deployed model."""
        self._endpoint = endpoint
        headers = {n: v for n, v in endpoint.headers.items() if n.lower() != "content-type"}
        self._http = BatchHttp(endpoint, patience, form="OpenAI", headers=headers)

    def write(self, lines: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
        """See `BatchApi`. A body is put in as it is: it holds no line break."""
        for name, body in lines:
            head = json.dumps({"custom_id": name, "method": "POST", "url": "/v1/chat/completions"})
            yield head[:-1].encode() + b', "body": ' + body + b"}\n"

    async def submit(self, file: Path, one: Submission, *, known: Collection[str] = ()) -> str:
        """See `BatchApi`. Raises HarnessError."""
        uploaded = await self._http.json("POST", self._url("files"), key="id", upload=file)
        asked = {
            "input_file_id": uploaded["id"],
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
            "metadata": {MARK: one.mark},
        }
        made = await self._http.json(
            "POST", self._url("batches"), key="id", body=asked, lost=lambda: self._named(one.mark)
        )
        return str(made["id"])

    async def find(self, one: Submission, *, known: Collection[str] = ()) -> str:
        """See `BatchApi`. Raises HarnessError."""
        found = await self._named(one.mark)
        return "" if found is None else str(found["id"])

    async def _named(self, mark: str) -> dict[str, Any] | None:
        after = ""
        while True:
            page = await self._http.json("GET", self._url(f"batches?limit=100{after}"))
            listed = [one for one in page.get("data") or [] if isinstance(one, dict)]
            for one in listed:
                if (one.get("metadata") or {}).get(MARK) == mark:
                    return one
            if not page.get("has_more") or not listed:
                return None
            after = f"&after={listed[-1]['id']}"

    async def state(self, id_: str) -> BatchState:
        """See `BatchApi`. Raises HarnessError."""
        got = await self._http.json("GET", self._url(f"batches/{id_}"), known=True)
        errors = (got.get("errors") or {}).get("data") or []
        return BatchState(
            id_,
            str(got.get("status")),
            tuple(str(f) for n in ("output_file_id", "error_file_id") if (f := got.get(n))),
            str(got.get("input_file_id") or ""),
            "; ".join(f"{one.get('code')}: {one.get('message')}" for one in errors[:3]),
        )

    async def results(self, state: BatchState) -> bytes:
        """See `BatchApi`. Raises HarnessError."""
        found = [await self._http.data(self._url(f"files/{name}/content")) for name in state.files]
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
        names = filter(None, (state.input, *state.files))
        await self._http.delete(*(self._url(f"files/{name}") for name in names))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _url(self, path: str) -> str:
        query = self._endpoint.query
        return (
            f"{self._endpoint.base}/{path}{('&' if '?' in path else '?') + query if query else ''}"
        )
