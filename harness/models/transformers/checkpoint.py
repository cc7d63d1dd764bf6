"""Find a checkpoint on disk, and name it by its content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import HarnessError
from harness.models.transformers.files import digest
from harness.models.transformers.hash_cache import cache_folder, remembered
from harness.models.transformers.hub import CODE, SETTINGS, fetch_checkpoint


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder of weights in safetensors form, with its configuration and vocabulary."""

    folder: Path
    revision: str
    """Commit of the hub repository; empty for a plain folder."""
    weights: str
    """SHA-256 over the weight files, or `hub:` and the commit that fixes them."""
    settings: str
    """SHA-256 over the configuration, vocabulary and chat template files."""
    code: str = ""
    """SHA-256 over the code that it brings; empty where that is not run."""
    hub_id: str = ""
    """What it is called on the hub, as the user wrote it; empty for a folder of the user's."""

    @property
    def name(self) -> str:
        """Its hub id, or the name of its folder: that of the hub's cache is named for the commit."""
        return self.hub_id or self.folder.name


def find_checkpoint(
    argument: str,
    *,
    adapter: str = "transformers",
    trusted: bool = False,
    check: Callable[[Path], None] = lambda folder: None,
) -> Checkpoint:
    """The checkpoint that `argument` names: a folder, or a hub id with `@REVISION` if wanted.

    `adapter` is what the person wrote before the colon; `trusted` says whether code of the checkpoint's own may be run,
    and is fetched. `check` is given the folder before weights are fetched, and raises HarnessError where they would be
    of no use. A hub id is fetched into the usual cache, or read from there. Weights of a folder are hashed whole, once
    for as long as they do not change, so that two folders of one name are told apart. Raises HarnessError where there
    is none.
    """
    if not argument:
        raise HarnessError(
            f"{adapter}: has no checkpoint name",
            hint=f"write {adapter}:FOLDER or {adapter}:OWNER/NAME",
        )
    folder = Path(argument).expanduser()
    revision = ""
    if not folder.is_dir():
        if argument.startswith((".", "/", "~")) or argument.count("/") != 1:
            raise HarnessError(
                f"{argument!r} is neither a folder nor a hub id",
                hint=f"write {adapter}:FOLDER or {adapter}:OWNER/NAME",
            )
        folder = fetch_checkpoint(argument, code=trusted, check=check)
        revision = folder.name
    tensors = sorted(folder.glob("*.safetensors"))
    if not tensors or not (folder / "config.json").is_file():
        raise HarnessError(
            f"{folder} is not a checkpoint: it needs config.json and *.safetensors",
            hint="name a folder written by save_pretrained of transformers; pickled weights "
            "are not supported",
        )
    check(folder)
    settings = sorted(path for path in folder.iterdir() if path.suffix in SETTINGS)
    code = sorted(path for path in folder.iterdir() if path.suffix in CODE) if trusted else []
    weights = f"hub:{revision}" if revision else remembered(tensors, digest, cache=cache_folder())
    hub_id = argument if revision else ""
    return Checkpoint(
        folder, revision, weights, digest(settings), digest(code) if code else "", hub_id
    )
