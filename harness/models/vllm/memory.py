"""Estimate whether a checkpoint fits into memory: its weights, and the cache of each conversation."""

from __future__ import annotations

import json
import math
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
_RESERVE, _EAGER_RESERVE = 2 * 2**30, 2**30
"""Bytes for activations, the picture encoder's work and CUDA graphs, on each GPU; without graphs (`--enforce-eager`)
half of it. Rules of thumb, not measured."""
_SHARE = 0.9
"""Share of a GPU's memory that vLLM takes unless told otherwise (`--gpu-memory-utilization`)."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a checkpoint takes."""

    weights: int | None
    """Bytes; None where neither index nor files tell."""
    per_token: int | None
    """Bytes of the KV cache for one token; None where config.json does not tell."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model would run."""

    name: str
    bytes: int
    """Memory of one device."""


def need_of(folder: Path, config: Mapping[str, Any]) -> Need:
    """What the checkpoint of a folder takes.

    The KV cache holds a key and a value for each layer and each of its key-value heads: 2 x layers x heads x
    dimension of a head x bytes of a number. Layers that attend to a window or not at all are counted as if they held
    everything, so it is a bound from above.
    """
    return Need(_weights(folder), _per_token(config))


def gpus() -> list[Place]:
    """The GPUs of this machine as nvidia-smi names them; none where it is not there."""
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"],  # noqa: S607
            capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
        rows = [line.rsplit(",", 1) for line in done.stdout.splitlines() if "," in line]
        return [Place(name.strip(), int(size) * 2**20) for name, size in rows]
    except (OSError, ValueError, subprocess.SubprocessError):
        return []


def devices_of(arguments: Sequence[str]) -> int:
    """On how many devices a model is spread by a person's own arguments."""
    told = _value(arguments, "--tensor-parallel-size") or _value(arguments, "-tp")
    return int(told) if told.isdigit() and int(told) > 0 else 1


def usable(place: Place, arguments: Sequence[str]) -> int:
    """Bytes that vLLM takes of one device for weights and conversations, what it works in not counted."""
    return taken(place, arguments) - reserve(arguments)


def taken(place: Place, arguments: Sequence[str]) -> int:
    """Bytes that vLLM takes of one device in all."""
    told = _value(arguments, "--gpu-memory-utilization")
    return int(
        place.bytes * (float(told) if re.fullmatch(r"[01]?(\.\d+)?", told) and told else _SHARE)
    )


def reserve(arguments: Sequence[str]) -> int:
    """Bytes that it works in."""
    return _EAGER_RESERVE if "--enforce-eager" in arguments else _RESERVE


def fitting(need: Need, *, usable: int, tokens: int) -> int | None:
    """How many conversations of so many tokens fit at a time into the usable bytes of all devices; None where it is
    not known, 0 where not even one does."""
    if need.weights is None or need.per_token is None:
        return None
    return max(0, usable - need.weights) // (need.per_token * tokens)


def devices_for(need: Need, *, usable: int, tokens: int) -> int:
    """The power of two of devices, of so many usable bytes each, that hold the weights and four conversations: heads
    are divided among devices evenly."""
    whole = (need.weights or 0) + 4 * (need.per_token or 0) * tokens
    return int(2 ** math.ceil(math.log2(max(1.0, whole / max(1, usable)))))


def shown(size: int) -> str:
    """Bytes in GiB."""
    return f"{size / 2**30:.1f} GiB"


def _value(arguments: Sequence[str], name: str) -> str:
    for at, one in enumerate(arguments):
        key, mark, value = one.partition("=")
        if key == name:
            return value if mark else next(iter(arguments[at + 1 : at + 2]), "")
    return ""


def _weights(folder: Path) -> int | None:
    try:
        index = json.loads((folder / "model.safetensors.index.json").read_text(encoding="utf-8"))
        total = int(index["metadata"]["total_size"])
        if total > 0:
            return total
    except (OSError, ValueError, LookupError, TypeError):
        pass
    return sum(path.stat().st_size for path in folder.glob("*.safetensors")) or None


def _per_token(config: Mapping[str, Any]) -> int | None:
    text = config.get("text_config") or config.get("llm_config") or config
    try:
        layers, heads = int(text["num_hidden_layers"]), int(text["num_attention_heads"])
        pairs = int(text.get("num_key_value_heads") or heads)
        width = int(text.get("head_dim") or int(text["hidden_size"]) // heads)
    except (LookupError, TypeError, ValueError, ZeroDivisionError):
        return None
    kind = str(text.get("dtype") or text.get("torch_dtype") or config.get("torch_dtype") or "")
    return 2 * layers * pairs * width * _BYTES.get(kind, 2)
