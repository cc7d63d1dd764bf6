"""Check the user's arguments for `vllm serve`, and find those that change replies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.core.errors import HarnessError
from harness.models.transformers.adapter import Adapter
from harness.models.transformers.files import digest

_OURS = {
    "--host": "the server only listens on this machine",
    "--port": "a free port is chosen at each start",
    "--uds": "the server is reached through a port",
    "--served-model-name": "the served model name is chosen at each start",
    "--model": "the model is named after vllm:",
    "--api-key": "the server only listens on this machine and needs no key",
    "--hf-token": "vLLM writes its arguments to its log; run `hf auth login` instead",
    "--trust-remote-code": "it is allowed by the model's name: --trust-remote-code MODEL",
    "--headless": "start such a server yourself and use openai:MODEL@URL",
    "--ssl-keyfile": "the server only listens on this machine",
    "--ssl-certfile": "the server only listens on this machine",
}
"""Arguments that are not a person's to set, and why."""

_WORK = frozenset(
    {
        "--tensor-parallel-size", "-tp", "--pipeline-parallel-size", "-pp", "--data-parallel-size", "-dp",
        "--data-parallel-size-local", "-dpl", "--data-parallel-backend", "-dpb", "--api-server-count", "-asc",
        "--gpu-memory-utilization", "--kv-cache-memory-bytes", "--swap-space", "--cpu-offload-gb",
        "--max-num-seqs", "--max-num-batched-tokens", "--block-size", "--enable-prefix-caching",
        "--no-enable-prefix-caching", "--enable-chunked-prefill", "--no-enable-chunked-prefill",
        "--mm-processor-cache-gb", "--enforce-eager", "--load-format", "--download-dir",
        "--max-parallel-loading-workers", "--distributed-executor-backend", "--disable-log-stats",
        "--disable-log-requests", "--enable-log-requests", "--uvicorn-log-level", "--disable-uvicorn-access-log",
    }
)  # fmt: skip
"""Arguments that say how the work is spread and kept, not what is computed; so a run that was begun on one GPU
goes on on two."""


def tidy_arguments(given: Sequence[str]) -> tuple[str, ...]:
    """The arguments one by one: `--name value` in one piece is taken apart.

    Raises HarnessError for one that is not a person's to set.
    """
    tidied: list[str] = []
    for piece in given:
        name, blank, value = piece.strip().partition(" ")
        if name.startswith("-") and blank and "=" not in name:
            tidied += [name, value.strip()]
        else:
            tidied.append(piece.strip())
    for name, _ in _pairs(tidied):
        if name in _OURS:
            raise HarnessError(
                f"--vllm-arg {name} is not allowed", hint=f"leave it out: {_OURS[name]}"
            )
    return tuple(tidied)


_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What `--max-lora-rank` takes (vLLM 0.10 to 0.33, `vllm/config/lora.py`; the smallest came later)."""


def lora_arguments(adapters: Mapping[str, Adapter]) -> tuple[str, ...]:
    """Arguments that serve adapters beside their checkpoint; `adapters`: name that it is asked for by -> adapter.

    Raises HarnessError for another kind than LoRA, and for a rank that no vLLM takes.
    """
    ranks = [_lora_rank(adapter) for adapter in adapters.values()]
    modules = (f"{name}={adapter.folder.resolve()}" for name, adapter in adapters.items())
    return ("--enable-lora", "--lora-modules", *modules, "--max-lora-rank", str(max(16, *ranks)))


def _lora_rank(adapter: Adapter) -> int:
    if adapter.kind != "LORA":
        raise HarnessError(
            f"the adapter {adapter.place} is of the kind {adapter.kind or 'unknown'}, and vLLM serves LoRA alone",
            hint="run it in place: transformers:PATH_OR_ID with --adapter",
        )
    rank = next((most for most in _RANKS if adapter.rank <= most), None)
    if rank is None:
        raise HarnessError(
            f"the adapter {adapter.place} has rank {adapter.rank}, and vLLM takes at most {_RANKS[-1]}",
            hint="run it in place: transformers:PATH_OR_ID with --adapter",
        )
    return rank


def telling_arguments(arguments: Sequence[str]) -> str:
    """Those of tidied arguments that may change replies, sorted; a file is named with a digest of its content."""
    telling = []
    for name, value in _pairs(arguments):
        if name not in _WORK:
            content = f"@{digest([Path(value)])[:16]}" if value and Path(value).is_file() else ""
            telling.append(name + (f"={value}{content}" if value else ""))
    return " ".join(sorted(telling))


def show_arguments(arguments: Sequence[str]) -> str:
    """Tidied arguments in one line, as `--name=value`."""
    return " ".join(name + (f"={value}" if value else "") for name, value in _pairs(arguments))


def _pairs(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(name, value or empty), names with hyphens as vLLM itself reads them."""
    name, values = "", list[str]()
    for piece in [*arguments, "--"]:
        begins = piece.startswith("-") and not piece[1:2].isdigit()
        if not begins:
            values.append(piece)
            continue
        if name or values:
            yield name, " ".join(values)
        name, mark, value = piece.partition("=")
        name = name.replace("_", "-") if name.startswith("--") else name
        values = [value] if mark else []
