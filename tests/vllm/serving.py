"""What the tests of a real vLLM share: how it is made small, and how a run is watched from outside."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ARGUMENTS = (
    "--dtype=float32", "--max-model-len=2048", "--max-num-seqs=64", "--enforce-eager", "--block-size=32",
    "--kv-cache-memory-bytes=134217728", '--limit-mm-per-prompt={"image": 8}', "--enable-prefix-caching",
    '--structured-outputs-config={"backend": "xgrammar", "disable_any_whitespace": true}',
)  # fmt: skip
"""Float32, as transformers computes on a processor; a small cache; nothing compiled. A weak model would fill
JSON with blanks to the token limit."""

WITH_TOOLS = (
    *ARGUMENTS,
    "--enable-auto-tool-choice",
    "--tool-call-parser=hermes",
    "--trust-request-chat-template",
)
"""A server that reads calls of tools, and takes another chat template with a request. The checkpoint's own drops tools."""

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "VLLM_CPU_CI_ENV": "1",
    "TORCH_COMPILE_DISABLE": "1",
}


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    url: str
    model: str

    @property
    def spec(self) -> str:
        return f"openai:{self.model}@{self.url}"

    def metric(self, name: str) -> float:
        """The sum of a counter over its labels, by the server's own account."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as response:
            lines = response.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{"))


def harness(*arguments: str | Path, here: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command, to its end, in the folder `here`."""
    return subprocess.run(
        _command(arguments), capture_output=True, text=True, timeout=900, cwd=here
    )


def started(*arguments: str | Path) -> subprocess.Popen[str]:
    """The command, under way."""
    return subprocess.Popen(
        _command(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _command(arguments: tuple[str | Path, ...]) -> list[str]:
    return [sys.executable, "-m", "harness.cli.main", *map(str, arguments)]


def own(python: Path, *, arguments: tuple[str, ...] = ARGUMENTS) -> list[str]:
    """The options that name a vLLM of the run's own."""
    return ["--vllm-python", str(python), *(f"--vllm-arg={one}" for one in arguments)]


def lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a journal."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def wait_for(what: Callable[[], bool], *, seconds: float, process: subprocess.Popen[str]) -> None:
    """Look until it holds. Raises where it does not within `seconds`, or the process has ended."""
    deadline = time.monotonic() + seconds
    while not what():
        if process.poll() is not None:
            raise AssertionError(f"ended with {process.returncode}: {process.communicate()[1]}")
        if time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"not within {seconds} s: {process.communicate()[1]}")
        time.sleep(0.05)


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """All that a run has started, its server's own processes too."""
    return psutil.Process(process.pid).children(recursive=True)


def left_after(processes: list[psutil.Process], *, seconds: float) -> list[psutil.Process]:
    """Which of them still run after `seconds`."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


def scores(done: subprocess.CompletedProcess[str], metric: str) -> dict[tuple[str, str], float]:
    """(model, prompt) -> a metric of a run with --json."""
    assert done.returncode == 0, done.stderr
    return {
        (row["model"], row["prompt"]): row["value"]
        for row in json.loads(done.stdout)["scores"]
        if row["metric"] == metric and row["slice"] == "all"
    }
