"""Provenance of a run: code, packages, machine, without secrets."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from harness.version import __version__

PACKAGES = (
    "accelerate", "aiohttp", "datasets", "jinja2", "langchain", "numpy", "opencv-python-headless",
    "pillow", "pyarrow", "pydantic", "tokenizers", "torch", "torchvision", "transformers", "vllm",
)  # fmt: skip

_SECRETS = (
    re.compile(r"(?i)(?<=bearer )\S+"),
    re.compile(r"(?i)\b(?:sk|hf|pk|ghp|xox[bp])[-_][A-Za-z0-9_\-]{8,}"),
    re.compile(r"(?i)(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),
    re.compile(
        r"(?i)((?<![a-z])(?:\w*[-_])?(?:api[-_]?key|token|secret|password|authorization)"
        r"[\"']?\s*[=:]\s*[\"']?)[^\s\"',}&]+"
    ),
)


def redact(text: str) -> str:
    """`text` with anything that looks like a key, token or password written as `***`."""
    for pattern in _SECRETS[:-1]:
        text = pattern.sub("***", text)
    return _SECRETS[-1].sub(r"\1***", text)


def redacted(value: Any) -> Any:
    """`value` with every string in it redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: redacted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(item) for item in value]
    return value


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit and dirty flag of the checkout that holds `folder`; None outside one."""
    try:
        told = _git(
            folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no"
        ).splitlines()
    except (OSError, subprocess.SubprocessError):
        return None
    commit = next((line.split()[-1] for line in told if line.startswith("# branch.oid ")), "")
    if not re.fullmatch(r"[0-9a-f]{40,}", commit):
        return None  # nothing is committed yet
    return {"commit": commit, "dirty": any(not line.startswith("#") for line in told)}


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(  # noqa: S603 (fixed words and a folder, no shell)
        ["git", "-C", str(folder), *arguments],  # noqa: S607
        check=True, capture_output=True, text=True, timeout=10,
    ).stdout.strip()  # fmt: skip


def package_versions() -> dict[str, str]:
    """Installed versions of what can move a score, read without importing any of it."""
    versions = {"affect-harness": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = _version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _version(name: str) -> str:
    """From the head of a package's metadata: `metadata.version` reads its whole description as well, ten times as long."""
    found = metadata.distribution(name)
    head = (found.read_text("METADATA") or "").partition("\n\n")[0]
    told = re.search(r"^Version: *(\S+)", head, re.MULTILINE)
    return told[1] if told else found.version


def hardware() -> dict[str, Any]:
    """Processor, cores and memory of this machine."""
    return {
        "system": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()
