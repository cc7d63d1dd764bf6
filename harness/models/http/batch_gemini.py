"""The batch mode of Gemini.

Shapes: a file of JSON lines ({"key", "request"}) is uploaded by the resumable protocol (POST /upload/v1beta/files, then
the bytes to the address that comes back), POST /v1beta/models/MODEL:batchGenerateContent (display_name, input_config),
GET /v1beta/batches/ID (metadata with state and batchStats; response with responsesFile), GET
/v1beta/batches?pageSize&pageToken, GET /download/v1beta/FILE:download?alt=media, DELETE of files and batches. At most 2 GB
a file. A batch is found by its display name.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.models.http.batch_api import BatchState, LineResult, Refused
from harness.models.http.batch_chat import Chat, completion, count, error_body, read_chat
from harness.models.http.batch_http import BatchHttp
from harness.models.http.batch_ledger import Submission
from harness.models.http.endpoint import Endpoint
from harness.models.http.json_body import read_json
from harness.models.retry import Patience

_STATES: Mapping[str, str] = {
    "SUCCEEDED": "completed", "FAILED": "failed", "CANCELLED": "cancelled", "EXPIRED": "expired",
}  # fmt: skip
_CODES: Mapping[int, int] = {
    1: 499, 3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 9: 400, 10: 409, 13: 500, 14: 503, 16: 401
}  # fmt: skip
"""Codes of google.rpc.Code -> the status of HTTP."""


class GeminiBatches:
    """Batches of `generateContent` at one server."""

    most_requests = 50_000
    most_bytes = 190_000_000

    def __init__(self, endpoint: Endpoint, patience: Patience) -> None:
        """The endpoint is that of chat completions, `.../v1beta/openai`."""
        self._endpoint = endpoint
        key = {"x-goog-api-key": endpoint.key} if endpoint.key else {}
        self._http = BatchHttp(
            endpoint, patience, form="Gemini", headers={"Accept": "application/json", **key, **endpoint.more}
        )  # fmt: skip
        parts = urlsplit(endpoint.base.removesuffix("/").removesuffix("/openai"))
        self._host = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path
        """Of the version: `/v1beta`."""

    def write(self, lines: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
        """See `BatchApi`. Raises HarnessError."""
        for name, body in lines:
            asked = _request(read_chat(body, service="Gemini", passed=()))
            yield json.dumps({"key": name, "request": asked}).encode() + b"\n"

    async def submit(self, file: Path, one: Submission, *, known: Collection[str] = ()) -> str:
        """See `BatchApi`. Raises HarnessError."""
        uploaded = await self._upload(file, one.mark)
        asked = {"batch": {"display_name": one.mark, "input_config": {"file_name": uploaded}}}

        async def lost() -> dict[str, Any] | None:
            found = await self.find(one)
            return {"name": found} if found else None

        model = f"models/{self._endpoint.model.removeprefix('models/')}"
        made = await self._http.json(
            "POST", self._url(f"{model}:batchGenerateContent"), key="name", body=asked, lost=lost
        )
        return str(made["name"])

    async def _upload(self, file: Path, mark: str) -> str:
        """The name that the service gives to the file."""
        size = str(file.stat().st_size)
        begun = await self._http.answer(
            "POST", f"{self._host}/upload{self._path}/files", body={"file": {"display_name": mark}},
            more={
                "X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start",
                "X-Goog-Upload-Header-Content-Length": size, "X-Goog-Upload-Header-Content-Type": "application/jsonl",
            },
        )  # fmt: skip
        where = begun.headers.get("X-Goog-Upload-URL", "")
        if not where.startswith(f"{self._host}/"):  # the key and the pictures go to no other host
            raise Refused(
                f"{self._host} did not answer an upload as Gemini does",
                hint="leave out --batch if this server has no batches",
            )
        more = {"X-Goog-Upload-Offset": "0", "X-Goog-Upload-Command": "upload, finalize"}
        made = await self._http.json("POST", where, key="file", raw=file, more=more)
        return str(made["file"]["name"])

    async def find(self, one: Submission, *, known: Collection[str] = ()) -> str:
        """See `BatchApi`. Raises HarnessError."""
        token = ""
        while True:
            page = await self._http.json("GET", self._url(f"batches?pageSize=100{token}"))
            for row in page.get("operations") or page.get("batches") or []:
                told = row.get("metadata") or row
                if one.mark in (told.get("displayName"), told.get("display_name")):
                    return str(row["name"])
            if not page.get("nextPageToken"):
                return ""
            token = f"&pageToken={page['nextPageToken']}"

    async def state(self, id_: str) -> BatchState:
        """See `BatchApi`. Raises HarnessError."""
        got = await self._http.json("GET", self._url(id_), key="name", known=True)
        told = got.get("metadata") or got
        said = str(told.get("state", "")).removeprefix("BATCH_STATE_").removeprefix("JOB_STATE_")
        out = (got.get("response") or {}).get("responsesFile")
        out = out or (told.get("output") or {}).get("responsesFile")
        error = got.get("error") or told.get("error") or {}
        return BatchState(
            id_, _STATES.get(said, said.lower()),
            (str(out),) if out else (), str((told.get("inputConfig") or {}).get("fileName") or ""),
            str(error.get("message") or ""),
        )  # fmt: skip

    async def results(self, state: BatchState) -> bytes:
        """See `BatchApi`. Raises HarnessError."""
        found = [
            await self._http.data(f"{self._host}/download{self._path}/{name}:download?alt=media")
            for name in state.files
        ]
        return b"".join(found)

    def read(self, line: bytes) -> tuple[str, LineResult]:
        """See `BatchApi`. What was not asked in time has the status 0."""
        told = read_json(line)
        error = told.get("error")
        if not error:
            return told["key"], LineResult(200, _completion(told["response"]))
        code = int(error.get("code") or 0)
        if code == 1 or str(error.get("status")) in {"CANCELLED", "DEADLINE_EXCEEDED"}:
            return told["key"], LineResult(0, json.dumps(error).encode())
        status = _CODES.get(code, code if code >= 400 else 500)
        return told["key"], LineResult(
            status, error_body(error.get("message"), error.get("status"))
        )

    async def forget(self, state: BatchState) -> None:
        """See `BatchApi`."""
        names = filter(None, (state.input, *state.files, state.id))
        await self._http.delete(*map(self._url, names))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _url(self, path: str) -> str:
        return f"{self._host}{self._path}/{path}"


def _request(chat: Chat) -> dict[str, Any]:
    """A conversation as `generateContent` takes it."""
    config: dict[str, Any] = {
        "maxOutputTokens": chat.most, "temperature": chat.temperature, "topP": chat.top_p,
        **({"topK": chat.top_k} if chat.top_k else {}),
        **({} if chat.seed is None else {"seed": chat.seed}),
    }  # fmt: skip
    contents = []
    for role, pieces in chat.turns:
        parts: list[dict[str, Any]] = [
            {"text": one.text} if not one.mime else {"inlineData": {"mimeType": one.mime, "data": one.data}}
            for one in pieces
        ]  # fmt: skip
        contents.append({"role": "model" if role == "assistant" else "user", "parts": parts})
    system = {"systemInstruction": {"parts": [{"text": chat.system}]}} if chat.system else {}
    return {"contents": contents, **system, "generationConfig": config}


def _completion(response: Mapping[str, Any]) -> bytes:
    used = response.get("usageMetadata") or {}
    thought = count(used.get("thoughtsTokenCount"))
    details = used.get("promptTokensDetails") or []
    usage = {
        "prompt": count(used.get("promptTokenCount")),
        "cached": count(used.get("cachedContentTokenCount")),
        "image": sum(count(d.get("tokenCount")) for d in details if d.get("modality") == "IMAGE"),
        "completion": count(used.get("candidatesTokenCount")) + thought,
        "reasoning": thought,
    }
    candidates = response.get("candidates") or []
    first = candidates[0] if candidates else {}
    parts = [
        {"type": "thinking" if one.get("thought") else "text", "text": str(one.get("text") or "")}
        for one in (first.get("content") or {}).get("parts") or []
    ]
    more: dict[str, Any] = {} if candidates else {"choices": []}
    if response.get("promptFeedback"):
        more["promptFeedback"] = response["promptFeedback"]
    return completion(
        model=response.get("modelVersion"), content=parts, finish=first.get("finishReason"), usage=usage, **more
    )  # fmt: skip
