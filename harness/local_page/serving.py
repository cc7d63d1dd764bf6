"""Serving on 127.0.0.1 until something ends it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import web

from harness.core.errors import HarnessError
from harness.local_page.guard import HOST


async def serve(
    app: web.Application, port: int, *, ready: Callable[[int], None], ended: asyncio.Event
) -> None:
    """Serve until cancelled or `ended`; `ready` is told the port. Raises HarnessError for a port that is taken."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port, shutdown_timeout=1.0)
        try:
            await site.start()
        except (OSError, OverflowError) as error:
            said = error.strerror if isinstance(error, OSError) else "there is no such port"
            raise HarnessError(
                f"port {port} of {HOST} cannot be used: {said}",
                hint="choose another --port, or leave it out",
            ) from None
        ready(int(runner.addresses[0][1]))
        await ended.wait()
    finally:
        await runner.cleanup()


def until_interrupt(serving: Coroutine[Any, Any, None]) -> None:
    """Run it until its end or Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serving)


def open_browser(address: str) -> None:
    """Open a browser with a window, where there is one; one in the terminal would cover the address."""
    import webbrowser

    with contextlib.suppress(webbrowser.Error):
        browser = webbrowser.get()
        if type(browser) is not webbrowser.GenericBrowser:
            browser.open(address)
