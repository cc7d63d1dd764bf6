"""Packages that extend this one, made visible to a process without an installer.

`example` is the package in `tests/example_package`; `write_package` makes up another one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parent / "example_package"


def write_package(
    place: Path,
    name: str,
    *,
    entry_points: Mapping[str, Mapping[str, str]],
    files: Mapping[str, str] | None = None,
    version: str = "0.1",
) -> None:
    """What an installer would leave in the folder `place`: metadata with entry points (group -> name -> value), and
    files by their path."""
    info = place / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = []
    for group, points in entry_points.items():
        lines += [f"[{group}]", *(f"{point} = {value}" for point, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join([*lines, ""]))
    for path, text in (files or {}).items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text)


def install_example(place: Path, source: Path = EXAMPLE) -> None:
    """The example package, or another project of modules and entry points, installed into the folder `place`."""
    project: dict[str, Any] = tomllib.loads((source / "pyproject.toml").read_text())["project"]
    write_package(
        place, project["name"], entry_points=project["entry-points"], version=project["version"]
    )
    for one in source.iterdir():
        if one.is_dir():
            skip = shutil.ignore_patterns("__pycache__")
            shutil.copytree(one, place / one.name, ignore=skip)
        elif one.suffix == ".py":
            shutil.copy(one, place / one.name)


@dataclass(frozen=True)
class Installed:
    """A folder of installed packages, and the command with these in reach."""

    packages: Path
    work: Path
    """Where the command works."""

    def harness(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """`harness ARGUMENTS` in a process of its own."""
        return self.python("-m", "harness.cli.main", *arguments, cwd=cwd)

    def python(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """`python ARGUMENTS` in a process of its own."""
        known = os.environ.get("PYTHONPATH")
        path = os.pathsep.join([str(self.packages), *([known] if known else [])])
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd or self.work, env={**os.environ, "PYTHONPATH": path},
            capture_output=True, text=True, timeout=240,
        )  # fmt: skip


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    """No package yet: `write_package(installed.packages, ...)` adds one."""
    packages = tmp_path / "site-packages"
    packages.mkdir()
    return Installed(packages, tmp_path)


@pytest.fixture
def example(installed: Installed) -> Installed:
    """The example package in reach of commands that run in a process of their own."""
    install_example(installed.packages)
    return installed


@pytest.fixture
def example_here(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installed]:
    """The example package in reach of this process too, until the test ends."""
    install_example(installed.packages)
    monkeypatch.syspath_prepend(str(installed.packages))
    yield installed
    for name in [name for name in sys.modules if name.partition(".")[0] == "affect_example"]:
        del sys.modules[name]
