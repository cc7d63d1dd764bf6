"""What a server may send to do harm: large, slow, escaped, elsewhere."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest
from aiohttp import ClientResponseError

from harness.core.errors import HarnessError
from harness.core.text import visible
from harness.models.http.completion import BadReply, decode
from harness.models.http.connection import MOST_BYTES, explain
from harness.models.http.endpoint import parse_endpoint
from harness.models.http.http_errors import Blocked, judge
from harness.models.http.key_mask import Mask
from harness.models.http.model import OpenAIModel
from harness.models.http.served import Served, ask_served
from harness.models.http.server_messages import ServerMessage, told_by
from harness.models.http.waiting import waiting_for
from harness.models.retry import Patience
from tests.models.test_openai import QUICK, ask

KEY = "sk-abc/DEF+12&3=xyz"
OK = b'{"choices": [{"message": {"content": "fear"}, "finish_reason": "stop"}]'


@asynccontextmanager
async def answering(
    respond: Callable[[asyncio.StreamWriter], object], patience: Patience = QUICK
) -> AsyncIterator[OpenAIModel]:
    """A model behind a server that answers every request as `respond` writes it."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                ),
                0,
            )
            await reader.readexactly(length)
            outcome = respond(writer)
            if asyncio.iscoroutine(outcome):
                await outcome
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    endpoint = parse_endpoint(f"m@http://127.0.0.1:{port}", allow_remote=frozenset())
    model = OpenAIModel(endpoint, Served(), name="m", patience=patience)
    try:
        yield model
    finally:
        await model.close()
        server.close()


def sent(body: bytes, *, status: str = "200 OK", more: bytes = b"") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + more + b"\r\n" + body


async def test_a_reply_over_the_limit_is_given_up_before_it_is_held() -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + OK + b', "pad": "'
        )
        for _ in range(MOST_BYTES // (1 << 20) + 4):
            writer.write(b"a" * (1 << 20))
            await writer.drain()

    async with answering(endless) as model:
        got = await model.reply(ask())
    assert got.failure is not None and "larger than 64 MB" in got.failure.detail


async def test_a_compressed_reply_is_limited_by_what_it_becomes() -> None:
    squeeze = zlib.compressobj(9, wbits=31)
    body = squeeze.compress(OK + b', "pad": "')
    for _ in range(MOST_BYTES // (1 << 20) + 4):
        body += squeeze.compress(b"a" * (1 << 20))
    body += squeeze.flush()
    small = zlib.compressobj(9, wbits=31)
    fine = small.compress(OK + b"}") + small.flush()
    assert len(body) < 200_000
    for whole, said in ((body, None), (fine, "fear")):
        more = b"Content-Encoding: gzip\r\n"
        wire = sent(whole, more=more)
        async with answering(lambda w, wire=wire: w.write(wire)) as model:
            got = await model.reply(ask())
        if said is None:
            assert got.failure is not None and "larger than 64 MB" in got.failure.detail
        else:
            assert got.text == said


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
async def test_bytes_that_are_no_text_are_replaced_and_the_reply_is_kept(status: str) -> None:
    good = OK + b"}" if status == "200 OK" else b'{"error": {"message": "fear"}}'
    wire = sent(good.replace(b"fear", b"fe\xff\xc3ar"), status=status)
    async with answering(lambda w: w.write(wire)) as model:
        got = await model.reply(ask())
    assert (got.text or (got.failure and got.failure.detail) or "").endswith("fe\ufffd\ufffdar")
    assert (got.failure is None) == (status == "200 OK")


async def test_headers_that_never_end_do_not_hold_a_start() -> None:
    async def slow(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for i in range(1200):  # a minute
            writer.write(b"X-%d: a\r\n" % i)
            await writer.drain()
            await asyncio.sleep(0.05)

    async with answering(slow) as model:
        start = time.monotonic()
        with pytest.raises(HarnessError, match="timed out"):
            await asyncio.to_thread(ask_served, model._endpoint, seconds=0.6)
        assert time.monotonic() - start < 30


async def test_a_redirect_names_where_it_leads_and_is_not_followed() -> None:
    more = b"Location: http://127.0.0.2:9/v1\r\n"
    moved = sent(b"", status="307 Temporary Redirect", more=more)
    async with answering(lambda w: w.write(moved)) as model:
        with pytest.raises(HarnessError, match=r"307, a redirect to http://127\.0\.0\.2:9/v1"):
            await model.reply(ask())


async def test_tls_where_there_is_none_is_named_with_what_to_write() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    endpoint = parse_endpoint(f"m@https://127.0.0.1:{port}", allow_remote=frozenset())
    with pytest.raises(HarnessError) as caught:
        await asyncio.to_thread(ask_served, endpoint, seconds=4)
    server.close()
    assert "http://" in caught.value.hint and "TLS" in caught.value.hint


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        json.dumps(KEY).replace("/", "\\/"),
        "".join(f"\\u{ord(letter):04x}" for letter in KEY),
        quote(KEY, safe=""),
        quote(quote(KEY, safe=""), safe=""),
        KEY.replace("&", "&amp;"),
        KEY.replace("&", "\\u0026"),
        "".join(f"&#{ord(letter)};" for letter in KEY),
    ],
)
def test_a_key_is_masked_in_whatever_spelling_it_comes_back(written: str) -> None:
    assert Mask([KEY]).text(f"bad key {written}!") in {"bad key ***!", 'bad key "***"!'}


async def test_a_key_that_is_escaped_in_json_is_masked_after_decoding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in KEY).encode()
    reply = OK.replace(b"fear", b"fear " + escaped) + b"}"
    async with answering(lambda w: w.write(sent(reply))) as model:
        got = await model.reply(ask())
    assert got.text == "fear ***"
    wrong = b'{"error": {"message": "bad key ' + KEY.replace("/", "\\/").encode() + b'"}}'
    async with answering(lambda w: w.write(sent(wrong, status="422 X"))) as model:
        got = await model.reply(ask())
    assert got.failure is not None and got.failure.detail == "HTTP 422: bad key ***"


