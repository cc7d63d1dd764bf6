"""The baseline client: reads each picture, sends it with aiohttp and counts correct answers.

python -m harness.bench.baseline_client URL LABELS_CSV IN_FLIGHT
"""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

PROMPT = (
    "Look at the face in the image. Which one of these emotions does it show: anger, disgust, fear, "
    "happiness, sadness, surprise, neutral? Answer with one word."
)


def body(picture: bytes) -> bytes:
    """A chat request with one picture."""
    url = "data:image/jpeg;base64," + b64encode(picture).decode()
    content = [{"type": "text", "text": PROMPT}, {"type": "image_url", "image_url": {"url": url}}]
    message = {"role": "user", "content": content}
    return json.dumps(
        {"model": "stub", "temperature": 0, "max_tokens": 16, "messages": [message]}
    ).encode()


async def ask(url: str, labels: Path, in_flight: int) -> int:
    """Put every row of the table, so many at once; returns how many replies were right."""
    import aiohttp

    right = 0
    with labels.open(encoding="utf-8", newline="") as file:
        rows = iter(list(csv.DictReader(file)))
    headers = {"Content-Type": "application/json"}

    async def work(session: aiohttp.ClientSession, rows: Iterator[dict[str, str]]) -> None:
        nonlocal right
        for row in rows:
            picture = (labels.parent / row["image"]).read_bytes()
            async with session.post(url, data=body(picture), headers=headers) as response:
                response.raise_for_status()
                reply = json.loads(await response.read())
            right += reply["choices"][0]["message"]["content"].strip().lower() == row["emotion"]

    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(work(session, rows) for _ in range(in_flight)))
    return right


if __name__ == "__main__":
    print(
        asyncio.run(ask(f"{sys.argv[1]}/v1/chat/completions", Path(sys.argv[2]), int(sys.argv[3])))
    )
