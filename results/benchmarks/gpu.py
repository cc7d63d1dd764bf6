"""Sharing on a GPU: a random Qwen2.5-VL of the real 3B shape, in place and on vLLM, beside the floor of its arithmetic.

    python results/benchmarks/gpu.py --vllm-python PYTHON --out results/benchmarks/gpu.md
    python results/benchmarks/gpu.py --shape small --pictures 2   # tries the script on a CPU

1, 4 and 16 prompts of each picture of 256 tokens, replies of 8 tokens, sharing on and off. Random weights compute as fast
as learned ones, so nothing has to be fetched. The floor is the time of the counted operations at the device's rate plus that
of the bytes which have to be read at its bandwidth (the weights once for each step of decoding), for what was really
encoded and read; so time over floor says how much of the device is used, and the two floors how much sharing can save.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness.affect_tiny import weights_folder
from harness.bench.markdown import table
from harness.bench.pictures import drawn_face
from harness.bench.sweep_cases import Case
from harness.bench.sweep_worker import ask_blocks, ask_in_order, grid
from harness.core.message import Image
from harness.models.registry import OpenOptions, open_model
from harness.run.cache_counts import difference

PROMPTS, REPLY, TOKENS, IN_FLIGHT = (1, 4, 16), 8, 256, 64
PATCHES = 4 * TOKENS
WINDOW = 64
"""Patches of a window of the vision model: 112 pixels square."""


@dataclass(frozen=True)
class Shape:
    """Widths and depths, as Qwen2.5-VL's configuration names them."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    inner: int
    vocabulary: int
    vision_hidden: int
    vision_layers: int
    vision_heads: int
    vision_inner: int
    vision_whole: tuple[int, ...]
    """Layers that attend to the whole picture."""
    sections: tuple[int, int, int]
    """Of the rotary embedding; half the width of a head."""

    @property
    def kv(self) -> int:
        return self.hidden // self.heads * self.kv_heads

    @property
    def text_weights(self) -> int:
        """Of the text model's layers and its output."""
        layer = self.hidden * (2 * self.hidden + 2 * self.kv + 3 * self.inner)
        return self.layers * layer + self.hidden * self.vocabulary

    def encoding(self) -> float:
        """Operations of one picture in the vision model: two for each weight and patch, and attention."""
        d, whole = self.vision_hidden, len(self.vision_whole)
        weights = self.vision_layers * d * (4 * d + 3 * self.vision_inner)
        seen = whole * PATCHES + (self.vision_layers - whole) * WINDOW
        merger = TOKENS * (4 * d * 4 * d + 4 * d * self.hidden)
        return 2.0 * (PATCHES * weights + merger) + 4.0 * PATCHES * d * seen

    def reading(self, tokens: float, behind: float) -> float:
        """Operations of prompt tokens, each of which attends to `behind` others on average."""
        layer = self.hidden * (2 * self.hidden + 2 * self.kv + 3 * self.inner)
        return tokens * self.layers * (2.0 * layer + 4.0 * self.hidden * behind)

    def floor(self, done: Done, device: Device) -> float:
        """Seconds that the counted work takes at the device's rates."""
        length = done.prompt / done.requests
        operations = (
            done.encoded * self.encoding()
            + self.reading(done.read, length / 2)
            + self.reading(done.replies, length)
            + 2.0 * (done.requests + done.replies) * self.hidden * self.vocabulary
        )
        kept = 2 * self.layers * self.kv * length
        steps = done.replies / min(IN_FLIGHT, done.requests)
        size = device.bytes_each * (steps * self.text_weights + done.replies * kept)
        return operations / device.operations + size / device.bandwidth


SHAPES = {
    "3b": Shape(2048, 36, 16, 2, 11008, 151936, 1280, 32, 16, 3420, (7, 15, 23, 31), (16, 24, 24)),
    "small": Shape(256, 4, 4, 2, 512, 2048, 128, 4, 4, 256, (1, 3), (8, 12, 12)),
}


@dataclass(frozen=True)
class Device:
    name: str
    operations: float
    """A second, dense, in the number format of the weights."""
    bandwidth: float
    """Bytes a second."""
    bytes_each: int = 2


RATES = {
    "H200": (989e12, 4.8e12), "H100": (989e12, 3.35e12), "A100": (312e12, 2.039e12), "L40S": (362e12, 0.864e12),
    "A10G": (70e12, 0.6e12), "RTX 4090": (165e12, 1.008e12),
}  # fmt: skip
"""Dense bfloat16 operations and bytes a second, by the vendor's data sheets (SXM forms)."""


