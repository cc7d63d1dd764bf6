"""The server of `harness view`: routes and access control.

Everything is read with GET below a token; the one POST saves notes. Reports are shown as they are, each below a token of
its own and in a sandbox: a run folder may come from elsewhere, and no script of its report reaches this page.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

from aiohttp import web

from harness.analyses.words import visible_all
from harness.core.errors import HarnessError
from harness.local_page import guarded, page_response, same_token, serve
from harness.run.folder import RunFolder
from harness.run.notes import notes_from, version, write_notes
from harness.view.compared import Comparisons, Half
from harness.view.opened import MOST, OpenedRun, stamp_of
from harness.view.pictures import DrawnPictures
from harness.view.records import ORDERS, Show, Wanted
from harness.view.shelf import Shelf

LARGEST_BODY = 128 << 10
"""Bytes of notes."""
HELD = 3
"""Runs whose codes are kept, the latest."""
LONGEST_WORDS = 200
REPORTS = frozenset({"report.html", "cues.html"})
SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TEMPLATES = Path(__file__).parent / "templates"
_RUN = "/{token}/runs/{run:[0-9a-f]{16}}"

T = TypeVar("T")


class ViewServer:
    """The runs in and below a folder. Nothing is written but notes."""

    def __init__(self, root: Path, *, side: int | None = None) -> None:
        """`side`: own pictures are shown, made smaller to so many pixels; None: they are not."""
        self.token = secrets.token_urlsafe(16)
        self._shelf = Shelf(root)
        self._side = side
        self._runs: OrderedDict[str, OpenedRun] = OrderedDict()
        self._drawn = DrawnPictures()
        self._comparisons = Comparisons()
        self._reading = asyncio.Lock()
        self.ended = asyncio.Event()

    def app(self) -> web.Application:
        """The routes, each below the token, or a report's own."""
        app = web.Application(middlewares=[guarded("notes")], client_max_size=LARGEST_BODY)
        app.add_routes(
            [
                web.get("/favicon.ico", _no_icon),
                web.get("/{token}/", self._page),
                web.get("/{token}/runs", self._list),
                web.get("/{token}/compare", self._compare),
                web.get(_RUN, self._run),
                web.get(_RUN + "/progress", self._progress),
                web.get(_RUN + "/samples", self._samples),
                web.get(_RUN + "/conversations/{name:[0-9a-f]{1,64}}", self._conversation),
                web.get(_RUN + "/pictures/{task:[0-9]{1,4}}/{row:[0-9]{1,9}}/{frame:[0-9]}", self._picture),
                web.post(_RUN + "/notes", self._notes),
                web.get("/report/{run:[0-9a-f]{16}}/{token}/{name}", self._report),
            ]
        )  # fmt: skip
        return app

    async def serve(self, port: int, *, ready: Callable[[int], None]) -> None:
        """Serve until cancelled; `ready` is told the port. Raises HarnessError for a port that is taken."""
        await serve(self.app(), port, ready=ready, ended=self.ended)

    def _check(self, request: web.Request) -> None:
        if not same_token(request.match_info["token"], self.token):
            raise web.HTTPNotFound(text="no such address: use the one that the command printed\n")

    def _folder(self, request: web.Request) -> RunFolder:
        """The run that an address names."""
        self._check(request)
        folder = self._shelf.folder(request.match_info["run"])
        if folder is None:
            raise web.HTTPNotFound(text="no such run: it was moved or deleted\n")
        return folder

    async def _opened(self, request: web.Request) -> OpenedRun:
        folder = await asyncio.to_thread(self._folder, request)
        name = request.match_info["run"]
        held = self._runs.get(name)
        if held is None or held.stamp != stamp_of(folder):
            held = self._runs[name] = await asyncio.to_thread(OpenedRun, folder)
        self._runs.move_to_end(name)
        while len(self._runs) > HELD:
            self._runs.popitem(last=False)
        return held

    async def _read(self, work: Callable[[], T]) -> T:
        """What `work` gives, in a thread, one at a time."""
        async with self._reading:
            return await asyncio.to_thread(work)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        self._check(request)
        return page_response(_TEMPLATES)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        self._check(request)
        try:
            found = await asyncio.to_thread(self._shelf.listing)
        except HarnessError as error:
            return _failed(error)
        return _json({"root": str(self._shelf.root), "runs": found})

    async def _run(self, request: web.Request) -> web.StreamResponse:
        try:
            row = await asyncio.to_thread(self._row, request)
            if row["state"] == "broken":
                return _json({"run": row, "seen": version(self._folder(request))})
            run = await self._opened(request)
            body = await self._read(run.page)
        except HarnessError as error:
            return _failed(error)
        pages = {name: self._report_address(request.match_info["run"], name) for name in body["pages"]}  # fmt: skip
        body |= {"run": row, "pages": pages, "seen": version(run.folder)}
        return _json(body)

    def _row(self, request: web.Request) -> dict[str, Any]:
        self._folder(request)
        return self._shelf.row(request.match_info["run"])

    async def _progress(self, request: web.Request) -> web.StreamResponse:
        await asyncio.to_thread(self._folder, request)
        try:
            row = await asyncio.to_thread(self._shelf.progress, request.match_info["run"])
        except HarnessError as error:
            return _failed(error)
        return _json({"run": row})

    async def _samples(self, request: web.Request) -> web.StreamResponse:
        try:
            run = await self._opened(request)
            wanted = _wanted(request.query)
            body = await self._read(
                lambda: run.samples(wanted, self._drawn, own_pictures=self._side is not None)
            )
        except HarnessError as error:
            return _failed(error)
        return _json(body)

    async def _conversation(self, request: web.Request) -> web.StreamResponse:
        try:
            run = await self._opened(request)
            turns = await self._read(lambda: run.conversation(request.match_info["name"]))
        except HarnessError as error:
            return _failed(error)
        if turns is None:
            raise web.HTTPNotFound(text="no such conversation\n")
        return _json({"turns": turns})

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        run = await self._opened(request)
        if self._side is None:
            raise web.HTTPForbidden(text="own pictures are shown with --with-pictures alone\n")
        side = self._side
        task, row, frame = (int(request.match_info[name]) for name in ("task", "row", "frame"))
        try:
            data = await self._read(lambda: run.own(task).jpeg(row, frame, side=side))
        except (HarnessError, IndexError):
            raise web.HTTPNotFound(text="this picture cannot be read\n") from None
        return web.Response(body=data, content_type="image/jpeg")

    async def _notes(self, request: web.Request) -> web.StreamResponse:
        folder = await asyncio.to_thread(self._folder, request)
        try:
            body = json.loads(await request.text())
            seen = body.pop("seen")
            notes = notes_from(body)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return _json({"error": "notes are an object of text, tags and seen", "hint": ""}, 422)
        except HarnessError as error:
            return _failed(error, 422)
        try:
            await asyncio.to_thread(write_notes, folder, notes, seen=str(seen))
        except HarnessError as error:
            return _failed(error, 409)
        return _json({"seen": version(folder), "text": notes.text, "tags": list(notes.tags)})

    async def _compare(self, request: web.Request) -> web.StreamResponse:
        self._check(request)
        halves = [await asyncio.to_thread(self._half, request.query.get(n, "")) for n in ("a", "b")]
        unlike = request.query.get("unlike") == "yes"
        work = self._comparisons.of(halves[0], halves[1], unlike=unlike)
        for _ in range(10):  # most take no longer
            if work.result is not None:
                break
            await asyncio.sleep(0.05)
        return _json({"a": halves[0].called, "b": halves[1].called, **work.body()})

    def _half(self, written: str) -> Half:
        """`RUN`, or `RUN:CELL:PROMPT`."""
        name, _, rest = written.partition(":")
        folder = self._shelf.folder(name)
        if folder is None:
            raise web.HTTPNotFound(text="no such run: it was moved or deleted\n")
        cell, _, prompt = rest.partition(":")
        return Half(folder, self._shelf.called(folder), cell, prompt)

    def _report_address(self, run: str, name: str) -> str:
        return f"/report/{run}/{self._report_token(run)}/{name}"

    def _report_token(self, run: str) -> str:
        """What opens the reports of one run and nothing else."""
        made = hmac.new(self.token.encode(), run.encode(), hashlib.sha256)
        return made.hexdigest()[:32]

    async def _report(self, request: web.Request) -> web.StreamResponse:
        run, name = request.match_info["run"], request.match_info["name"]
        if not same_token(request.match_info["token"], self._report_token(run)):
            raise web.HTTPNotFound(text="no such address: open the report from its run's page\n")
        folder = await asyncio.to_thread(self._shelf.folder, run)
        path = None if folder is None or name not in REPORTS else folder.path / name
        try:
            if path is None:
                raise FileNotFoundError
            page = await asyncio.to_thread(path.read_bytes)
        except OSError:
            raise web.HTTPNotFound(text="this run has no such report\n") from None
        response = web.Response(body=page, content_type="text/html", charset="utf-8")
        response.headers["Content-Security-Policy"] = SANDBOX
        return response


