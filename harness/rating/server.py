"""The page on this machine: one address a person, nothing from elsewhere, every answer written before it is shown saved.

Served on 127.0.0.1 alone. A request must name this machine as its host, and a write must come from a page of the
same address, so that no page of another origin reaches it, not by a name of its own for 127.0.0.1 either.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.local_page import guarded, page_response, same_token, serve
from harness.rating.form import FormField
from harness.rating.items import Item, View, view_of
from harness.rating.seats import Desk

LARGEST_BODY = 64 << 10
"""Bytes of an answer."""
HELD = 6
"""Items whose pictures are kept encoded, the latest."""
_TEMPLATES = Path(__file__).parent / "templates"


class RatingServer:
    """The page of one study. `stop` may be called from a handler."""

    def __init__(self, task: Task, desks: Sequence[Desk]) -> None:
        self._task = task
        self._desks = {desk.seat.token: desk for desk in desks}
        self._views: OrderedDict[tuple[str, str], View] = OrderedDict()
        self._reading = asyncio.Lock()
        self.failed: HarnessError | None = None
        """Why an answer could not be written; the study ends then."""
        self.ended = asyncio.Event()

    def app(self) -> web.Application:
        """The routes, each below a person's token."""
        app = web.Application(middlewares=[guarded("answers")], client_max_size=LARGEST_BODY)
        app.add_routes(
            [
                web.get("/{token}/", self._page),
                web.get("/{token}/state", self._state),
                web.get("/{token}/items/{at:[0-9]{1,6}}", self._item),
                web.get("/{token}/items/{at:[0-9]{1,6}}/{medium:[01]}/{frame:[0-9]{1,5}}", self._frame),
                web.get("/{token}/items/{at:[0-9]{1,6}}/sound", self._sound),
                web.post("/{token}/items/{at:[0-9]{1,6}}", self._take),
            ]
        )  # fmt: skip
        return app

    async def serve(self, port: int, *, ready: Callable[[int], None]) -> None:
        """Serve until cancelled, or until an answer cannot be written; `ready` is told the port.

        Raises HarnessError for a port that is taken, and for what could not be written.
        """
        await serve(self.app(), port, ready=ready, ended=self.ended)
        if self.failed is not None:
            raise self.failed

    def _desk(self, request: web.Request) -> Desk:
        given = request.match_info["token"]
        for token, desk in self._desks.items():
            if same_token(given, token):
                return desk
        raise web.HTTPNotFound(text="unknown address: use the one that the command printed\n")

    def _place(self, request: web.Request) -> tuple[Desk, int, Item]:
        desk = self._desk(request)
        at = int(request.match_info["at"])
        if at >= len(desk.seat.items):
            raise web.HTTPNotFound(text="no such item\n")
        return desk, at, desk.seat.items[at]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        self._desk(request)
        return page_response(_TEMPLATES)

    async def _state(self, request: web.Request) -> web.StreamResponse:
        desk = self._desk(request)
        fields = [_described(field) for field in desk.fields.values()]
        return web.json_response(
            {
                "rater": desk.seat.rater,
                "adjudicates": desk.seat.adjudicates,
                "total": len(desk.seat.items),
                "done": desk.done,
                "next": desk.next_open(),
                "fields": fields,
            }
        )

    async def _item(self, request: web.Request) -> web.StreamResponse:
        desk, at, item = self._place(request)
        view = await self._view(item)
        if view.failure:
            desk.seat.unseen.add(at)
        return web.json_response(
            {
                "at": at,
                "media": [len(pictures) for pictures in view.media],
                "clip": item.sample.medium.kind != "image" and any(len(m) > 1 for m in view.media),
                "times": view.times,
                "frames": view.total,
                "sound": None if view.sound is None else view.sound.seconds,
                "failure": view.failure,
                "question": item.sample.question,
                "asks": desk.seat.asks[at],
                "answers": desk.answers(at),
                "done": desk.done,
                "next": desk.next_open(at),
            }
        )

    async def _frame(self, request: web.Request) -> web.StreamResponse:
        _, _, item = self._place(request)
        view = await self._view(item)
        medium, frame = int(request.match_info["medium"]), int(request.match_info["frame"])
        if medium >= len(view.media) or frame >= len(view.media[medium]):
            raise web.HTTPNotFound(text="no such picture\n")
        picture = view.media[medium][frame]
        return web.Response(body=picture.data, content_type=picture.mime)

    async def _sound(self, request: web.Request) -> web.StreamResponse:
        _, _, item = self._place(request)
        view = await self._view(item)
        if view.sound is None:
            raise web.HTTPNotFound(text="no sound\n")
        return web.Response(body=view.sound.data, content_type="audio/wav")

    async def _take(self, request: web.Request) -> web.StreamResponse:
        desk, at, _ = self._place(request)
        try:
            body = json.loads(await request.text())
            answers, seconds = body["answers"], float(body["seconds"])
            if not isinstance(answers, dict) or not seconds >= 0:
                raise ValueError("answers are an object, seconds a number from 0 on")
            desk.take(at, answers, seconds=seconds)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            return web.json_response({"error": str(error)[:300]}, status=422)
        except HarnessError as error:
            self.failed = error
            self.ended.set()
            return web.json_response({"error": error.message}, status=500)
        return web.json_response({"done": desk.done, "next": desk.next_open(at)})

    async def _view(self, item: Item) -> View:
        """The pictures of an item, read in a thread, one item at a time."""
        key = tuple(item.key)
        async with self._reading:
            if key not in self._views:
                self._views[key] = await asyncio.to_thread(view_of, item, self._task)  # type: ignore[index]
                while len(self._views) > HELD:
                    self._views.popitem(last=False)
            return self._views[key]  # type: ignore[index]


def _described(field: FormField) -> dict[str, Any]:
    """A field as the page draws it."""
    spec = field.spec
    return {
        "name": field.name,
        "control": field.control,
        "options": list(field.options),
        "definitions": dict(spec.definitions),
        "low": spec.low,
        "high": spec.high,
    }
