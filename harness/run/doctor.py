"""Check an installation, with a hint for each problem."""

from __future__ import annotations

import importlib
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from harness.affect_tiny import weights_folder
from harness.conditions.registry import CONDITIONS
from harness.core.errors import HarnessError, missing_extra
from harness.core.kind import KINDS
from harness.core.registry import Listed, brought
from harness.models import BASELINES, MODELS, open_model
from harness.models.registry import refuse_unknown_model
from harness.models.transformers.hub import fetch_settings
from harness.models.transformers.loading import check_folder
from harness.models.vllm.arguments import tidy_arguments
from harness.models.vllm.fit import architecture_of, findings, settings_of
from harness.models.vllm.installation import find_vllm
from harness.models.vllm.memory import gpus
from harness.prompting.library import Library
from harness.protocols.registry import PROTOCOLS
from harness.run.components import COMPONENTS
from harness.run.provenance import git_state, hardware, package_versions
from harness.run.task_files import load_task, task_names
from harness.run.workspace import Workspace
from harness.sources import SOURCES

EXTRAS = {
    "local": ("torch", "transformers", "accelerate"),
    "adapters": ("peft",),
    "langchain": ("langchain", "langchain_openai", "langgraph"),
    "mcp": ("mcp",),
    "video": ("cv2",),
    "workbooks": ("openpyxl",),
    "figures": ("matplotlib",),
    "marks": ("ai_edge_litert",),
    "onnx": ("onnxruntime",),
    "survival": ("statsmodels",),
    "sound": ("av",),
}
"""Extra -> the packages that it brings, by the names they are imported under."""

LEAST_FREE = 2 * 2**30
"""Bytes on disk under which a run is likely to fill it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `harness doctor`."""

    mark: Literal["ok", "no", "BAD"]
    """`no` is an absent extra; `BAD` is a fault that everybody meets."""
    what: str
    hint: str = ""


def check_installation(
    place: Workspace, here: Path, *, vllm_python: str | None = None
) -> list[Check]:
    """All checks, in the order in which a newcomer meets the faults."""
    return [
        *_machine(here), *_extras(), check_vllm(vllm_python), *_components(), *_files(place),
        *check_enhancers(place), *_packages(),
    ]  # fmt: skip


def _machine(here: Path) -> Iterator[Check]:
    facts = hardware()
    yield Check("ok", f"Python {sys.version.split()[0]}, {facts['processor'] or facts['machine']}, "
                f"{facts['cores']} cores, {facts['memory_gib']} GiB")  # fmt: skip
    versions = package_versions()
    yield Check("ok", ", ".join(f"{name} {version}" for name, version in versions.items()))
    free = shutil.disk_usage(here).free
    yield Check(
        "ok" if free > LEAST_FREE else "BAD",
        f"{free / 2**30:.1f} GiB free in the folder for runs",
        ""
        if free > LEAST_FREE
        else "free some space, or write runs to another disk with --out DIR",
    )
    state = git_state(Path(__file__).parent)
    if state:
        yield Check(
            "ok", f"checkout at {state['commit'][:12]}{' with changes' if state['dirty'] else ''}"
        )


def _extras() -> Iterator[Check]:
    for extra, packages in EXTRAS.items():
        for package in packages:
            yield _attempt(
                lambda name=package: importlib.import_module(name),  # type: ignore[misc]
                f"{package} (extra {extra})",
                missing_extra(package, extra).hint,
            )
    yield _torch_device()


def _components() -> Iterator[Check]:
    """Networks of others that a run may use: what they are for, whose they are, and what their licence forbids."""
    for one in COMPONENTS:
        version = one.version()
        if version is None:
            yield Check("no", one.said("not installed"), missing_extra(one.name, one.extra).hint)
        else:
            yield Check("ok", one.said(version))


def check_vllm(python: str | None) -> Check:
    """Whether `vllm:MODEL` can be run. It is looked up, never imported: it may be of another Python."""
    try:
        found = find_vllm(python)
    except HarnessError as error:
        return Check("no", f"vllm:MODEL is not available: {error.message}", error.hint)
    return Check("ok", f"vLLM {found.version} is available from {found.python} (vllm:MODEL)")