async def _no_icon(request: web.Request) -> web.StreamResponse:
    """Browsers ask for one beside a report; there is none."""
    return web.Response(status=204)


def _wanted(query: Mapping[str, str]) -> Wanted:
    """The page of samples that an address asks for. Raises HarnessError for what is none."""
    show, order = query.get("show", "all"), query.get("order", "id")
    if show not in get_args(Show) or order not in ORDERS:
        raise HarnessError("no such choice of samples")
    try:
        numbers = {name: int(query.get(name, usual)) for name, usual in _NUMBERS.items()}
    except ValueError:
        raise HarnessError("start, count, a and b are whole numbers") from None
    if min(numbers.values()) < 0 or numbers["count"] > MOST or numbers["start"] > 1 << 31:
        raise HarnessError(f"start, count, a and b are from 0 on, count up to {MOST}")
    return Wanted(
        task=query.get("task", ""),
        field=query.get("field", ""),
        show=cast("Show", show),
        label=query.get("label"),
        words=query.get("words", "")[:LONGEST_WORDS],
        order=order,
        **numbers,
    )


_NUMBERS: Mapping[str, int] = {"start": 0, "count": 20, "a": 0, "b": 1}


def _json(body: Any, status: int = 200) -> web.Response:
    """Plain JSON with the characters that nobody sees spelled out, but for notes, which are edited."""
    return web.json_response(_seen(body), status=status)


def _seen(body: Any) -> Any:
    if isinstance(body, dict) and "run" in body:
        return {**visible_all(body), "run": _row_seen(body["run"])}
    if isinstance(body, dict) and "runs" in body:
        return {**visible_all(body), "runs": [_row_seen(row) for row in body["runs"]]}
    return body if isinstance(body, dict) and "seen" in body else visible_all(body)


def _row_seen(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**visible_all(row), **{name: row[name] for name in ("notes", "tags") if name in row}}


def _failed(error: HarnessError, status: int = 422) -> web.Response:
    return _json({"error": error.message, "hint": error.hint or ""}, status)
