"""Apply PEFT adapters (LoRA and others) to a checkpoint."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError, missing_extra
from harness.core.text import counted, digest_json
from harness.core.training_folds import FOLD, read_fold_note
from harness.models.transformers.files import digest, tensors_of
from harness.models.transformers.hash_cache import cache_folder, remembered
from harness.models.transformers.hub import ADAPTER, fetch_adapter


@dataclass(frozen=True, slots=True)
class Adapter:
    """A folder of PEFT's save_pretrained."""

    folder: Path
    content: str
    """SHA-256 over its configuration and weights."""
    rank: int
    """Largest rank of its matrices; 0 for another kind than LoRA."""
    kind: str
    """`LORA` and others, as PEFT calls it."""
    base: str = ""
    """The checkpoint that it says it was trained on; empty: it does not say."""
    weights: str = ""
    """SHA-256 of that checkpoint's weights, or `hub:` and their commit; empty: nothing says so."""
    told_by: str = FOLD
    """The file in the folder that says so, or names the checkpoint whose weights were hashed."""
    named: bool = False
    """Whether the hub id that it names is that of the checkpoint it was put on."""
    hub_id: str = ""
    """What it is called on the hub, as the user wrote it; empty for a folder of the user's."""

    @property
    def name(self) -> str:
        """What it is called in tables: its hub id, or the name of its folder."""
        return self.hub_id or self.folder.name

    @property
    def place(self) -> str:
        """What it is called in errors: its hub id, or its folder."""
        return self.hub_id or str(self.folder)

    @property
    def details(self) -> dict[str, str]:
        """What a card says of it. The folder of the hub's cache is named for the commit."""
        told = {"adapter": f"{self.name} {self.content}"}
        return told | ({"adapter_revision": self.folder.name} if self.hub_id else {})


def refuse_missing(argument: str) -> None:
    """Raise HarnessError for a folder that is not there or holds no adapter; a hub id is not looked up."""
    folder = Path(argument).expanduser()
    if folder.is_dir():
        _files_in(folder, argument)
    elif argument.startswith((".", "/", "~")) or argument.count("/") != 1:
        raise HarnessError(
            f"--adapter {argument}: folder not found",
            hint="name the folder that PEFT's save_pretrained wrote",
        )


def _files_in(folder: Path, argument: str) -> list[Path]:
    files = [folder / name for name in ADAPTER]
    missing = [path.name for path in files if not path.is_file()]
    if missing:
        raise HarnessError(
            f"--adapter {argument} holds no {' and no '.join(missing)}",
            hint="name the folder that PEFT's save_pretrained wrote; weights in pickle form are not read",
        )
    return files


def find_adapter(argument: str) -> Adapter:
    """The adapter in a folder, or in a hub repository `OWNER/NAME`. Raises HarnessError where there is none."""
    refuse_missing(argument)
    folder, hub_id = Path(argument).expanduser(), ""
    if not folder.is_dir():
        folder, hub_id = fetch_adapter(argument), argument
    files = _files_in(folder, argument)
    told = _told(files[0])
    ranks = [told.get("r", 0), *dict(told.get("rank_pattern") or {}).values()]
    rank = max((int(r) for r in ranks if isinstance(r, int)), default=0)
    base = told.get("base_model_name_or_path")
    note = folder / FOLD
    weights, told_by = read_fold_note(note).base if note.is_file() else "", FOLD
    if not weights:
        weights, told_by = _weights_of(str(base or ""), told.get("revision")), files[0].name
    kind = str(told.get("peft_type", ""))
    return Adapter(
        folder, digest(files), rank, kind, str(base or ""), weights, told_by, hub_id=hub_id
    )


def _weights_of(base: str, revision: object) -> str:
    """The weights of the checkpoint that PEFT's configuration names, as `Checkpoint.weights` has them: those of a folder
    that is here, or the commit of a hub id; empty where neither is known."""
    if not base:
        return ""
    if _is_id(base):
        known = isinstance(revision, str) and re.fullmatch(r"[0-9a-f]{40}", revision)
        return f"hub:{revision}" if known else ""
    tensors = sorted(Path(base).expanduser().glob("*.safetensors"))
    return remembered(tensors, digest, cache=cache_folder()) if tensors else ""


def find_adapters(folders: Mapping[str, str]) -> dict[str, Adapter]:
    """Fold -> its adapter. Raises HarnessError where a folder holds none, or one is of another checkpoint or kind than the
    others."""
    found = {fold: find_adapter(folder) for fold, folder in folders.items()}
    (first, one), *others = found.items()
    for fold, other in others:
        if (other.base, other.kind) != (one.base, one.kind):
            raise HarnessError(
                f"the adapters of the folds {first} and {fold} are not of one checkpoint and kind: {one.folder} was trained on "
                f"{one.base or 'an unnamed checkpoint'} ({one.kind}), {other.folder} on {other.base or 'an unnamed checkpoint'} "
                f"({other.kind})",
                hint="train all folds on the same checkpoint",
            )
    return found


def digest_of(adapters: Mapping[str, Adapter], *, folds: str = "") -> str:
    """Hex SHA-256 over the adapters of all folds, and `folds`, the digest of who is in which."""
    return digest_json([{fold: one.content for fold, one in adapters.items()}, folds])


def content_of(adapter: str | None, adapters: Mapping[str, str], *, folds: str = "") -> str:
    """Hex SHA-256 of one adapter, or of those of all folds; empty where there is none."""
    if adapters:
        return digest_of(find_adapters(adapters), folds=folds)
    return "" if adapter is None else find_adapter(adapter).content


