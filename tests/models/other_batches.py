"""Servers with the batch APIs of Anthropic and Gemini, and chat completions for what is asked directly."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.models.batch_server import BatchServer
from tests.models.listening import listening
from tests.models.stub import contents

PARAMS = {"model", "max_tokens", "temperature", "top_p", "top_k", "system", "messages"}


@dataclass
class OtherServer(BatchServer):
    """What it does, and what it saw. `line` and `end` are as in `BatchServer`."""

    form: str = "anthropic"
    foreign: list[dict[str, Any]] = field(default_factory=list)
    """Batches of others, in the list after ours."""
    looks: int = 2
    """How often a batch is asked about before it has ended."""
    looked: list[int] = field(default_factory=list)
    ended: set[int] = field(default_factory=set)

    @property
    def address(self) -> str:
        return f"{self.url}/v1" if self.form == "anthropic" else f"{self.url}/v1beta/openai"

    def begin(self, lines: list[dict[str, Any]], **about: Any) -> int:
        """Take a batch; its number."""
        names = [one.get("custom_id") or one["key"] for one in lines]
        assert len(set(names)) == len(names) and all(re.fullmatch(r"[\w-]{1,64}", n) for n in names)
        self.lines.append(lines)
        self.batches.append({"created_at": datetime.now(UTC).isoformat(), **about})
        self.looked.append(0)
        return len(self.batches) - 1

    def look(self, number: int) -> bool:
        """Whether a batch has ended, one look further."""
        self.made.set()
        if not self.held:
            self.looked[number] += 1
            if self.looked[number] >= self.looks and number not in self.ended:
                self.ended.add(number)
                self.batches[number]["fates"] = [
                    self.line(number, at, one) for at, one in enumerate(self.lines[number])
                ]
        return number in self.ended

    def counted(self, number: int, *fates: str) -> int:
        told = self.batches[number].get("fates", [])
        return sum(fate in fates or (fate.isdigit() and "errored" in fates) for fate in told)

    def row(self, number: int) -> dict[str, Any]:
        """A batch as the service shows it."""
        return (self._message_batch if self.form == "anthropic" else self._operation)(number)

    def _message_batch(self, number: int) -> dict[str, Any]:
        ended, total = number in self.ended, len(self.lines[number])
        counts = {
            "succeeded": self.counted(number, "ok"),
            "errored": self.counted(number, "errored"),
        }
        counts |= {n: self.counted(number, n) for n in ("expired", "canceled")}
        counts["processing"] = 0 if ended else total
        return {
            "id": f"msgbatch_{number}", "type": "message_batch", "request_counts": counts,
            "processing_status": "ended" if ended else "in_progress",
            "created_at": self.batches[number]["created_at"],
            "results_url": f"{self.url}/v1/messages/batches/msgbatch_{number}/results" if ended else None,
        }  # fmt: skip

    def _operation(self, number: int) -> dict[str, Any]:
        ended, total = number in self.ended, len(self.lines[number])
        state = {"completed": "SUCCEEDED"}.get(self.end(number), self.end(number).upper())
        done = self.counted(number, "ok")
        told = {
            "displayName": self.batches[number]["name"], "model": "models/stub",
            "state": f"BATCH_STATE_{state if ended else 'RUNNING'}",
            "inputConfig": {"fileName": self.batches[number]["file"]},
            "batchStats": {"requestCount": str(total), "successfulRequestCount": str(done)},
        }  # fmt: skip
        row: dict[str, Any] = {"name": f"batches/{number}", "metadata": told, "done": ended}
        if ended and state == "FAILED":
            row["error"] = {"code": 8, "message": "Enqueued token_limit reached"}
        elif ended:
            row["response"] = {"responsesFile": f"files/out-{number}"}
        return row

    def results(self, number: int) -> bytes:
        """The lines of its results, in another order than they were asked."""
        told = zip(self.lines[number], self.batches[number]["fates"], strict=True)
        make = self._message if self.form == "anthropic" else self._generated
        rows = [make(one, fate) for one, fate in told if fate != "missing"]
        return b"".join(json.dumps(row).encode() + b"\n" for row in rows[::-1])

    def _message(self, one: dict[str, Any], fate: str) -> dict[str, Any]:
        if fate.isdigit():
            kind = {"400": "invalid_request_error", "500": "api_error"}[fate]
            error = {"type": "error", "error": {"type": kind, "message": f"fault {fate}"}}
            return {"custom_id": one["custom_id"], "result": {"type": "errored", "error": error}}
        if fate != "ok":
            return {"custom_id": one["custom_id"], "result": {"type": fate}}
        said = self.completion(as_chat(one["params"], self.form))
        self.paid.append(said["usage"])
        message = {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "stub",
            "content": [{"type": "text", "text": said["choices"][0]["message"]["content"]}],
            "stop_reason": "end_turn", "stop_sequence": None,
            "usage": {
                "input_tokens": said["usage"]["prompt_tokens"] - 7, "cache_read_input_tokens": 7,
                "output_tokens": said["usage"]["completion_tokens"],
            },
        }  # fmt: skip
        return {"custom_id": one["custom_id"], "result": {"type": "succeeded", "message": message}}

    def _generated(self, one: dict[str, Any], fate: str) -> dict[str, Any]:
        if fate != "ok":
            code = {"400": 3, "500": 13}.get(fate, 1)
            return {"key": one["key"], "error": {"code": code, "message": f"fault {fate}"}}
        said = self.completion(as_chat(one["request"], self.form))
        self.paid.append(said["usage"])
        parts = [{"text": said["choices"][0]["message"]["content"]}]
        response = {
            "candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": "STOP"}],
            "usageMetadata": {
                "promptTokenCount": said["usage"]["prompt_tokens"],
                "candidatesTokenCount": said["usage"]["completion_tokens"],
            },
            "modelVersion": "stub",
        }  # fmt: skip
        return {"key": one["key"], "response": response}


def as_chat(asked: dict[str, Any], form: str) -> dict[str, Any]:
    """A request of a service as the chat completion that it was made from. Refuses what the service does not know."""
    if form == "anthropic":
        assert asked.keys() <= PARAMS and asked["max_tokens"] >= 1
        assert 0 <= asked.get("temperature", 1) <= 1
        turns = [(m["role"], m["content"]) for m in asked["messages"]]
        system = asked.get("system")
    else:
        assert asked.keys() <= {"contents", "systemInstruction", "generationConfig"}
        turns = [(m["role"], m["parts"]) for m in asked["contents"]]
        system = asked.get("systemInstruction", {}).get("parts", [{}])[0].get("text")
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    for role, pieces in turns:
        parts = []
        for one in pieces:
            media = one.get("source") or one.get("inlineData")
            if media is None:
                parts.append({"type": "text", "text": one["text"]})
            else:
                kind = media.get("media_type") or media["mimeType"]
                url = f"data:{kind};base64,{media['data']}"
                parts.append({"type": "image_url", "image_url": {"url": url}})
        messages.append({"role": role, "content": parts})
    return {"messages": messages}


@contextmanager
def running_others(form: str, **options: Any) -> Iterator[OtherServer]:
    """A server that speaks one form, on this machine until the block ends. `options` are its fields."""
    seen = OtherServer(form=form, **options)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._route(seen.form, "GET", b"")

        def do_DELETE(self) -> None:
            seen.deleted.append(self.path)
            self._send({})

        def do_POST(self) -> None:
            self._route(seen.form, "POST", self.rfile.read(int(self.headers["Content-Length"])))

        def _route(self, form: str, method: str, data: bytes) -> None:
            path = self.path.partition("?")[0]
            if path.endswith("/models"):
                self._send({"data": [{"id": "stub"}]})
            elif path.endswith("/chat/completions"):
                body = json.loads(data)
                if not contents(body)[0].endswith(("one word.",)):
                    seen.direct.append(body)
                self._send(seen.completion(body))
            elif form == "anthropic" and path.startswith("/v1/messages/batches"):
                assert self.headers["anthropic-version"] and "Authorization" not in self.headers
                seen.keys.add(self.headers.get("x-api-key", ""))
                self._anthropic(method, path.removeprefix("/v1/messages/batches"), data)
            elif form == "gemini" and "/v1beta/" in path and "/openai/" not in path:
                seen.keys.add(self.headers.get("x-goog-api-key", ""))
                self._gemini(method, path, data)
            else:
                self._reply(404, b"{}")

        def _anthropic(self, method: str, path: str, data: bytes) -> None:
            if method == "POST":
                self._made(seen.begin(json.loads(data)["requests"]))
            elif not path:
                rows = [seen.row(n) for n in range(len(seen.batches))][::-1] + seen.foreign
                after = self.path.partition("&after_id=")[2]
                at = [one["id"] for one in rows].index(after) + 1 if after else 0
                self._send({"data": rows[at : at + 1], "has_more": at + 1 < len(rows)})
            else:
                self._one(path.split("/")[1].removeprefix("msgbatch_"), path.endswith("/results"))

        def _gemini(self, method: str, path: str, data: bytes) -> None:
            if path == "/upload/v1beta/files":
                if "X-Goog-Upload-Offset" in self.headers:
                    assert self.headers["X-Goog-Upload-Command"] == "upload, finalize"
                    name = f"files/in-{len(seen.files)}"
                    seen.files[name] = data
                    self._send({"file": {"name": name}})
                else:
                    assert self.headers["X-Goog-Upload-Command"] == "start"
                    where = {"X-Goog-Upload-URL": f"{seen.url}/upload/v1beta/files?upload_id=1"}
                    self._reply(200, b"", where)
            elif path == "/v1beta/models/stub:batchGenerateContent":
                asked = json.loads(data)["batch"]
                lines = seen.files[asked["input_config"]["file_name"]].splitlines()
                about = {"name": asked["display_name"], "file": asked["input_config"]["file_name"]}
                self._made(seen.begin([json.loads(one) for one in lines], **about))
            elif path == "/v1beta/batches":
                rows = [seen.row(n) for n in range(len(seen.batches))][::-1] + seen.foreign
                at = int(self.path.partition("&pageToken=")[2] or 0)
                more = {"nextPageToken": str(at + 1)} if at + 1 < len(rows) else {}
                self._send({"operations": rows[at : at + 1], **more})
            elif found := re.fullmatch(r"/v1beta/batches/(\d+)", path):
                self._one(found[1], False)
            elif found := re.fullmatch(r"/download/v1beta/files/out-(\d+):download", path):
                self._one(found[1], True)
            else:
                self._reply(404, b"{}")

        def _made(self, number: int) -> None:
            if seen.lose:
                seen.lose -= 1
                self.close_connection = True
                return
            self._send(seen.row(number))

        def _one(self, name: str, results: bool) -> None:
            if not name.isdigit() or int(name) >= len(seen.batches):
                self._reply(404, b"{}")
            elif results:
                self._reply(200, seen.results(int(name)))
            else:
                seen.look(int(name))
                self._send(seen.row(int(name)))

        def _send(self, body: dict[str, Any]) -> None:
            self._reply(200, json.dumps(body).encode())

        def _reply(self, status: int, data: bytes, more: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (more or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        log_message: Callable[..., None] = lambda *_: None

    with listening(Handler) as seen.url:
        yield seen