@dataclass(frozen=True)
class Done:
    """What one round did."""

    seconds: float
    requests: int
    encoded: int
    prompt: int
    read: int
    """Prompt tokens that were not shared."""
    replies: int
    """Tokens."""
    busy: float | None
    """Share of the time in which the device worked, as nvidia-smi tells."""


def checkpoint(shape: Shape, folder: Path, *, dtype: str) -> Path:
    """A random checkpoint with affect-tiny's tokenizer; weights are drawn in the number format that is asked."""
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    shutil.copytree(
        weights_folder(), folder, ignore=shutil.ignore_patterns("*.safetensors", "config.json")
    )
    told = json.loads((weights_folder() / "config.json").read_text(encoding="utf-8"))
    rope = {
        "rope_type": "default",
        "type": "mrope",
        "mrope_section": list(shape.sections),
        "rope_theta": 1e6,
    }
    told["text_config"] |= {
        "hidden_size": shape.hidden, "intermediate_size": shape.inner, "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers, "num_key_value_heads": shape.kv_heads, "vocab_size": shape.vocabulary,
        "layer_types": ["full_attention"] * shape.layers, "rope_parameters": rope, "tie_word_embeddings": True,
    }  # fmt: skip
    told["vision_config"] |= {
        "depth": shape.vision_layers, "hidden_size": shape.vision_hidden, "intermediate_size": shape.vision_inner,
        "num_heads": shape.vision_heads, "out_hidden_size": shape.hidden, "window_size": 112,
        "fullatt_block_indexes": list(shape.vision_whole),
    }  # fmt: skip
    told["tie_word_embeddings"] = True
    config = Qwen2_5_VLConfig(**{k: v for k, v in told.items() if k != "model_type"})
    torch.manual_seed(0)
    torch.set_default_dtype(getattr(torch, dtype))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.device(device):
        model = Qwen2_5_VLForConditionalGeneration(config)
    torch.set_default_dtype(torch.float32)
    model.save_pretrained(folder)
    del model
    file = folder / "preprocessor_config.json"
    pixels = json.loads(file.read_text(encoding="utf-8"))
    side = TOKENS * (pixels["patch_size"] * pixels["merge_size"]) ** 2
    pixels["size"] = {"shortest_edge": side, "longest_edge": side}
    file.write_text(json.dumps(pixels), encoding="utf-8")
    return folder


class Busy:
    """How much of the time the device works, asked of nvidia-smi five times a second; None where there is none."""

    def __init__(self) -> None:
        self._seen: list[float] = []
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Busy:
        tool = shutil.which("nvidia-smi")
        if tool is not None:
            asked = [
                tool,
                "--query-gpu=utilization.gpu",
                "--format=csv,noheader,nounits",
                "-lms",
                "200",
            ]
            self._process = subprocess.Popen(asked, stdout=subprocess.PIPE, text=True)
            threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        return self

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._seen += (float(line) / 100 for line in process.stdout if line.strip().isdigit())

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    @property
    def share(self) -> float | None:
        return fmean(self._seen) if self._seen else None


async def rounds(
    model: Any, *, prompts: int, pictures: int, count: int, first: int, served: bool
) -> list[Done]:
    """Ask so many prompts of new pictures, `count` times, after one round that warms up."""
    case = Case("", pictures, reply=REPLY, tokens=TOKENS)
    found = []
    for nth in range(count + 1):
        faces = [Image(f"{n}", drawn_face(first + nth * pictures + n)) for n in range(pictures)]
        requests = list(grid(case, faces, prompts=prompts))
        before = await model.cache_counts() if served else None
        start = time.perf_counter()
        with Busy() as busy:
            replies = await (
                ask_in_order(model, requests, in_flight=IN_FLIGHT) if served else ask_blocks(model, requests)
            )  # fmt: skip
        passed = time.perf_counter() - start
        failed = [reply.failure.detail for reply in replies if reply.failure is not None]
        assert not failed, failed[0]
        used = [reply.usage for reply in replies]
        prompt, encoded = sum(u.prompt_tokens for u in used), sum(u.encoded for u in used)
        shared = sum(u.shared_tokens for u in used)
        if before is not None:
            told = difference(before, await model.cache_counts(), requests=len(requests))
            shared = told["cached_tokens"] if told else 0
            encoded = (
                pictures if shared else len(requests)
            )  # a picture that is read again is encoded again
        if nth:
            made = sum(u.completion_tokens for u in used)
            found.append(
                Done(passed, len(requests), encoded, prompt, prompt - shared, made, busy.share)
            )
    return found


