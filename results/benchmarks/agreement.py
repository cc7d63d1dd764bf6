"""The same drawn-face requests through transformers, vLLM, and LangChain to that vLLM: do greedy replies agree?

python results/benchmarks/agreement.py [--vllm-python .venv-vllm] [--limit 50]

Starts a vLLM of its own, runs four grids of LIMIT requests by each, and writes agreement.md beside itself.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pyarrow import parquet

from harness.affect_tiny import weights_folder
from harness.models.vllm.installation import Installation, find_vllm
from harness.models.vllm.server import VllmServer

GRIDS = (
    ("faces/emotion", "emotion/plain"),
    ("faces/emotion", "emotion/defined"),
    ("faces/me-vqa", "vqa/plain"),
    ("faces/cues", "cues/report"),
)
"""Task and prompt: one picture and a word, definitions and a word, a clip of three pictures, a JSON report."""

ARGUMENTS = ("--dtype=float32", "--max-model-len=2048", "--enforce-eager", "--block-size=32",
             "--kv-cache-memory-bytes=134217728")  # fmt: skip
"""float32, as transformers computes on a processor."""


@dataclass(frozen=True)
class Said:
    """A model's reply to one request, and what was read from it."""

    text: str
    values: tuple[str, ...]


PAGE = Path(__file__).with_name("agreement.md")

Place = tuple[str, str, str]
"""Task, prompt, sample."""


def run(models: Mapping[str, str], limit: int, scratch: Path) -> dict[str, dict[Place, Said]]:
    """Name -> place -> reply, for every model on every grid."""
    found: dict[str, dict[Place, Said]] = {name: {} for name in models}
    for number, (task, prompt) in enumerate(GRIDS):
        out = scratch / str(number)
        named = [word for spec in models.values() for word in ("--model", spec)]
        command = [sys.executable, "-m", "harness.cli.main", "run", task, "--prompt", prompt, "--limit",
                   str(limit), "--no-report", "--json", "--out", str(out), *named]  # fmt: skip
        if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode:
            raise SystemExit(f"{task} did not run to its end")
        rows = parquet.read_table(out / "records.parquet").to_pylist()
        for name, spec in models.items():
            found[name] |= _read([row for row in rows if row["model"] == spec])
    return found


def _read(rows: Sequence[Mapping[str, str]]) -> dict[Place, Said]:
    """The replies of one model: a row a field, gathered."""
    values: dict[Place, list[str]] = {}
    texts: dict[Place, str] = {}
    for row in rows:
        place = (row["task"], row["prompt"], row["sample"])
        if row["outcome"] == "failed":
            raise SystemExit(f"{row['model']} gave no reply to {place}: {row['failure']}")
        values.setdefault(place, []).append(f"{row['field']}={row['value'] or row['outcome']}")
        texts[place] = row["text"]
    return {place: Said(texts[place], tuple(sorted(values[place]))) for place in texts}


def table(found: Mapping[str, Mapping[Place, Said]]) -> list[str]:
    """Markdown: a row a pair of models and a grid, then what differs."""
    names = list(found)
    lines = [
        "| pair | task, prompt | requests | same text | same answer |", "|---|---|---|---|---|",
    ]  # fmt: skip
    differing = []
    for one, other in ((names[0], names[1]), (names[1], names[2]), (names[0], names[2])):
        for task, prompt in (*GRIDS, ("all", "")):
            places = [p for p in found[one] if task == "all" or p[:2] == (task, prompt)]
            texts = sum(found[one][p].text == found[other][p].text for p in places)
            answers = sum(found[one][p].values == found[other][p].values for p in places)
            label = f"{task}, {prompt}" if prompt else "**all**"
            lines.append(
                f"| {one} / {other} | {label} | {len(places)} | {texts} ({texts / len(places):.3f}) "
                f"| {answers} ({answers / len(places):.3f}) |"
            )
        differing += [
            f"| {one} / {other} | {', '.join(place)} | {_cell(found[one][place])} | {_cell(found[other][place])} |"
            for place in found[one]
            if found[one][place].text != found[other][place].text
        ]
    lines += ["", "## What differs", ""]
    if not differing:
        return [*lines, "Nothing."]
    return [
        *lines,
        "| pair | request | the first said | the second said |",
        "|---|---|---|---|",
        *differing,
    ]


def _cell(said: Said) -> str:
    return "`" + " ".join(said.text.split()).replace("|", "/").replace("`", "'") + "`"


async def serve(server: VllmServer) -> None:
    """Start it, with a line that says how it stands where somebody looks."""

    def say(line: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{line[:100]}", end="", file=sys.stderr)

    await server.start(say=say)
    print(file=sys.stderr)


def write(found: Mapping[str, Mapping[Place, Said]], installation: Installation, out: Path) -> None:
    """The page."""
    facts = ", ".join(
        [
            f"transformers {version('transformers')} on torch {version('torch')}",
            f"vLLM {installation.version} beside transformers {installation.facts['transformers']}",
            f"langchain-openai {version('langchain-openai')}",
        ]
    )
    head = [
        "# The same requests through transformers, vLLM and LangChain",
        "",
        "affect-tiny in float32 on a processor, greedy, drawn faces. By `python results/benchmarks/agreement.py`; "
        f"{facts}. Two answers are the same if all fields are equal.",
        "",
    ]
    out.write_text("\n".join([*head, *table(found)]) + "\n")
    print(out.read_text())


def ask(url: str, limit: int) -> dict[str, dict[Place, Said]]:
    """Every model on every grid, with the vLLM at `url`."""
    models = {
        "transformers": "affect-tiny",
        "vLLM": f"openai:tiny@{url}",
        "LangChain": f"langchain:openai:tiny@{url}",
    }
    with tempfile.TemporaryDirectory() as scratch:
        return run(models, limit, Path(scratch))


def main() -> None:
    """Serve, ask, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vllm-python", default=".venv-vllm")
    parser.add_argument("--limit", type=int, default=50, help="requests of each of the four grids")
    parser.add_argument("--url", help="a vLLM that serves affect-tiny as `tiny` in float32 already")
    chosen = parser.parse_args()
    installation = find_vllm(chosen.vllm_python)
    if chosen.url:
        write(ask(chosen.url, chosen.limit), installation, PAGE)
        return
    server = VllmServer(
        lambda port: installation.command(
            weights_folder(), port=port, served="tiny", arguments=ARGUMENTS
        ),
        log_file=None,
    )
    try:
        asyncio.run(serve(server))
        found = ask(f"http://127.0.0.1:{server.port}", chosen.limit)
    finally:
        server.stop()
    write(found, installation, PAGE)


if __name__ == "__main__":
    main()
