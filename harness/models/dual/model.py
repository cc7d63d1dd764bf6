"""`clip:` models."""

from __future__ import annotations

from harness.core.model import Card
from harness.models.dual.engine import DualEngine
from harness.models.dual.loading import check_folder, load_encoder
from harness.models.registry import OpenOptions
from harness.models.transformers.checkpoint import Checkpoint, find_checkpoint
from harness.models.transformers.libraries import import_libraries
from harness.models.transformers.loading import free_memory
from harness.models.transformers.model import BATCH, WINDOW, LocalModel


def open_dual(argument: str, *, name: str, options: OpenOptions) -> LocalModel:
    """The dual encoder in a folder or on the hub. Its weights are read when it is asked.

    Raises HarnessError where there is none, or where it is another kind of model.
    """
    del options  # none of them concerns a dual encoder
    checkpoint = find_checkpoint(argument, adapter="clip", check=check_folder)
    torch, transformers = import_libraries()
    identity = (
        f"clip weights={checkpoint.weights} settings={checkpoint.settings} "
        f"transformers={transformers.__version__} torch={torch.__version__}"
    )
    return _serve(checkpoint, name=name, identity=identity)


def _serve(checkpoint: Checkpoint, *, name: str, identity: str) -> LocalModel:
    card = Card(
        name=name,
        identity=identity,
        estimators=("distribution",),
        families=("dual",),
        window=WINDOW,
        details={
            "folder": checkpoint.folder.name,
            "revision": checkpoint.revision,
            "weights": checkpoint.weights,
            "settings": checkpoint.settings,
        },
    )
    return LocalModel(
        lambda: DualEngine(load_encoder(checkpoint)), card, batch=BATCH, free=free_memory
    )
