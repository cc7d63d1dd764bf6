"""`harness list`: every kind of thing, with a line about each."""

from __future__ import annotations

import re

import pytest

from harness.cli.list_command import LISTS
from harness.cli.main import main
from harness.core.cell import CHANNELS
from harness.protocols.registry import PROTOCOLS
from harness.sources import SOURCES
from tests.example import Installed, write_package

NAMES = {
    "sources": set(SOURCES.builtin),
    "protocols": set(PROTOCOLS.builtin),
    "channels": set(CHANNELS),
}


@pytest.mark.parametrize("kind", LISTS)
def test_everything_has_a_name_and_a_line(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", kind]) == 0
    rows = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert rows and all(len(row) == 2 for row in rows)
    assert NAMES.get(kind, set()) <= {re.split(r"[\[:]", name)[0] for name, _ in rows} | {
        name for name, _ in rows
    }


def test_a_broken_plug_in_is_one_line_of_its_list_and_of_doctor(installed: Installed) -> None:
    points = {"harness.protocols": {"torn": "torn_protocol:X", "single": "torn_protocol:Y"}}
    write_package(
        installed.packages, "their-torn", entry_points=points, files={"torn_protocol.py": "1 / 0\n"}
    )
    listed = installed.harness("list", "protocols")
    assert listed.returncode == 1
    rows = {row.split()[0]: row for row in listed.stdout.splitlines()}
    assert "ZeroDivisionError" in rows["torn"] and "(package their-torn)" in rows["torn"]
    assert "more than one protocol has the name 'single'" in rows["single"]
    assert "broken" not in rows["describe-then-answer"]
    assert installed.harness("list", "conditions").returncode == 0
    done = installed.harness("doctor")
    told = done.stdout
    assert told, done.stderr
    assert "more than one protocol has the name 'single'" in told
    assert "torn_protocol cannot be imported" in told and "uninstall their-torn" in told
