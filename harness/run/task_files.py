"""Task files: found, changed by `--set`, checked."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from harness.answers.vocabulary import resolve_labels
from harness.core.errors import HarnessError
from harness.core.field import FROM_DATA
from harness.core.folders import Folders
from harness.core.kind import useless
from harness.core.task import Task
from harness.core.yaml_text import YamlFault, parse_yaml
from harness.run.label_words import check_label_words
from harness.run.workspace import Workspace, fill_references, undefined_references
from harness.run.yaml_file import Place, read_yaml, validated


def task_names(folders: Iterable[Path]) -> tuple[str, ...]:
    """Names of all tasks in the folders, sorted; `family/name` for `family/name.yaml`."""
    return tuple(
        sorted(
            {
                path.relative_to(folder).with_suffix("").as_posix()
                for folder in folders
                for path in folder.rglob("*.yaml")
            }
        )
    )


def find_task(name: str, folders: Folders | Sequence[Path]) -> Path:
    """The file of a task: a name in the folders, or a path to a YAML file.

    Raises HarnessError where there is none, or where two packages bring one of that name.
    """
    direct = Path(name)
    if direct.suffix in {".yaml", ".yml"}:
        other = direct.with_suffix(".yml" if direct.suffix == ".yaml" else ".yaml")
        if not direct.exists() and other.is_file():
            raise HarnessError(f"not found: {direct}", hint=f"did you mean {other}?")
        return direct
    searched = Folders.of(folders)
    found = searched.find(f"{name}.yaml", kind="task")
    if found is not None and found[1].resolve().is_relative_to(found[0].resolve()):
        return found[1]
    known = task_names(folders)
    close = difflib.get_close_matches(name, known, n=3)
    listed = (
        f"did you mean {' or '.join(close)}?" if close else f"choose one of: {', '.join(known)}"
    )
    raise HarnessError(
        f"unknown task {name!r}", hint=(_data_hint(direct) or listed) + searched.note()
    )


def _data_hint(path: Path) -> str:
    """How the data that were named in place of a task are given; empty where the name is no file or folder."""
    if (path / "manifest.json").is_file():
        return f"{path} is a run folder: see its scores with harness score {path}, its page with harness report {path}"
    if path.is_dir():
        return f"a task says how data are read: for one folder a class, folder/emotion --set source.root={path}"
    if path.is_file():
        return (
            "a task says how data are read: for a table of pictures and labels, table/emotion "
            f"--set {shlex.quote(f'source.file={path}')} --set source.image=COLUMN --set source.label=COLUMN"
        )
    return ""


def load_task(
    name: str, workspace: Workspace, *, changes: Sequence[str] = (), references: bool = True
) -> Task:
    """A checked Task, after `--set` changes and references to data roots.

    `references=False` leaves `${data.NAME}` as it stands, for those who read no data. Raises HarnessError naming file, line, field and hint.
    """
    path = find_task(name, workspace.tasks)
    data, place = read_yaml(path)
    changed = {_apply(data, change) for change in changes}

    def where(keys: Sequence[str | int]) -> str:
        for depth in range(len(keys), 0, -1):
            dotted = ".".join(map(str, keys[:depth]))
            if dotted in changed:
                return f"--set {dotted} (task {path})"
        return place(keys)

    if "name" in data:
        raise HarnessError(
            f"{where(['name'])}: name: unknown key",
            hint="remove the key; a task is named after its file",
        )
    _move_root(data)
    for section in ("source", "exemplars"):
        if references and isinstance(data.get(section), dict):
            data[section] = fill_references(
                data[section], workspace.data, where=f"{place([section])}: {section}"
            )
    task = validated(Task, data, where, "task")
    task = task.model_copy(update={"name": _name(name, path, workspace.tasks)})
    _refuse_useless(task, where)
    return _with_label_lists(task, where)


def undefined_roots(name: str, workspace: Workspace, changes: Sequence[str] = ()) -> list[str]:
    """Data roots that a task's source names and harness.toml does not define: the NAMEs of `${data.NAME}`.

    Raises HarnessError for an unknown task or change.
    """
    task = load_task(name, workspace, changes=changes, references=False)
    found = undefined_references(dict(task.source), workspace.data)
    return [one.removeprefix("data.") for one in found]


def changed_task(task: Task, changes: Sequence[str]) -> Task:
    """A task that was read before, with `--set` changes. Raises HarnessError naming the change, what is wrong, and why."""
    data = task.model_dump(mode="json")
    for change in changes:
        _apply(data, change)
    dotted = {".".join(split_change(change)[0]): change for change in changes}

    def where(keys: Sequence[str | int]) -> str:
        for depth in range(len(keys), 0, -1):
            name = ".".join(map(str, keys[:depth]))
            if name in dotted:
                return f"--set {name} (task {task.name})"
        return f"task {task.name}"

    _move_root(data)
    return _with_label_lists(validated(Task, data, where, "task"), where)


def _move_root(data: dict[str, Any]) -> None:
    """`media.root`, the folder of the pictures, is an option of the source."""
    media, source = data.get("media"), data.get("source")
    if isinstance(media, dict) and isinstance(source, dict) and "root" in media:
        source["root"] = media.pop("root")


def _name(name: str, path: Path, folders: Iterable[Path]) -> str:
    for folder in folders:
        if path.resolve().is_relative_to(folder.resolve()):
            return path.resolve().relative_to(folder.resolve()).with_suffix("").as_posix()
    return path.stem


def _refuse_useless(task: Task, where: Place) -> None:
    """Raises HarnessError for what a field says without effect, such as labels of a number."""
    for name, field in task.fields.items():
        for option in useless(field):
            at = where(["fields", name, option])
            raise HarnessError(
                f"{at}: fields.{name}.{option} has no effect on a field of kind {field.kind}",
                hint="remove it, or change the kind of the field",
            )


def _with_label_lists(task: Task, where: Place) -> Task:
    """The task with named vocabularies spelled out; `from-data` stays for the planner."""
    fields = {}
    for name, field in task.fields.items():
        if field.metrics:
            from harness.metrics import check_metrics  # brings numpy

            check_metrics(field, where=where(["fields", name, "metrics"]))
        if field.labelled and field.labels != FROM_DATA:
            try:
                labels = resolve_labels(field.labels)
            except HarnessError as error:
                at = where(["fields", name, "labels"])
                raise HarnessError(f"{at}: {error.message}", hint=error.hint) from None
            fields[name] = field.model_copy(update={"labels": labels})
        else:
            fields[name] = field
    check_label_words(fields, where)
    return task.model_copy(update={"fields": fields})


_PATTERN = re.compile(r"\{\w+\}")


def split_change(change: str) -> tuple[tuple[str, ...], str]:
    """The keys and the value of one `path.to.key=value`. Raises HarnessError where it is none."""
    dotted, sign, text = change.partition("=")
    keys = tuple(dotted.strip().split("."))
    if not sign or not all(keys):
        raise HarnessError(
            f"--set {change}: expected KEY=VALUE", hint="--set source.file=labels.csv"
        )
    return keys, text


def _apply(data: dict[str, Any], change: str) -> str:
    """Apply one `path.to.key=value` in place; returns the dotted path."""
    keys, text = split_change(change)
    dotted = ".".join(keys)
    spot = data
    for key in keys[:-1]:
        below = spot.setdefault(key, {})
        if not isinstance(below, dict):
            raise HarnessError(f"--set {dotted}: {key} is not a mapping in the task file")
        spot = below
    spot[keys[-1]] = change_value(text, dotted)
    return dotted


def change_value(text: str, dotted: str) -> Any:
    """The value of a change: text as it stands, unless it is a bracketed YAML list or mapping. Raises HarnessError.

    A text that begins with a name in braces is a pattern of columns: `{subject}/{clip}.mp4`.
    """
    if not text.startswith(("[", "{")) or _PATTERN.match(text):
        return text
    try:
        return parse_yaml(text)[0]
    except YamlFault as fault:
        raise HarnessError(
            f"--set {dotted}: {text!r} opens a list or mapping and is {fault.problem}",
            hint="quote the whole argument for the shell, such as --set "
            "'fields.emotion.labels=[happy, sad]'",
        ) from None