def content_in(details: Mapping[str, str]) -> str:
    """The same by the details of a model's card."""
    return (details.get("adapters") or details.get("adapter") or "").rpartition(" ")[2]


def unproven(adapters: Iterable[Adapter]) -> tuple[str, ...]:
    """What to say where no file names the weights that adapters were trained on: PEFT notes their place alone."""
    silent = [one.folder for one in adapters if not (one.weights or one.named)]
    if not silent:
        return ()
    more = f" (and {counted(len(silent) - 1, 'other')})" if len(silent) > 1 else ""
    return (
        f"the adapter {silent[0]}{more} does not say which weights it was trained on, or names a checkpoint that is not "
        f"here: whether it was trained on these is not checked. The key `base` of its {FOLD} would say so",
    )


def with_base(adapter: Adapter, folder: Path, argument: str, *, weights: str) -> Adapter:
    """The adapter, once it is known to be none of another checkpoint, as far as that can be known. Raises HarnessError as
    `refuse_other_base` does."""
    refuse_other_base(adapter, folder, argument, weights=weights)
    mine = argument.partition("@")[0]
    same = _is_id(mine) and adapter.base.casefold() == mine.casefold()
    return replace(adapter, named=same)


def asked_adapters(
    adapter: str | None,
    adapters: Mapping[str, str],
    folder: Path,
    argument: str,
    *,
    weights: str,
) -> tuple[Adapter | None, dict[str, Adapter]]:
    """The adapter of a model, and that of each fold, none of another checkpoint than the one in `folder`, which `argument`
    named. Raises HarnessError."""
    one = None if adapter is None else find_adapter(adapter)
    each = find_adapters(adapters) if adapters else {}
    based = partial(with_base, folder=folder, argument=argument, weights=weights)
    return one and based(one), {fold: based(found) for fold, found in each.items()}


def refuse_other_base(adapter: Adapter, folder: Path, argument: str, *, weights: str = "") -> None:
    """Raise HarnessError for an adapter that names another checkpoint than the one in `folder`, which `argument` named, or
    says that it was trained on other weights than `weights`.

    Names alone tell little (a path of the machine it was trained on, a hub id in place of a folder), so it is refused only
    where both are hub ids that differ, or both are folders here whose settings do.
    """
    told = adapter.weights
    comparable = told.startswith("hub:") == weights.startswith("hub:")
    if told and weights and comparable and told != weights:
        raise HarnessError(
            f"the adapter {adapter.place} was trained on other weights than {argument or folder} has now: "
            f"{told[:16]} there (by {adapter.told_by} in its folder), {weights[:16]} here",
            hint="train it again on these weights, or name the checkpoint that it was trained on",
        )
    base, mine = adapter.base, argument.partition("@")[0]
    if not base or base == mine:
        return
    there = Path(base).expanduser() / "config.json"
    if there.is_file():
        other = _settings(there) != _settings(folder / "config.json")
    else:
        ids = [one for one in (base, mine) if _is_id(one)]
        other = len(ids) == 2 and base.casefold() != mine.casefold()
    if other:
        raise HarnessError(
            f"the adapter {adapter.place} was trained on {base}, not on {argument or folder}",
            hint=f"use --model transformers:{base}, or an adapter of this checkpoint",
        )


def _is_id(name: str) -> bool:
    return name.count("/") == 1 and not name.startswith((".", "/", "~")) and not Path(name).is_dir()


def _settings(file: Path) -> Mapping[str, Any]:
    """What of a checkpoint's settings says which network it is; versions and paths differ between copies."""
    told = _told(file)
    return {
        k: v
        for k, v in told.items()
        if k not in {"transformers_version", "_name_or_path", "dtype", "torch_dtype"}
    }


def put_on(model: Any, adapter: Adapter, *, name: str = "default") -> None:
    """Add an adapter to a loaded model under a name. Raises HarnessError where any part of it finds no place in the model.

    transformers itself only warns of that, and the replies would be those of the checkpoint alone.
    """
    try:
        import peft  # noqa: F401
        from safetensors import SafetensorError
    except ImportError as error:
        raise missing_extra("peft", "adapters") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there are several, which is meant
            info = model.load_adapter(str(adapter.folder), adapter_name=name)
    except (
        OSError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        RuntimeError,
        ImportError,
        SafetensorError,
    ) as error:
        raise HarnessError(
            f"the adapter {adapter.place} could not be applied to the checkpoint: {type(error).__name__}: {error}",
            hint="it must be whole, and have been trained on this checkpoint",
        ) from error
    left = (
        sorted(info.unexpected_keys)
        + sorted(
            key for key in info.missing_keys if f".{name}." in key
        )  # not those of other adapters
        + sorted(map(str, info.mismatched_keys))
    )
    if left or not tensors_of(adapter.folder / ADAPTER[1]):
        shown = ", ".join(left[:3]) or "it holds no weights"
        raise HarnessError(
            f"the adapter {adapter.place} does not fit the checkpoint: {len(left)} of its parts have no counterpart "
            f"({shown})",
            hint="it must have been trained on this checkpoint",
        )
    model.eval()  # no dropout in what was added


def _told(file: Path) -> Mapping[str, Any]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HarnessError(
            f"{file} cannot be read: {error}", hint="save the adapter again"
        ) from error
    if not isinstance(told, dict):
        raise HarnessError(f"{file} holds no settings", hint="save the adapter again")
    return told
