"""What ARCHITECTURE.md says holds everywhere, held."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "harness").rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[ ]", r)[0].lower().replace("_", "-") for r in requirements}


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name.lower().replace("_", "-"): version for name, version in pairs}


def test_every_package_that_is_installed_is_pinned() -> None:
    extras = PROJECT["optional-dependencies"]
    wanted = names([*PROJECT["dependencies"], *extras["local"], *extras["dev"]])
    assert wanted <= set(pins())
    assert pins()["torch"] == "2.13.0"


def test_the_core_install_is_light() -> None:
    core = names(PROJECT["dependencies"])
    assert not core & {
        "torch",
        "transformers",
        "vllm",
        "accelerate",
        "langchain",
        "scipy",
        "scikit-learn",
    }
    assert {"datasets", "pyarrow", "jinja2", "pydantic"} <= core
    assert set(PROJECT["optional-dependencies"]) == {
        "local",
        "adapters",
        "vllm",
        "langchain",
        "mcp",
        "video",
        "workbooks",
        "figures",
        "heic",
        "marks",
        "onnx",
        "ray",
        "dlib",
        "survival",
        "sound",
        "dev",
    }


def functions() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def test_no_function_is_over_seventy_lines() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}"
        for path, node in functions()
        if (node.end_lineno or 0) - node.lineno >= 70
    ]
    assert long == []


def test_files_are_short() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert max(lengths.values()) <= 420, max(lengths, key=lambda path: lengths[path])
    over = [path for path, length in lengths.items() if length > 300]
    assert len(over) <= len(SOURCES) // 10, over


def test_every_module_says_what_it_is() -> None:
    silent = [p for p in SOURCES if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))]
    assert silent == []


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        (r"\bimport pickle|\bpickle\.", ()),
        (r"(?<![\w.])eval\(", ()),
        (r"\bexcept:", ()),
        (
            r"os\.environ|os\.getenv",
            # how long threads of a library wait; the endpoint's secret key; the GPUs and threads of other processes
            (
                "cli/main.py",
                "models/http/endpoint.py",
                "models/ray_replicas.py",
                "models/replica_host.py",
                "models/replica_process.py",
            ),
        ),
    ],
)
def test_what_is_not_done_here(pattern: str, allowed: tuple[str, ...]) -> None:
    found = [
        path.relative_to(ROOT / "harness").as_posix()
        for path in SOURCES
        if re.search(pattern, path.read_text(encoding="utf-8"))
    ]
    assert [name for name in found if name not in allowed] == []
