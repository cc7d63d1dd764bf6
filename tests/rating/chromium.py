"""A real browser, driven by its own protocol: keys are pressed, what the page holds is asked."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.report.chromium import AXE

CHROMIUM = shutil.which("chromium")
LOOKS = (("light", 1280), ("light", 390), ("dark", 1280), ("dark", 390))
"""A desk and a phone, light and dark."""
_CODES = {"Enter": 13, "Backspace": 8, "ArrowLeft": 37, "ArrowRight": 39, "ArrowUp": 38}
_CODES |= {"ArrowDown": 40, " ": 32}


class Tab:
    """One page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._number = socket, 0
        self.errors: list[str] = []
        """What the page's console complained of."""

    async def call(self, method: str, **params: Any) -> Any:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            said = await asyncio.wait_for(self._socket.receive_json(), 120)
            if said.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.errors.append(json.dumps(said["params"])[:400])
            if said.get("id") == self._number:
                assert "error" not in said, said
                return said["result"]

    async def js(self, text: str) -> Any:
        found = await self.call(
            "Runtime.evaluate", expression=text, returnByValue=True, awaitPromise=True
        )
        return found["result"].get("value")

    async def until(self, text: str, seconds: float = 100) -> None:
        for _ in range(int(seconds * 20)):
            if await self.js(f"!!({text})"):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(
            f"never true: {text}; the page: {await self.js('document.body.innerText')}"
        )

    async def press(self, key: str) -> None:
        text = "\r" if key == "Enter" else key if len(key) == 1 else ""
        code = _CODES.get(key, ord(key.upper()[0]) if key.isalnum() else 0)
        more = {"text": text} if text else {}
        await self.call(
            "Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **more
        )
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    async def size(self, width: int, height: int, *, mobile: bool = False) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=2 if mobile else 1, mobile=mobile,
        )  # fmt: skip

    async def picture(self, path: Path) -> None:
        found = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(found["data"]))

    async def axe(
        self, *, unfold: bool = True, looks: Sequence[tuple[str, int]] = LOOKS
    ) -> list[str]:
        """What axe-core finds wrong with the page in each look (scheme, width); `unfold`: everything unfolded."""
        if unfold:
            await self.js(
                "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
            )
        await self.js(AXE.read_text(encoding="utf-8"))
        found = []
        for scheme, width in looks:
            media = [{"name": "prefers-color-scheme", "value": scheme}]
            await self.call("Emulation.setEmulatedMedia", features=media)
            await self.size(width, 900, mobile=width < 600)
            said = await self.js(
                "axe.run(document, { resultTypes: ['violations'] }).then((found) => found.violations.map((one) =>"
                " `${one.id}: ${one.nodes[0].html.slice(0, 200)} ${one.nodes[0].failureSummary}`))"
            )
            found += [f"{scheme} {width}: {one}" for one in said]
            if not await self.js("document.documentElement.scrollWidth <= innerWidth"):
                found.append(f"{scheme} {width}: wider than the screen")
        return found

    async def go(self, address: str) -> None:
        await self.call("Page.navigate", url=address)


@asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Tab]:
    """A tab of a browser that ends with the block."""
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port_file = profile / "DevToolsActivePort"
        while not (port_file.exists() and "\n" in port_file.read_text()):
            assert process.returncode is None, "the browser did not start"
            await asyncio.sleep(0.05)
        port = port_file.read_text().splitlines()[0]
        async with aiohttp.ClientSession() as session:
            pages: list[dict[str, Any]] = []
            while not pages:
                async with session.get(f"http://127.0.0.1:{port}/json") as reply:
                    pages = [one for one in await reply.json() if one["type"] == "page"]
            async with session.ws_connect(
                pages[0]["webSocketDebuggerUrl"], max_msg_size=0
            ) as socket:
                tab = Tab(socket)
                for domain in ("Page", "Runtime", "Log"):
                    await tab.call(f"{domain}.enable")
                yield tab
    finally:
        process.terminate()
        await process.wait()
