"""Objects found by name: built in, or from entry points of other packages."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from harness.core.errors import HarnessError


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a registry, and where it comes from."""

    name: str
    value: str
    """`module:attribute`; of a folder, also `module` alone."""
    group: str
    """The entry-point group: `harness.sources`."""
    package: str = ""
    """The package that brings it; empty for what is built in."""
    version: str = ""

    def __str__(self) -> str:
        if not self.package:
            return f"{self.name!r} ({self.value})"
        return f"entry point {self.name!r} of package {self.package} (group {self.group})"

    @property
    def remedy(self) -> str:
        """What a person can do where the entry is at fault."""
        return f"fix or uninstall the package {self.package}" if self.package else ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A name as a list shows it."""

    name: str
    """As it is written where it has a form (`resize:SIDE`)."""
    line: str
    """What it is; where it is broken, why."""
    package: str = ""
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Registry:
    """Names of one kind. `builtin` maps a name to `module:attribute`; nothing is imported until asked.

    What another package brings is looked at when it is asked for, so that a broken one breaks nothing else.
    """

    kind: str
    """What is listed, in the singular: "source", "model"."""
    group: str
    """The entry-point group that extends it: `harness.sources`."""
    builtin: Mapping[str, str]
    expects: tuple[Any, ...] = ()
    """Classes, or Protocols that can be checked while running, one of which each object must suit; `Callable` for
    functions. Empty: anything will do."""

    def names(self) -> tuple[str, ...]:
        """All known names, sorted. What another package brings is not imported."""
        return tuple(sorted({*self.builtin, *(entry.name for entry in brought(self.group))}))

    def entry(self, name: str) -> Entry:
        """Where a name comes from.

        Raises HarnessError for an unknown name (listing those there are), and for one that two bring.
        """
        found = [entry for entry in brought(self.group) if entry.name == name]
        if name in self.builtin:
            found.insert(0, Entry(name, self.builtin[name], self.group))
        if not found:
            near = difflib.get_close_matches(name, self.names(), n=2)
            meant = f"did you mean {' or '.join(near)}? " if near else ""
            raise HarnessError(
                f"unknown {self.kind} {name!r}",
                hint=f"{meant}choose one of: {', '.join(self.names())}",
            )
        if len(found) > 1:
            raise HarnessError(
                f"more than one {self.kind} has the name {name!r}: "
                + " and ".join(
                    str(entry) if entry.package else "the built-in one" for entry in found
                ),
                hint=f"rename the entry point, or uninstall {found[-1].package}",
            )
        return found[0]

    def load(self, name: str) -> Any:
        """The named object.

        Raises HarnessError where there is none (listing the names there are) or two, and for an entry point of another
        package that cannot be imported or is not what it should be, naming entry point, package and group.
        """
        entry = self.entry(name)
        found = load_entry(entry)
        if entry.package:
            self._check(entry, found)
        return found

    def make(self, name: str, /, *arguments: Any, expects: Any, **options: Any) -> Any:
        """What the named function gives for these arguments.

        Raises HarnessError where it is another package's and raises anything else, or gives no `expects`.
        """
        function = self.load(name)
        return call(self.entry(name), function, *arguments, expects=expects, **options)

    def listed(
        self, describe: Callable[[str, Any], str] | None = None, *, without: Container[str] = ()
    ) -> Iterator[Listed]:
        """Every name but those in `without`, with one line about it; a broken one says so and stops nothing.

        `describe` gives the line of a name and its object; left out, it is the object's description or docstring.
        """
        for name in self.names():
            if name in without:
                continue
            packages = [entry.package for entry in brought(self.group) if entry.name == name]
            package = ", ".join(packages)
            try:
                found = self.load(name)
                line = describe(name, found) if describe else described(found)
                form = getattr(found, "form", name)
            except Exception as error:
                if not packages:
                    raise  # a fault of our own
                told = error.message if isinstance(error, HarnessError) else repr(error)
                yield Listed(name, f"broken: {told}", package, broken=True)
            else:
                yield Listed(form if isinstance(form, str) else name, line, package)

    def _check(self, entry: Entry, found: object) -> None:
        if not self.expects:
            return
        wrong = misfit(found, self.expects)
        if not wrong and getattr(found, "name", entry.name) != entry.name:
            wrong = f"a {self.kind} with the name {getattr(found, 'name', None)!r}"
        if wrong:
            raise HarnessError(
                f"{entry} is {wrong}",
                hint=f"{_remedy_of(entry, *self.expects)} with the name {entry.name!r}",
            )


def brought(group: str) -> tuple[Entry, ...]:
    """The entry points of a group in all installed packages, sorted by name."""
    return _brought(group, tuple(sys.path))


@lru_cache(maxsize=4)
def _installed(path: tuple[str, ...]) -> Any:
    """The entry points of all groups on this search path: reading every package's metadata takes milliseconds."""
    from importlib.metadata import entry_points  # slow to import, seldom needed

    return entry_points()