def check_model(
    spec: str, *, vllm_python: str | None = None, vllm_args: Sequence[str] = ()
) -> Iterator[Check]:
    """Whether one model can be run here: `vllm:PATH_OR_ID` or `transformers:PATH_OR_ID`, or one whose files are on this
    machine. Of a checkpoint on the hub the settings alone are fetched. Raises HarnessError for an unknown model, for one
    of another kind, and where there is no such checkpoint."""
    kind, _, argument = spec.partition(":")
    if spec in BASELINES:
        yield Check("ok", f"{spec}: a baseline, which needs no model and stands in every table")
        return
    refuse_unknown_model(spec)
    if kind in ("affect-tiny", "specialist") or spec.partition("+")[0] == "clip:tiny":
        yield _opened(spec)
        return
    if kind not in ("vllm", "transformers") or not argument:
        raise HarnessError(
            f"--model {spec} cannot be checked before a run",
            hint="what can be checked: vllm:PATH_OR_ID, transformers:PATH_OR_ID, affect-tiny, clip:tiny and specialist:...; to test a server, use harness run ... --limit 4",
        )
    folder = Path(argument).expanduser()
    if argument == "affect-tiny":
        folder = weights_folder()
    elif not folder.is_dir():
        folder = fetch_settings(argument)
    if kind == "transformers":
        try:
            check_folder(folder, trusted=False)
        except HarnessError as error:
            yield Check("BAD", f"{spec}: {error.message}", error.hint)
        else:
            yield Check("ok", f"{spec}: transformers takes {architecture_of(settings_of(folder))}")
        return
    try:
        installation = find_vllm(vllm_python)
    except HarnessError as error:
        installation = None
        yield Check("BAD", f"{spec}: {error.message}", error.hint)
    memory = int(hardware()["memory_gib"] * 2**30)
    for one in findings(
        spec,
        folder,
        installation,
        places=gpus(),
        memory=memory,
        arguments=tidy_arguments(vllm_args),
    ):
        yield Check("ok" if one.good else "BAD", f"{spec}: {one.said}", one.hint)


def _opened(spec: str) -> Check:
    """Whether the files of a model on this machine are there and fit; it is asked nothing."""
    try:
        open_model(spec)
    except HarnessError as error:
        return Check("BAD", f"{spec}: {error.message}", error.hint)
    return Check("ok", f"{spec}: its files are there and can be read; it was asked nothing")


def _attempt(action: Callable[[], object], what: str, hint: str) -> Check:
    try:
        action()
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError)
        return Check(
            "no", f"{what} is not installed" if absent else f"{what} is broken: {error}", hint
        )
    except (OSError, RuntimeError, AttributeError) as error:  # a build for other hardware
        return Check("no", f"{what} is broken: {error}", hint)
    return Check("ok", what)


def _torch_device() -> Check:
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError):
        return Check("no", "transformers: models need torch")
    if torch.cuda.is_available():
        return Check("ok", f"GPU: {torch.cuda.get_device_name(0)}")
    return Check("ok", "no GPU: transformers: models run on the CPU")


def _files(place: Workspace) -> Iterator[Check]:
    library = Library(place.prompts)
    faults = []
    for name in library.names():
        try:
            library.prompt(name)
        except HarnessError as error:
            faults.append(error)
    for name in task_names(place.tasks):
        try:
            load_task(name, place, references=False)
        except HarnessError as error:
            faults.append(error)
    yield Check(
        "ok", f"{len(library.names())} prompts and {len(task_names(place.tasks))} tasks found"
    )
    for fault in faults:
        yield Check("BAD", fault.message, fault.hint)
    for broken in dict.fromkeys((*place.tasks.broken, *place.prompts.broken)):
        yield _broken(broken)


def check_enhancers(place: Workspace) -> Iterator[Check]:
    """The endpoints of harness.toml that enhance pictures: whether something listens there. No picture is sent."""
    for name, settings in place.enhancers.items():
        told = f"enhance:{name}: {settings.url}"
        if not settings.loopback:
            yield Check(
                "ok",
                f"{told} is another machine; not tried",
                f"allow it with --allow-remote {settings.host}",
            )
            continue
        parts = urlsplit(settings.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            socket.create_connection((settings.host, port), timeout=2).close()
        except OSError as error:
            yield Check(
                "no",
                f"{told} does not answer: {error.strerror or error}",
                "start its server before a run",
            )
        else:
            yield Check("ok", f"{told} is listening; no picture was sent")


def _packages() -> Iterator[Check]:
    """What other packages bring; nothing where there are none."""
    for registry in (CONDITIONS, KINDS, MODELS, PROTOCOLS, SOURCES):
        outside = {entry.name for entry in brought(registry.group)}
        for one in registry.listed(without={*registry.builtin} - outside):
            if one.broken:
                yield _broken(one)
            else:
                yield Check("ok", f"{registry.kind} {one.name} of package {one.package}")


def _broken(one: Listed) -> Check:
    return Check("BAD", one.line.removeprefix("broken: "), f"fix or uninstall {one.package}")
