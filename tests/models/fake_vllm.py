"""An environment with something in it that looks like vLLM and serves the stub: starts in a moment.

    python = make_fake(tmp_path / "env")
    open_model("vllm:affect-tiny", options=OpenOptions(vllm_python=str(python)))

What it should do wrong is said by `--vllm-arg=--fake=...`: `die` (ends with an error), `rooted` (ends with an error
that stands before others), `late` (never
answers), `hears` (replies follow sounds in `input_audio` parts), `stubborn` (ignores SIGTERM), `family` (starts a child in a session of its own, which ignores
SIGTERM). `--latency=S` is how long a reply takes, `--answers=N` how many chat requests are answered. Each process writes
its id to `pids` in the environment's folder.
"""

from __future__ import annotations

import asyncio
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from tests.models.sounds import hearing
from tests.models.stub import Stub, serve

ROOT = Path(__file__).parent.parent.parent


def make_fake(folder: Path, *, version: str = "0.32.0", old: bool = False) -> Path:
    """The interpreter of a new environment; `old` has no command line of its own."""
    site = folder / "site"
    inner = site / "vllm" / "entrypoints"
    module = inner / ("openai/api_server.py" if old else "cli/main.py")
    module.parent.mkdir(parents=True)
    (site / "vllm" / "__init__.py").write_text(f"open({str(folder / 'imported')!r}, 'w').close()\n")
    module.write_text(
        f"from pathlib import Path\nfrom tests.models.fake_vllm import main\n"
        f"main(Path({str(folder)!r}), version={version!r})\n"
    )
    about = site / f"vllm-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
    python = folder / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT}:{site} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return python


def starts(python: Path) -> list[list[str]]:
    """The arguments of each start so far."""
    log = python.parent.parent / "starts"
    return [line.split("\t") for line in log.read_text().splitlines()] if log.exists() else []


def running(python: Path) -> list[int]:
    """Ids of the processes of all starts that still run."""
    log = python.parent.parent / "pids"
    return [pid for pid in map(int, log.read_text().split()) if _runs(pid)] if log.exists() else []


def asked(python: Path) -> int:
    """Chat requests that the last start has received."""
    log = python.parent.parent / "asked"
    told = log.read_text().split() if log.exists() else []
    return int(told[-1]) if told else 0


def wait_until_gone(python: Path, *, seconds: float = 60) -> None:
    """Wait until nothing runs. Raises where something is left after `seconds`."""
    begun = time.monotonic()
    while left := running(python):
        if time.monotonic() - begun > seconds:
            raise AssertionError(f"still running after {seconds} s: {left}")
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def main(folder: Path, *, version: str) -> None:
    """What the fake does when it is started."""
    arguments = sys.argv[1:]
    with (folder / "pids").open("a") as file:
        file.write(f"{os.getpid()}\n")
    with (folder / "starts").open("a") as file:
        file.write("\t".join(arguments) + "\n")
    fault = next((a.partition("=")[2] for a in arguments if a.startswith("--fake=")), "")
    print("INFO 11-24 08:48:15 [model.py:733] Resolved architecture: Fake\x1b[31m", flush=True)
    print(
        "INFO 11-24 08:48:16 Chunked prefill is enabled with max_num_batched_tokens=2048.",
        flush=True,
    )
    if fault == "die":
        print("ValueError: no kernel for this head size", file=sys.stderr)
        sys.exit(3)
    if fault == "rooted":
        print((ROOT / "tests" / "models" / "vllm_logs" / "memory.txt").read_text(), flush=True)
        sys.exit(1)
    if fault in ("stubborn", "family"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN if fault == "stubborn" else signal.SIG_DFL)
        script = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(300)"
        child = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
        with (folder / "pids").open("a") as file:
            file.write(f"{child.pid}\n")
    if fault == "late":
        time.sleep(300)
    asyncio.run(_serve(folder, arguments, version, hears=fault == "hears"))


async def _serve(folder: Path, arguments: list[str], version: str, *, hears: bool) -> None:
    def value(name: str) -> str:
        return arguments[arguments.index(name) + 1]

    def number(name: str, usual: float) -> float:
        return next((float(a.partition("=")[2]) for a in arguments if a.startswith(name)), usual)

    def choose(body: dict[str, Any]) -> str:
        with (folder / "asked").open("a") as file:
            file.write(f"{stub.count}\n")
        return "hang" if stub.count > answers else "ok"

    latency, answers = number("--latency=", 0), number("--answers=", math.inf)
    served = value("--served-model-name")
    if (
        "--enable-lora" in arguments
    ):  # only the adapter is there to be asked, so that nothing else passes
        served = value("--lora-modules").partition("=")[0]
    more: dict[str, Any] = hearing() if hears else {"choose": choose}
    stub = Stub(model=served, version=version, latency=latency, **more)
    await serve(stub, port=int(value("--port")))
    await asyncio.Event().wait()
