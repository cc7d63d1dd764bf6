"""Ask the page of `harness view` for one run as a browser does: `python -m harness.bench.view_worker RUN`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any


async def look(run: Path) -> None:
    """The run, the first and last samples of its first task and field, a search, and the progress."""
    import aiohttp

    from harness.view.server import ViewServer

    server = ViewServer(run.parent)
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    work = asyncio.create_task(server.serve(0, ready=port.set_result))
    address = f"http://127.0.0.1:{await port}/{server.token}/"
    try:
        async with aiohttp.ClientSession() as session:

            async def ask(path: str, **query: str) -> Any:
                async with session.get(address + path, params=query) as reply:
                    reply.raise_for_status()
                    return await reply.json()

            name = (await ask("runs"))["runs"][0]["id"]
            page = await ask(f"runs/{name}")
            at = {"task": next(iter(page["samples"])), "field": "emotion"}
            place = f"runs/{name}/samples"
            total = (await ask(place, **at))["total"]
            await ask(place, **at, start=str(max(0, total - 20)))
            await ask(place, **at, words="happiness")
            await ask(f"runs/{name}/progress")
    finally:
        work.cancel()


if __name__ == "__main__":
    asyncio.run(look(Path(sys.argv[1])))