@lru_cache(maxsize=64)
def _brought(group: str, path: tuple[str, ...]) -> tuple[Entry, ...]:
    """As found on this search path."""
    found = [
        Entry(
            point.name,
            point.value,
            group,
            point.dist.name if point.dist else "unknown package",
            point.dist.version if point.dist else "",
        )
        for point in _installed(path).select(group=group)
    ]
    return tuple(sorted(found, key=lambda entry: (entry.name, entry.package)))


def load_entry(entry: Entry) -> Any:
    """What an entry names. Raises HarnessError for what cannot be imported from another package."""
    module, _, attributes = entry.value.partition(":")
    if not entry.package:
        return getattr(importlib.import_module(module), attributes)
    try:
        found: Any = importlib.import_module(module.strip())
    except (Exception, SystemExit) as error:  # another package's code may raise anything
        raise HarnessError(
            f"{entry}: {module} cannot be imported: {type(error).__name__}: {error}",
            hint=entry.remedy,
        ) from error
    for attribute in filter(None, attributes.partition("[")[0].strip().split(".")):
        try:
            found = getattr(found, attribute)
        except AttributeError:
            raise HarnessError(
                f"{entry}: {module} has no attribute {attributes.strip()!r}", hint=entry.remedy
            ) from None
    return found


def call(entry: Entry, function: Any, /, *arguments: Any, expects: Any, **options: Any) -> Any:
    """What a function that an entry brought gives for these arguments.

    Raises HarnessError where it is another package's and raises anything else, or gives no `expects`.
    """
    if not entry.package:
        return function(*arguments, **options)
    try:
        made = function(*arguments, **options)
    except HarnessError:
        raise
    except Exception as error:
        raise HarnessError(
            f"{entry} failed: {type(error).__name__}: {error}", hint=entry.remedy
        ) from error
    wrong = misfit(made, (expects,))
    if wrong:
        raise HarnessError(f"{entry} returned {wrong}", hint=_remedy_of(entry, expects))
    return made


def described(found: object) -> str:
    """One line about an object: its `description`, else the first line of its docstring."""
    line = getattr(found, "description", None)
    if not isinstance(line, str):
        line = getattr(found, "__doc__", None) if callable(found) else ""
    return (str(line or "").strip().splitlines() or [""])[0]


def misfit(found: object, expects: tuple[Any, ...]) -> str:
    """What an object is instead of one of these ("a dict", "an object without step()"); empty where it suits."""
    if any(_suits(found, wanted) for wanted in expects):
        return ""
    if isinstance(found, type):
        return f"the class {found.__name__}, not an instance of it"
    kind = type(found).__name__
    lacking = [name for name in _members(expects[0]) if not hasattr(found, name)]
    if lacking and len(expects) == 1:
        return f"an object of type {kind} without {', '.join(lacking)}"
    return f"an object of type {kind}"


def _suits(found: object, wanted: Any) -> bool:
    if wanted is Callable:
        return callable(found)
    return isinstance(found, wanted) and not isinstance(found, type)


def _members(wanted: Any) -> tuple[str, ...]:
    """What a Protocol asks for."""
    if not getattr(wanted, "_is_protocol", False):
        return ()
    return tuple(
        name
        for name in (*getattr(wanted, "__annotations__", ()), *vars(wanted))
        if not name.startswith("_")
    )


def _remedy_of(entry: Entry, *expects: Any) -> str:
    wanted = " or ".join(
        "a function" if one is Callable else f"{_article(one.__name__)} {one.__name__}"
        for one in expects
    )
    return f"{entry.remedy}: it must provide {wanted or 'an object'}"


def _article(noun: str) -> str:
    return "an" if noun[0] in "AEIOU" else "a"
