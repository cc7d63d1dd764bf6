"""The Message Batches of Anthropic.

Shapes: POST /v1/messages/batches ({"requests": [{"custom_id", "params"}]}), GET /v1/messages/batches/ID
(processing_status, request_counts, results_url), GET /v1/messages/batches?limit&after_id (newest first), the results as
JSON lines ({"custom_id", "result": {"type": succeeded|errored|canceled|expired}}), DELETE /v1/messages/batches/ID. At
most 100,000 requests or 256 MB. A batch carries no word of ours, so one whose id never came back is known by the names of
its requests, once it has ended.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.models.http.batch_api import UNLIKE, BatchState, LineResult
from harness.models.http.batch_chat import Chat, completion, count, error_body, read_chat
from harness.models.http.batch_http import BatchHttp
from harness.models.http.batch_ledger import Submission
from harness.models.http.endpoint import Endpoint
from harness.models.http.json_body import read_json
from harness.models.retry import Patience

_SLACK = 600.0
"""Seconds by which the service's clock may be behind ours."""
_PASSED = frozenset({"thinking", "stop_sequences", "metadata", "service_tier"})
_STATUS: Mapping[str, int] = {
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500, "timeout_error": 504,
    "overloaded_error": 529,
}  # fmt: skip
"""Kind of an error -> the status that it has where it is asked directly."""


