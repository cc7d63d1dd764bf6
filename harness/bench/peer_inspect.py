"""inspect-ai over a table of pictures, in its own environment: URL MODEL TABLE IN_FLIGHT LOG_FOLDER."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

PROMPT = (
    "Look at the face in the image. Which one of these emotions does it show: anger, disgust, fear, "
    "happiness, sadness, surprise, neutral? Answer with one word."
)


def main() -> None:
    """Ask and score every row with the tool's own means, at its cheapest settings."""
    import inspect_ai
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessageUser, ContentImage, ContentText, get_model
    from inspect_ai.scorer import match

    url, name, table, in_flight, logs = sys.argv[1:]
    with Path(table).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    samples = [
        Sample(
            input=[
                ChatMessageUser(
                    content=[
                        ContentText(text=PROMPT),
                        ContentImage(image=str(Path(table).parent / row["image"])),
                    ]
                )
            ],
            target=row["emotion"],
            id=row["image"],
        )
        for row in rows
    ]
    model = get_model(f"openai-api/stub/{name}", base_url=url, api_key="stub")
    done = inspect_ai.eval(
        inspect_ai.Task(dataset=MemoryDataset(samples), scorer=match("exact", ignore_case=True)),
        model=model,
        max_connections=int(in_flight),
        max_samples=int(in_flight),
        log_dir=logs,
        log_images=False,
        display="none",
        max_tokens=16,
        temperature=0,
    )
    sys.exit(0 if done[0].status == "success" else 1)


if __name__ == "__main__":
    main()
