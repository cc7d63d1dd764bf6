"""Required content of a manifest, so that truncated or edited ones are reported before use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.core.errors import HarnessError

_HINT = "it was truncated or edited: restore a copy, or run the same command again, which writes it again"


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _TaskConfig(_Part):
    fields: dict[str, dict[str, Any]]
    source: dict[str, Any]
    cluster: str
    prompts: list[Any]


class _Task(_Part):
    config: _TaskConfig
    digest: str
    data_digest: str
    samples: int
    clusters: int
    cluster_unit: str
    skipped: list[dict[str, Any]]


class _Prompt(_Part):
    digest: str
    head: dict[str, Any]
    source: str


class _ModelEntry(_Part):
    identity: str
    details: dict[str, Any]


class _CellEntry(_Part):
    id: str
    task: str
    model: str
    prompt: str
    condition: str
    protocol: str = ""
    channel: str = ""
    trials: int = 0
    sampling: dict[str, Any] = {}


class _Manifest(_Part):
    started: str
    command: list[str]
    packages: dict[str, Any]
    hardware: dict[str, Any]
    parser: str | int
    git: dict[str, Any] | None
    seeds: dict[str, int]
    tasks: dict[str, _Task]
    prompts: dict[str, _Prompt]
    models: dict[str, _ModelEntry]
    cells: list[_CellEntry]


def check_shape(manifest: Any, path: Path) -> None:
    """Raise HarnessError, naming the key, for a manifest that lacks what scoring and pages read."""
    try:
        found = _Manifest.model_validate(manifest)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, fault["loc"])) or "manifest"
        raise HarnessError(f"{path}: {key}: {fault['msg']}", hint=_HINT) from None
    for cell in found.cells:
        for kind, name, known in (
            ("task", cell.task, found.tasks),
            ("prompt", cell.prompt, found.prompts),
        ):
            if name not in known:
                raise HarnessError(
                    f"{path}: cell {cell.id} names the {kind} {name!r}, which the manifest does not hold",
                    hint=_HINT,
                )
