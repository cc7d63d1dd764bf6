"""Registries against other packages that are broken, wrong or in the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import pytest

from harness.core.errors import HarnessError
from harness.core.registry import Registry
from tests.example import Installed, write_package


@runtime_checkable
class Thing(Protocol):
    @property
    def name(self) -> str: ...

    def work(self) -> int: ...


GROUP = "harness.things"
GOOD = "class Good:\n    name = 'good'\n    description = 'a good one'\n    def work(self): return 1\nGOOD = Good()\n"


@pytest.fixture
def packages(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> Installed:
    monkeypatch.syspath_prepend(str(installed.packages))
    return installed


def registry(**builtin: str) -> Registry:
    return Registry("thing", GROUP, builtin, expects=(Thing,))


def bring(installed: Installed, module: str, code: str, **points: str) -> None:
    """A package `their-MODULE` with one module, and entry points that name attributes of it."""
    entry_points = {GROUP: {name: f"{module}:{value}" for name, value in points.items()}}
    write_package(
        installed.packages, f"their-{module}", entry_points=entry_points, files={f"{module}.py": code}
    )  # fmt: skip


def refused(things: Registry, name: str) -> HarnessError:
    with pytest.raises(HarnessError) as caught:
        things.load(name)
    return caught.value


def test_what_another_package_brings_is_found(packages: Installed) -> None:
    bring(packages, "m_good", GOOD, good="GOOD")
    assert registry().names() == ("good",)
    assert registry().load("good").work() == 1
    assert registry().entry("good").package == "their-m_good"


@pytest.mark.parametrize(
    ("module", "code", "value", "said"),
    [
        ("m_raises", "1 / 0", "X", "ZeroDivisionError: division by zero"),
        ("m_exits", "raise SystemExit(3)", "X", "SystemExit: 3"),
        ("m_syntax", "def", "X", "SyntaxError"),
        ("m_lacks", "", "X", "m_lacks has no attribute 'X'"),
        ("m_number", "X = 7", "X", "an object of type int without name, work"),
        ("m_none", "X = None", "X", "an object of type NoneType"),
        ("m_half", "class X: name = 'thing'\nX = X()", "X", "an object of type X without work"),
        ("m_class", GOOD, "Good", "the class Good, not an instance of it"),
        ("m_named", GOOD, "GOOD", "a thing with the name 'good'"),
    ],
)
def test_one_that_is_broken_is_named_with_package_and_group(
    packages: Installed, module: str, code: str, value: str, said: str
) -> None:
    bring(packages, module, code, thing=value)
    error = refused(registry(path="pathlib:Path"), "thing")
    assert f"entry point 'thing' of package their-{module} (group {GROUP})" in error.message
    assert said in error.message
    assert f"fix or uninstall the package their-{module}" in error.hint


def test_one_that_is_broken_harms_nothing_else(packages: Installed) -> None:
    bring(packages, "m_broken", "raise RuntimeError('no licence')", broken="X")
    bring(packages, "m_fine", GOOD, good="GOOD")
    things = registry(path="pathlib:Path")
    assert things.load("path").__name__ == "Path"
    listed = {one.name: one for one in things.listed()}
    assert set(listed) == {"path", "broken", "good"}
    assert listed["broken"].broken and "RuntimeError: no licence" in listed["broken"].line
    assert listed["broken"].package == "their-m_broken"
    assert (listed["good"].line, listed["good"].package) == ("a good one", "their-m_fine")


def test_nobody_takes_the_name_of_another(packages: Installed) -> None:
    bring(packages, "m_one", GOOD, good="GOOD", path="GOOD")
    bring(packages, "m_two", GOOD, good="GOOD")
    things = registry(path="pathlib:Path")
    error = refused(things, "good")
    assert "their-m_one" in error.message and "their-m_two" in error.message
    error = refused(things, "path")
    assert "the built-in one" in error.message and "their-m_one" in error.message
    assert "uninstall their-m_one" in error.hint
    assert [one.broken for one in things.listed()] == [True, True]


def test_what_a_function_gives_is_looked_at(packages: Installed) -> None:
    code = (
        f"{GOOD}def good(): return Good()\ndef bad(): return 'x'\ndef worse(): return {{}}['x']\n"
    )
    bring(packages, "m_makers", code, good="good", bad="bad", worse="worse")
    makers = Registry("maker", GROUP, {"list": "builtins:list"}, expects=(Callable,))
    assert makers.make("list", "ab", expects=Thing) == ["a", "b"]
    assert makers.make("good", expects=Thing).work() == 1
    with pytest.raises(
        HarnessError, match=r"'bad' of package their-m_makers .* returned an object of type str"
    ):
        makers.make("bad", expects=Thing)
    with pytest.raises(
        HarnessError, match=r"'worse' of package their-m_makers .* failed: KeyError: 'x'"
    ):
        makers.make("worse", expects=Thing)