def test_words_of_a_server_hold_no_control_characters() -> None:
    body = json.dumps(
        {"error": {"message": "\x1b[31mRED\x1b]0;T\x07 \u202e \x9b31m\nnext"}}
    ).encode()
    said = told_by(body).message
    assert said == visible(said) and "\n" not in said and "RED" in said
    page = (
        b"<html><style>b {}</style><script>x()</script><h1>Fatal error</h1> in <b>a.php</b></html>"
    )
    assert told_by(page).message == "Fatal error in a.php"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": {"code": "content_filter", "message": "The response was filtered"}}),
        (400, {"error": {"code": "data_inspection_failed", "message": "Input data"}}),
        (403, {"error": {"code": 403, "message": "Your model requires moderation and your input was flagged."}}),
        (400, {"error": {"message": "Your request was rejected by our safety system"}}),
        (400, {"error": {"code": "1301", "message": "unsafe or sensitive content"}}),
        (200, {"error": {"code": 403, "message": "input was flagged by the provider"}}),
    ],
)  # fmt: skip
def test_a_platforms_filter_is_an_outcome_and_no_failure(status: int, body: object) -> None:
    told = told_by(json.dumps(body).encode())
    blocked = judge(status, told, {}, place="here", succeeded=False)
    assert isinstance(blocked, Blocked)
    got = blocked.generation("k")
    assert got.failure is None and got.refusal is not None and got.refusal.by == "platform"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_key_is_fatal_only_where_nothing_ever_succeeded(status: int) -> None:
    told = ServerMessage("no")
    with pytest.raises(HarnessError):
        judge(status, told, {}, place="here", succeeded=False)
    later = judge(status, told, {}, place="here", succeeded=True)
    assert not isinstance(later, Blocked) and later.kind == "rejected" and not later.again


async def test_azure_is_asked_at_its_deployment_with_its_own_header(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    url = "http://127.0.0.1:1/openai/deployments/mine/chat/completions?api-version=2024-10-21"
    endpoint = parse_endpoint(f"m@{url}", allow_remote=frozenset())
    assert endpoint.chat == url and endpoint.headers["api-key"] == KEY
    assert "Authorization" not in endpoint.headers
    with pytest.raises(HarnessError, match="query other than api-version"):
        parse_endpoint("m@http://127.0.0.1:1/v1?api-key=abc", allow_remote=frozenset())


async def test_a_server_that_takes_its_time_is_named_while_it_is_waited_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with waiting_for("faces.example.org:8000", most=60, silence=0.01):
        await asyncio.sleep(0.05)
    assert "waiting for faces.example.org:8000" in capsys.readouterr().err
    with waiting_for("faces.example.org:8000", most=60, silence=0.05):
        pass
    await asyncio.sleep(0.1)
    assert not capsys.readouterr().err


def test_what_a_server_sent_is_told_as_it_was_written() -> None:
    odd = {"object": "list", "data": [None, {"id": "m"}]}
    with pytest.raises(BadReply, match=r'message: \{"object": "list", "data": \[null, \{"id": "m"'):
        decode(json.dumps(odd).encode())
    error = ClientResponseError(None, (), status=400, message="Bad status line 'x'")  # type: ignore[arg-type]
    assert explain(error, Mask()) == "no reply in HTTP: Bad status line 'x'"
