"""Open a checkpoint that transformers runs on this machine."""

from __future__ import annotations

import json
from functools import partial

from harness.affect_tiny import weights_folder
from harness.core.errors import HarnessError
from harness.core.model import Card
from harness.models.registry import OpenOptions
from harness.models.transformers.adapter import (
    asked_adapters,
    digest_of,
    unproven,
)
from harness.models.transformers.checkpoint import Checkpoint, find_checkpoint
from harness.models.transformers.counting import PromptCounter
from harness.models.transformers.features import forget_features
from harness.models.transformers.generator import Generator
from harness.models.transformers.hearing import HearingModel
from harness.models.transformers.loading import (
    Opened,
    check_folder,
    free_memory,
    load_weights,
    open_checkpoint,
)
from harness.models.transformers.model import WINDOW, LocalModel


def open_local(argument: str, *, name: str, options: OpenOptions) -> LocalModel:
    """The checkpoint in a folder or on the hub, with an adapter if wanted. Its weights are read when it is asked.

    Raises HarnessError where there is none, or where its settings tell that it cannot be loaded.
    """
    trusted = options.trust_remote_code
    checkpoint = find_checkpoint(
        argument, trusted=trusted, check=partial(check_folder, trusted=trusted)
    )
    opened = _open(checkpoint, argument, options, trusted=trusted)
    facts = opened.facts
    identity = (
        f"transformers weights={checkpoint.weights} settings={checkpoint.settings} "
        f"transformers={facts['transformers']} torch={facts['torch']} dtype={facts['dtype']}"
    )
    identity += f" code={checkpoint.code}" if checkpoint.code else ""
    return _serve(opened, name=name, identity=identity, options=options)


def _open(
    checkpoint: Checkpoint, argument: str, options: OpenOptions, *, trusted: bool = False
) -> Opened:
    """The checkpoint with the adapter that is wanted, or with one for each fold. Raises HarnessError."""
    adapter, adapters = asked_adapters(
        options.adapter, options.adapters, checkpoint.folder, argument, weights=checkpoint.weights
    )
    return open_checkpoint(checkpoint, trusted=trusted, adapter=adapter, adapters=adapters)


def open_tiny(argument: str, *, name: str, options: OpenOptions) -> LocalModel:
    """The packaged checkpoint. Its identity is its content alone, so that it travels between machines."""
    if argument:
        raise HarnessError(
            f"there is no {name!r}",
            hint="write affect-tiny: it has no variants, and itself uses the tool zoom",
        )
    folder = weights_folder()
    if not (folder / "config.json").is_file():
        raise HarnessError(
            f"the weights of affect-tiny are not in {folder}",
            hint="install the package again; or, in a checkout of the repository, train them: "
            "python -m harness.affect_tiny.training.train",
        )
    checkpoint = find_checkpoint(str(folder))
    identity = f"affect-tiny weights={checkpoint.weights} settings={checkpoint.settings}"
    opened = _open(checkpoint, str(folder), options)
    return _serve(opened, name=name, identity=identity, options=options)


def _serve(opened: Opened, *, name: str, identity: str, options: OpenOptions) -> LocalModel:
    checkpoint, adapter = opened.checkpoint, opened.adapter
    identity += f" adapter={adapter.content}" if adapter else ""
    identity += (
        f" adapters={digest_of(opened.adapters, folds=options.folds)}" if opened.adapters else ""
    )
    card = Card(
        name=name,
        identity=identity,
        system_role=opened.form.system_role,
        video=opened.form.video,
        constraints={"choice": "token-trie"},
        estimators=("continuation",),
        thinking={
            level: f"chat template, {json.dumps(v)}" for level, v in opened.form.thinking.items()
        },
        window=WINDOW,
        notes=unproven((*opened.adapters.values(), *((adapter,) if adapter else ()))),
        details=dict(opened.facts)
        | {
            "folder": checkpoint.name,
            "revision": checkpoint.revision,
            "weights": checkpoint.weights,
            "settings": checkpoint.settings,
        }
        | ({"code": checkpoint.code} if checkpoint.code else {})
        | (adapter.details if adapter else {})
        | (
            {
                "adapters": f"{len(opened.adapters)} folds {digest_of(opened.adapters, folds=options.folds)}"
            }
            if opened.adapters
            else {}
        ),
    )

    def free() -> None:
        forget_features(opened.processor)
        free_memory()

    counter = PromptCounter(opened.processor, opened.form, opened.longest)
    kind = HearingModel if opened.form.audio else LocalModel
    return kind(
        lambda: Generator(load_weights(opened), share=options.share),
        card,
        free=free,
        counter=counter,
    )