def ways(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Name of a way -> a model that is opened when it is asked."""
    found: dict[str, Any] = {
        f"in place, {name}": lambda share=share: open_model(
            f"transformers:{folder}", options=OpenOptions(share=share)
        )
        for name, share in (("unshared", False), ("shared", True))
    }
    if asked.vllm_python:
        usual = (*asked.vllm_arg, "--max-model-len=2048", f"--max-num-seqs={IN_FLIGHT}")
        for name, flag in (("no prefix cache", "--no-enable-prefix-caching"), ("prefix cache", "--enable-prefix-caching")):  # fmt: skip
            found[f"vLLM, {name}"] = lambda flag=flag: open_model(
                f"vllm:{folder}",
                options=OpenOptions(vllm_python=asked.vllm_python, vllm_args=(*usual, flag)),
            )
    return found


def device_of(asked: argparse.Namespace) -> Device | None:
    """The device with its rates; None for a CPU, or a device whose rates are not known."""
    import torch

    if not torch.cuda.is_available():
        return None
    name = torch.cuda.get_device_name(0)
    known = next((rates for part, rates in RATES.items() if part in name), None)
    if asked.operations and asked.bandwidth:
        known = (asked.operations, asked.bandwidth)
    return None if known is None else Device(name, *known)


def markdown(
    found: dict[tuple[str, int], list[Done]], shape: Shape, asked: argparse.Namespace
) -> str:
    """The page."""
    device = device_of(asked)
    rows = []
    for (way, prompts), done in found.items():
        seconds = median(one.seconds for one in done)
        one = done[0]
        floor = shape.floor(one, device) if device else None
        busy = [d.busy for d in done if d.busy is not None]
        rows.append(
            (
                way, str(prompts), f"{seconds:.2f}", f"{one.requests / seconds:.1f}", f"{one.encoded:,}",
                f"{one.read:,}", f"{one.prompt - one.read:,}", f"{fmean(busy):.0%}" if busy else "",
                f"{floor:.3f}" if floor else "", f"{seconds / floor:.1f}" if floor else "",
            )
        )  # fmt: skip
    where = (
        device.name
        if device
        else f"the processor of {platform.machine()}, {os.cpu_count()} cores; no GPU was at hand"
    )
    rates = (
        f" The floor takes {device.operations / 1e12:,.0f} TFLOPS and {device.bandwidth / 1e12:.2f} TB/s, by the data sheet."
        if device
        else " Without a device whose rates are known there is no floor."
    )
    parts = [
        "# Sharing on a GPU",
        f"`python results/benchmarks/gpu.py --shape {asked.shape} --pictures {asked.pictures} --rounds {asked.rounds}` on {where}. "
        f"A random Qwen2.5-VL ({shape.layers} layers of {shape.hidden}; vision {shape.vision_layers} of {shape.vision_hidden}), "
        f"{asked.pictures} pictures of {TOKENS} tokens, replies of {REPLY} tokens; medians of {asked.rounds} rounds with new "
        f"pictures each.{rates} On vLLM the encoded pictures are inferred from the prefix cache: one that is found is not "
        "encoded again.",
        table(
            ("way", "prompts a picture", "seconds", "requests/s", "pictures encoded", "prompt tokens read",
             "prompt tokens shared", "device busy", "floor, s", "seconds over floor"),
            rows,
        ),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="3b")
    parser.add_argument("--pictures", type=int, default=32)
    parser.add_argument("--prompts", type=int, nargs="+", default=list(PROMPTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--vllm-python")
    parser.add_argument("--vllm-arg", action="append", default=[])
    parser.add_argument("--operations", type=float, help="a second, of a device that is not known")
    parser.add_argument("--bandwidth", type=float, help="bytes a second, likewise")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(arguments)
    shape = SHAPES[asked.shape]
    found: dict[tuple[str, int], list[Done]] = {}
    with tempfile.TemporaryDirectory(prefix="harness-gpu-") as place:
        folder = checkpoint(shape, Path(place) / "random", dtype=asked.dtype)
        first = 0
        for way, opening in ways(folder, asked).items():
            model = opening()

            async def each(model: Any = model, way: str = way, first: int = first) -> None:
                try:
                    for prompts in asked.prompts:
                        print(way, prompts, file=sys.stderr, flush=True)
                        found[way, prompts] = await rounds(
                            model, prompts=prompts, pictures=asked.pictures, count=asked.rounds, first=first,
                            served=way.startswith("vLLM"),
                        )  # fmt: skip
                        first += (asked.rounds + 1) * asked.pictures
                finally:
                    await model.close()

            asyncio.run(each())
            first += len(asked.prompts) * (asked.rounds + 1) * asked.pictures
    page = markdown(found, shape, asked)
    print(page)
    if asked.out:
        asked.out.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
