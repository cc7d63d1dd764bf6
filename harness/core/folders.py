"""Folders of files found by name: the user's own, the built-in ones, and those of other packages (entry points)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from harness.core.errors import HarnessError
from harness.core.registry import Entry, Listed, brought, load_entry


@dataclass(frozen=True, slots=True)
class Folders:
    """Folders in the order they are searched.

    A file in a folder of a person's own stands for those of the same name elsewhere. Of the other folders no one
    replaces a file of another: a name that two of them hold is an error when it is asked for.
    """

    own: tuple[Path, ...] = ()
    shared: Mapping[Path, str] = field(default_factory=dict)
    """Folder -> its package: the built-in one (empty name) first, then those of other packages."""
    broken: tuple[Listed, ...] = ()
    """Entry points whose folder cannot be loaded."""

    @classmethod
    def of(cls, folders: Folders | Iterable[Path]) -> Folders:
        """Folders as they are, or a person's own. Raises HarnessError for one that is not there."""
        made = folders if isinstance(folders, Folders) else cls(tuple(folders))
        for folder in made:
            if not folder.is_dir():
                raise HarnessError(f"no such folder: {folder}", hint="create it, or leave it out")
        return made

    @classmethod
    def shipped(cls, folder: Path, group: str, *, own: Sequence[Path] = ()) -> Folders:
        """A person's own folders, the shipped one, and those of the entry-point group."""
        shared, broken = {folder: ""}, []
        for entry in brought(group):
            try:
                shared.setdefault(_folder_of(entry), entry.package)
            except HarnessError as error:
                told = Listed(entry.name, f"broken: {error.message}", entry.package, broken=True)
                broken.append(told)
        return cls(tuple(own), shared, tuple(broken))

    def __iter__(self) -> Iterator[Path]:
        yield from self.own
        yield from self.shared

    def find(self, name: str, *, kind: str) -> tuple[Path, Path] | None:
        """The folder that holds the file `name` (relative, with `/`), and the file; None where there is none.

        Raises HarnessError where two folders that are not a person's own hold it; `kind` says what it is there.
        """
        for folder in self.own:
            if (folder / name).is_file():
                return folder, folder / name
        found = [folder for folder in self.shared if (folder / name).is_file()]
        if len(found) > 1:
            whose = [self.shared[folder] for folder in found]
            raise HarnessError(
                f"more than one {kind} is called {Path(name).with_suffix('').as_posix()!r}: "
                + " and ".join(
                    f"one from the package {package}" if package else "the built-in one"
                    for package in whose
                ),
                hint=f"uninstall {whose[-1]}, or put your own file with that name into your folder",
            )
        return (found[0], found[0] / name) if found else None

    def package_of(self, path: Path) -> str:
        """The package that brings a file; empty for a person's own and for what is shipped."""
        for folder in self.own:
            if path.is_relative_to(folder):
                return ""
        return next((p for folder, p in self.shared.items() if path.is_relative_to(folder)), "")

    def note(self) -> str:
        """What to say beside "there is none": packages that could not be read. Empty where all could."""
        return "".join(f"; {one.line}" for one in self.broken)


def _folder_of(entry: Entry) -> Path:
    """The folder that an entry point names: a package, or an attribute that holds a path."""
    found = load_entry(entry)
    if isinstance(found, ModuleType):
        paths = list(getattr(found, "__path__", ()))
        found = paths[0] if len(paths) == 1 else None
    if not isinstance(found, str | os.PathLike) or not Path(found).is_dir():
        raise HarnessError(
            f"{entry}: {entry.value} is not a folder on disk",
            hint=f"{entry.remedy}: it must name a package, or an attribute with the path of a "
            "folder",
        )
    return Path(found)


def shipped_folder() -> Path:
    """The folder of the prompts that come with the package."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "shipped" / "prompts"
    return installed if installed.is_dir() else package.parent / "prompts"
