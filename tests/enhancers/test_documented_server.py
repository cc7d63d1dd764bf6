"""The server that the documentation shows."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from harness.enhancers.client import Client
from harness.enhancers.settings import EnhancerSettings
from harness.models.retry import Patience
from tests.documents import blocks
from tests.enhancers.test_client import picture, pixels, png


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.slow
async def test_it_enhances(tmp_path: Path) -> None:
    (block,) = [b for b in blocks("jobs/degraded.md") if b.title == "enhancer.py"]
    (tmp_path / "enhancer.py").write_text(block.text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "enhancer.py", str(port)], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    try:
        while not listens(port):
            assert process.poll() is None, "the server ended"
            time.sleep(0.05)
        settings = EnhancerSettings(url=f"http://127.0.0.1:{port}/enhance")
        found = await Client("sharpen", settings, patience=Patience(tries=1)).ask(png(picture()))
    finally:
        process.terminate()
        process.wait()
    assert found.version == "1.0"
    held = Image.open(io.BytesIO(png(picture()))).filter(ImageFilter.SHARPEN)
    assert (pixels(found.png) == np.asarray(held)).all()