class AnthropicBatches:
    """Batches of messages at one server."""

    most_requests = 100_000
    most_bytes = 190_000_000

    def __init__(self, endpoint: Endpoint, patience: Patience, *, poll: float) -> None:
        """`poll`: seconds between two looks at a batch that may be ours."""
        self._endpoint, self._poll = endpoint, poll
        key = {"x-api-key": endpoint.key} if endpoint.key else {}
        headers = {"anthropic-version": "2023-06-01", "Accept": "application/json", **key}
        self._http = BatchHttp(
            endpoint, patience, form="Anthropic", headers={**headers, **endpoint.more}
        )

    def write(self, lines: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
        """See `BatchApi`: one JSON object, with a request a line. Raises HarnessError."""
        yield b'{"requests": ['
        comma = b"\n"
        for name, body in lines:
            params = _params(
                self._endpoint.model, read_chat(body, service="Anthropic", passed=_PASSED)
            )
            yield comma + json.dumps({"custom_id": name, "params": params}).encode()
            comma = b",\n"
        yield b"\n]}\n"

    async def submit(self, file: Path, one: Submission, *, known: Collection[str] = ()) -> str:
        """See `BatchApi`. Raises HarnessError."""

        async def lost() -> dict[str, Any] | None:
            found = await self.find(one, known=known)
            return {"id": found} if found else None

        made = await self._http.json(
            "POST", self._url(""), key="id", raw=file, more={"Content-Type": "application/json"}, lost=lost
        )  # fmt: skip
        return str(made["id"])

    async def find(self, one: Submission, *, known: Collection[str] = ()) -> str:
        """See `BatchApi`; waits until a batch that may be it has ended. Raises HarnessError."""
        after = ""
        while True:
            page = await self._http.json("GET", self._url(f"?limit=100{after}"))
            listed = [row for row in page.get("data") or [] if isinstance(row, dict)]
            for row in listed:
                if one.at and _created(row) < one.at - _SLACK:
                    return ""
                if row["id"] not in known and await self._is(row, one):
                    return str(row["id"])
            if not page.get("has_more") or not listed:
                return ""
            after = f"&after_id={listed[-1]['id']}"

    async def _is(self, row: dict[str, Any], one: Submission) -> bool:
        """Whether a listed batch has the requests of a submission."""
        if sum(_counts(row).values()) != len(one.names):
            return False
        while row.get("processing_status") != "ended":
            await asyncio.sleep(self._poll)
            row = await self._http.json("GET", self._url(f"/{row['id']}"))
        first = (await self.results(_state(row))).partition(b"\n")[0]
        try:
            return self.read(first)[0] in one.names
        except UNLIKE:
            return False

    async def state(self, id_: str) -> BatchState:
        """See `BatchApi`. Raises HarnessError."""
        return _state(await self._http.json("GET", self._url(f"/{id_}"), key="id", known=True))

    async def results(self, state: BatchState) -> bytes:
        """See `BatchApi`. Raises HarnessError. Where the results lie, the service says; the key goes to its own host
        alone."""
        said = state.files[0] if state.files else ""
        own, other = urlsplit(self._endpoint.base), urlsplit(said)
        same = (own.scheme, own.netloc) == (other.scheme, other.netloc)
        return await self._http.data(said if same else self._url(f"/{state.id}/results"))

    def read(self, line: bytes) -> tuple[str, LineResult]:
        """See `BatchApi`. What was not asked in time has the status 0."""
        told = read_json(line)
        result = told["result"]
        if result["type"] == "succeeded":
            return told["custom_id"], LineResult(200, _completion(result["message"]))
        if result["type"] == "errored":
            error = result["error"].get("error") or result["error"]
            status = _STATUS.get(error.get("type"), 500)
            return told["custom_id"], LineResult(
                status, error_body(error.get("message"), error.get("type"))
            )
        return told["custom_id"], LineResult(0, json.dumps(result).encode())

    async def forget(self, state: BatchState) -> None:
        """See `BatchApi`."""
        await self._http.delete(self._url(f"/{state.id}"))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _url(self, path: str) -> str:
        query = self._endpoint.query
        behind = f"{'&' if '?' in path else '?'}{query}" if query else ""
        return f"{self._endpoint.base}/messages/batches{path}{behind}"


def _params(model: str, chat: Chat) -> dict[str, Any]:
    """A conversation as the Messages API takes it. Values at which a parameter changes nothing are left out, since some
    models take no two of them together; a seed it does not know."""
    found: dict[str, Any] = {"model": model, "max_tokens": chat.most}
    found |= {"temperature": chat.temperature} if chat.temperature != 1.0 else {}
    found |= {"top_p": chat.top_p} if chat.top_p != 1.0 else {}
    found |= {"top_k": chat.top_k} if chat.top_k else {}
    found |= {"system": chat.system} if chat.system else {}
    turns = []
    for role, pieces in chat.turns:
        parts = [
            {"type": "text", "text": one.text} if not one.mime
            else {"type": "image", "source": {"type": "base64", "media_type": one.mime, "data": one.data}}
            for one in pieces
        ]  # fmt: skip
        turns.append({"role": role, "content": parts})
    return {**found, "messages": turns, **chat.more}


def _completion(message: Mapping[str, Any]) -> bytes:
    used = message.get("usage") or {}
    cached = count(used.get("cache_read_input_tokens"))
    written = count(used.get("cache_creation_input_tokens"))
    return completion(
        model=message.get("model"),
        content=list(message["content"]),
        finish=message.get("stop_reason"),
        usage={
            "prompt": count(used.get("input_tokens")) + cached + written,
            "cached": cached,
            "completion": count(used.get("output_tokens")),
        },
    )


def _counts(row: Mapping[str, Any]) -> dict[str, int]:
    counts = row.get("request_counts") or {}
    names = ("processing", "succeeded", "errored", "canceled", "expired")
    return {name: count(counts.get(name)) for name in names}


def _state(row: Mapping[str, Any]) -> BatchState:
    counts = _counts(row)
    status = str(row.get("processing_status"))
    if status == "ended":
        status = (
            "cancelled" if counts["canceled"] else "expired" if counts["expired"] else "completed"
        )
    where = row.get("results_url")
    return BatchState(str(row["id"]), status, (where,) if isinstance(where, str) else ())


def _created(row: Mapping[str, Any]) -> float:
    """When a batch was made, in seconds since 1970; now where that cannot be read, so that it is looked at."""
    try:
        return datetime.fromisoformat(str(row.get("created_at"))).timestamp()
    except ValueError:
        return float("inf")
