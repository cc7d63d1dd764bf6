"""What a run folder keeps of what was asked before: cells that a later command does not name, and the earlier versions
of cells whose prompt, model, sampling or task (its fields, its media) has changed since.

Both stand in the manifest's `cells` with `named: false`. An earlier version is kept under a name of its own,
`emotion/plain@2026-11-28-1a2b3c`: the prompt, the day on which it was last asked, and the digest of its text (of
what determines its replies, where the text is the same). `asked_as` holds the prompt's own name, and `changed` what
has changed. Where that is put back, its replies count again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.task import Task
from harness.run.basis import accepted, basis_of, may_define, said_sampling
from harness.run.cell_entry import cell_of, identity_of

Entry = Mapping[str, Any]
Asked = Mapping[tuple[str, str], int]
"""(cell id, basis) -> trials that were finished or failed on it."""


def earlier_bases(entry: Entry, before: Entry) -> tuple[str, ...]:
    """Bases of the same cell in the manifest `before` that say the same as `entry`'s in an earlier spelling."""
    found: dict[str, None] = {}
    for old in before.get("cells", ()):
        if old["id"] == entry["id"] and same_basis(old, before) == entry["basis"]:
            found.update(dict.fromkeys(accepted(old)))
    return tuple(found)


def same_basis(entry: Entry, manifest: Entry) -> str:
    """The basis of a manifest's cell as it is taken now; of a manifest of 0.2.0 worked out from what it holds."""
    if "also" in entry:
        return str(entry["basis"])
    known = {"max_images": _declared(entry, manifest), "identity": identity_of(entry, manifest)}
    return _basis_under({**entry, **known}, manifest, manifest["prompts"][entry["prompt"]])


def keep(manifest: dict[str, Any], before: Entry, asked: Asked) -> None:
    """Add to a manifest under way what the folder keeps of the one `before`."""
    standing: dict[str, Entry] = {entry["id"]: entry for entry in manifest["cells"]}
    named = frozenset(manifest["prompts"])
    olds = [
        _of_now(old, before)
        for old in before.get("cells", ())
        if any(asked.get((old["id"], basis)) for basis in accepted(old))
    ]
    for old in sorted(olds, key=lambda entry: bool(entry.get("asked_as"))):
        new = standing.get(old["id"])
        if new is not None and set(accepted(old)) & set(accepted(new)):
            continue  # the cell that is asked now, or an earlier version of it that was put back
        name = old.get("asked_as") or old["prompt"]
        text = before["prompts"][old["prompt"]]
        changed = _changes({**old, "prompt": name}, new, text, manifest)
        if changed or new is not None or (old.get("asked_as") and name not in named):
            version = _version(old, name, changed)
            changed = changed or old.get("changed", ["task"])
            kept = {**old, "prompt": version, "asked_as": name, "changed": changed}
        else:
            kept = {key: old[key] for key in old if key not in {"asked_as", "changed"}}
            kept["prompt"] = name
            standing[old["id"]] = kept
        _put(manifest, kept, before, text)


def _of_now(old: Entry, before: Entry) -> dict[str, Any]:
    """A cell of the manifest `before` as one that is kept, in this version's form."""
    kept = {
        "repeats": before.get("repeats", 1),
        "asked_on": str(before["started"])[:10],
        **old,
        "named": False,
        "identity": identity_of(old, before),
    }
    if "also" not in old:  # of 0.2.0
        most = _declared(old, before)
        kept |= {"basis": same_basis(old, before), "also": list(accepted(old))}
        kept |= {} if most is None else {"max_images": most}
    return kept


def _put(manifest: dict[str, Any], kept: dict[str, Any], before: Entry, text: Any) -> None:
    """Add one cell with the prompt, the task and the model that it needs."""
    manifest["cells"].append(kept)
    manifest["prompts"].setdefault(kept["prompt"], text)
    for section in ("tasks", "models"):
        name = kept[section.removesuffix("s")]
        if name not in manifest[section]:
            manifest[section][name] = before[section][name]


def _version(old: Entry, name: str, changed: list[str]) -> str:
    """The name of an earlier version; one that has a name keeps it."""
    if old.get("asked_as"):
        return str(old["prompt"])
    mark = old["prompt_digest"] if "prompt" in changed else old["basis"]
    return f"{name}@{old['asked_on']}-{mark[:6]}"


def _changes(old: Entry, new: Entry | None, text: Entry, manifest: Entry) -> list[str]:
    """What differs from what stands: the prompt (`text` is the old one), the model, the task's fields or media, and
    where the cell is asked now the sampling, how many pictures were allowed, its tools, and the endpoint that enhances
    pictures."""
    found = []
    prompt, model = manifest["prompts"].get(old["prompt"]), manifest["models"].get(old["model"])
    if prompt is not None and prompt["digest"] != text["digest"]:
        found.append("prompt")
    if model is not None and old["identity"] != model["identity"]:
        found.append("model")
    if new is not None and said_sampling(old["sampling"]) != said_sampling(new["sampling"]):
        found.append("sampling")
    if new is not None and old.get("max_images") != new.get("max_images"):
        found.append("max_images")
    if new is not None and old.get("system") != new.get("system"):
        found.append("system")
    if new is not None and old.get("enhancers") != new.get("enhancers"):
        found.append("enhancer")
    if new is not None and old.get("tool_settings") != new.get("tool_settings"):
        found.append("tools")
    known = (
        old["task"] in manifest["tasks"] and old["sampling"]
    )  # of answers made elsewhere it is not
    if known and old["basis"] != _basis_under(old, manifest, text):
        found.append("task")
    return found


def _basis_under(entry: Entry, manifest: Entry, prompt: Entry) -> str:
    """The basis of an entry that holds identity and `max_images`, by the tasks of a manifest."""
    return basis_of(
        cell_of(entry),
        Task.model_validate(manifest["tasks"][entry["task"]]["config"]),
        prompt["digest"],
        entry["identity"],
        said_sampling(entry["sampling"]),
        max_images=entry.get("max_images"),
        system=entry.get("system", "keep"),
        defining=may_define(prompt["source"]),
        tools=entry.get("tool_settings"),
        enhancers=entry.get("enhancers", {}),
    )


def _declared(entry: Entry, manifest: Entry) -> int | None:
    """How many pictures the model of a cell was declared to take, as manifests of 0.2.0 have it."""
    declared: int | None = (manifest["models"][entry["model"]].get("max_images") or {}).get(
        "declared"
    )
    return declared
