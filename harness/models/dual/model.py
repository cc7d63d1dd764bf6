"""`clip:` models."""

from __future__ import annotations

from dataclasses import dataclass

from harness.clip_tiny import weights_folder
from harness.core.errors import HarnessError
from harness.core.model import Card
from harness.models.dual.encoder import NONE, DualEncoder
from harness.models.dual.engine import DualEngine
from harness.models.dual.loading import check_folder, load_encoder
from harness.models.dual.tuned import MARK, TunedFile, read_tuned
from harness.models.registry import OpenOptions
from harness.models.transformers.checkpoint import Checkpoint, find_checkpoint
from harness.models.transformers.libraries import import_libraries
from harness.models.transformers.loading import free_memory
from harness.models.transformers.model import BATCH, WINDOW, LocalModel

TINY = "tiny"
"""Names the built-in encoder; a folder of that name is written ./tiny."""


@dataclass(frozen=True, slots=True)
class DualCheckpoint:
    """A dual encoder on disk, with learned prompts or without."""

    checkpoint: Checkpoint
    identity: str
    tuned: TunedFile | None = None

    def load(self) -> DualEncoder:
        """Bring the encoder into memory."""
        return load_encoder(self.checkpoint)


def find_dual(argument: str) -> DualCheckpoint:
    """What stands behind `clip:`: `tiny`, a folder or a hub id, and perhaps `+tuned:FILE`.

    Raises HarnessError where there is none, where it is another kind of model, and where the learned prompts are those
    of another one.
    """
    base, mark, file = argument.partition(MARK)
    if base == TINY:
        folder = weights_folder()
        if not (folder / "config.json").is_file():
            raise HarnessError(
                f"the weights of clip:tiny are not in {folder}",
                hint="install the package again; or, in a checkout of the repository, train them: "
                f"python -m harness.clip_tiny.training.train --out {folder}",
            )
        checkpoint = find_checkpoint(str(folder), adapter="clip", check=check_folder)
        identity = f"clip:tiny weights={checkpoint.weights} settings={checkpoint.settings}"
    else:
        checkpoint = find_checkpoint(base, adapter="clip", check=check_folder)
        torch, transformers = import_libraries()
        identity = (
            f"clip weights={checkpoint.weights} settings={checkpoint.settings} "
            f"transformers={transformers.__version__} torch={torch.__version__}"
        )
    if not mark:
        return DualCheckpoint(checkpoint, identity)
    tuned = read_tuned(file)
    if tuned.base != checkpoint.weights:
        raise HarnessError(
            f"the prompts in {file} were learned on {tuned.record.get('model', 'another model')}, which has other "
            f"weights than clip:{base}",
            hint="use them with that model, or learn new ones: harness tune clip",
        )
    return DualCheckpoint(checkpoint, f"{identity} tuned={tuned.content}", tuned)


def open_dual(argument: str, *, name: str, options: OpenOptions) -> LocalModel:
    """The dual encoder in a folder or on the hub, with learned prompts if wanted. Its weights are read when it is asked.

    Raises HarnessError as `find_dual` does.
    """
    del options  # none of them concerns a dual encoder
    found = find_dual(argument)
    checkpoint, tuned = found.checkpoint, found.tuned
    card = Card(
        name=name,
        identity=found.identity,
        estimators=("distribution",),
        families=("dual",),
        window=WINDOW,
        notes=()
        if tuned is None
        else (f"{name} was tuned with the texts of {tuned.prompt}; it reads those of any prompt with its vectors",),
        details={
            "folder": checkpoint.name,
            "revision": checkpoint.revision,
            "weights": checkpoint.weights,
            "settings": checkpoint.settings,
        }
        | ({} if tuned is None else {"tuned": f"{tuned.path.name} {tuned.content}"}),
    )  # fmt: skip

    def load() -> DualEngine:
        encoder = found.load()
        return DualEngine(encoder, NONE if tuned is None else tuned.vectors(encoder))

    return LocalModel(load, card, batch=BATCH, free=free_memory)
