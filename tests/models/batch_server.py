"""A server with the batch API of OpenAI: files, batches that go through their states, and chat for what is asked directly."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.models.listening import listening
from tests.models.stub import _word, contents

STATES = ("validating", "in_progress", "finalizing")


@dataclass
class BatchServer:
    """What it does, and what it saw."""

    line: Callable[[int, int, dict[str, Any]], str] = lambda batch, line, body: "ok"
    """What becomes of a line, by the numbers of its batch and line: ok, an HTTP status, expired, or missing."""
    end: Callable[[int], str] = lambda batch: "completed"
    """How a batch ends."""
    written: Callable[[int, list[bytes]], list[bytes]] = lambda batch, lines: lines
    """What is made of the lines of a file of results, by the number of its batch."""
    told: bytes = b""
    """What it says of each batch that it is asked about, where that is set."""
    held: bool = False
    """Whether batches stay as they are."""
    busy: int = 0
    """How many batches are refused by a limit of rate before one is made."""
    lose: int = 0
    """How many batches are made while their answer is lost."""
    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    batches: list[dict[str, Any]] = field(default_factory=list)
    """Those that were made."""
    lines: list[list[dict[str, Any]]] = field(default_factory=list)
    direct: list[dict[str, Any]] = field(default_factory=list)
    """Requests that were asked directly, but for those that say hello or try pictures."""
    paid: list[dict[str, int]] = field(default_factory=list)
    """Usage of each line that was answered."""
    keys: set[str] = field(default_factory=set)
    made: threading.Event = field(default_factory=threading.Event)
    """Set once a batch was asked about."""

    def completion(self, body: dict[str, Any]) -> dict[str, Any]:
        text, pictures = contents(body)
        message = {"role": "assistant", "content": _word(body)}
        seed = hashlib.sha256(b"".join(pictures)).digest()
        tokens = len(text) // 4 + (70 + seed[0] % 32) * len(pictures)
        usage = {"prompt_tokens": tokens, "completion_tokens": 2 + seed[1] % 2}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        return {"model": "stub", "choices": choices, "usage": usage}

    def make(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["endpoint"] == "/v1/chat/completions" and asked["completion_window"] == "24h"
        lines = [json.loads(one) for one in self.files[asked["input_file_id"]].splitlines()]
        names = [one["custom_id"] for one in lines]
        assert len(set(names)) == len(names) and all(len(name) <= 64 for name in names)
        assert all((o["method"], o["url"]) == ("POST", "/v1/chat/completions") for o in lines)
        batch = {
            "id": f"batch_{len(self.batches)}", "object": "batch", "status": STATES[0], "metadata": asked["metadata"],
            "input_file_id": asked["input_file_id"], "output_file_id": None, "error_file_id": None, "errors": None,
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
        }  # fmt: skip
        self.batches.append(batch)
        self.lines.append(lines)
        return batch

    def ask(self, number: int) -> dict[str, Any]:
        """The batch, one state further."""
        batch = self.batches[number]
        self.made.set()
        if self.held or batch["status"] not in STATES:
            return batch
        at = STATES.index(batch["status"]) + 1
        batch["status"] = STATES[at] if at < len(STATES) else self.finish(number)
        return batch

    def finish(self, number: int) -> str:
        batch, outputs, errors = self.batches[number], [], []
        end = self.end(number)
        if end == "failed":
            told = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}
            batch["errors"] = {"object": "list", "data": [told]}
            return end
        for at, one in enumerate(self.lines[number]):
            fate = self.line(number, at, one["body"])
            row: dict[str, Any] = {"id": f"r{at}", "custom_id": one["custom_id"], "error": None}
            if fate == "ok":
                body = self.completion(one["body"])
                self.paid.append(body["usage"])
                outputs.append({**row, "response": {"status_code": 200, "body": body}})
            elif fate.isdigit():
                body = {"error": {"message": f"fault {fate}", "type": "x", "code": None}}
                errors.append({**row, "response": {"status_code": int(fate), "body": body}})
            elif fate == "expired":
                errors.append({**row, "response": None, "error": {"code": "batch_expired"}})
        for kind, rows in (("output_file_id", outputs[::-1]), ("error_file_id", errors)):
            if rows:
                batch[kind] = f"file-{kind}-{number}"
                lines = self.written(number, [json.dumps(r).encode() for r in rows])
                self.files[batch[kind]] = b"".join(line + b"\n" for line in lines)
        batch["request_counts"] |= {"completed": len(outputs), "failed": len(errors)}
        return end


@contextmanager
def running_batches(**options: Any) -> Iterator[BatchServer]:
    """A server on this machine until the block ends. `options` are its fields."""
    seen = BatchServer(**options)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0].removeprefix("/v1/")
            if path == "models":
                self._send({"data": [{"id": "stub"}]})
            elif path == "batches":
                newest = seen.batches[::-1]
                after = self.path.partition("&after=")[2]
                at = [one["id"] for one in newest].index(after) + 1 if after else 0
                self._send({"data": newest[at : at + 1], "has_more": at + 1 < len(newest)})
            elif path.startswith("batches/") and seen.told:
                self._reply(200, seen.told)
            elif path.startswith("batches/") and int(path.rpartition("_")[2]) < len(seen.batches):
                self._send(seen.ask(int(path.rpartition("_")[2])))
            elif path.startswith("files/") and (name := path.split("/")[1]) in seen.files:
                self._reply(200, seen.files[name])
            else:
                self._reply(404, b"{}")

        def do_DELETE(self) -> None:
            name = self.path.rpartition("/")[2]
            seen.deleted.append(name)
            del seen.files[name]
            self._send({"deleted": True})

        def do_POST(self) -> None:
            seen.keys.add(self.headers.get("Authorization", ""))
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not data:
                data = self._chunks()
            if self.path == "/v1/files":
                form = message_from_bytes(
                    b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n" + data
                )
                parts = {p.get_param("name", header="content-disposition"): p for p in form.walk()}
                assert parts["purpose"].get_payload(decode=True) == b"batch"
                name = f"file-in-{len(seen.files)}"
                seen.files[name] = bytes(parts["file"].get_payload(decode=True))  # type: ignore[arg-type]
                self._send({"id": name})
            elif self.path == "/v1/batches" and seen.busy:
                seen.busy -= 1
                self._reply(
                    429, b'{"error": {"message": "Rate limit reached", "type": "requests"}}'
                )
            elif self.path == "/v1/batches":
                batch = seen.make(json.loads(data))
                if seen.lose:
                    seen.lose -= 1
                    self.close_connection = True
                    return
                self._send(batch)
            elif self.path == "/v1/chat/completions":
                body = json.loads(data)
                if not contents(body)[0].endswith(("one word.",)):
                    seen.direct.append(body)
                self._send(seen.completion(body))
            else:
                self._reply(404, b"{}")

        def _chunks(self) -> bytes:
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data

        def _send(self, body: dict[str, Any]) -> None:
            self._reply(200, json.dumps(body).encode())

        def _reply(self, status: int, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    with listening(Handler) as seen.url:
        yield seen
