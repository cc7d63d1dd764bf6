"""Results of a gate for continuous integration: JUnit XML, a Markdown summary, JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree as ET

from harness.compare.gate import Gate, Judged, line, signed
from harness.core.text import visible

SCHEMA = 1
_MARKED = str.maketrans({letter: f"\\{letter}" for letter in "\\`*_[]<>|#&~!"})


def junit(found: Gate) -> bytes:
    """A test suite with a case for each cell: worse fails, undecided is skipped."""
    judged = found.judged
    counts = {
        "tests": str(len(judged)),
        "failures": str(sum(one.verdict == "worse" for one in judged)),
        "errors": "0",
        "skipped": str(sum(one.verdict == "undecided" for one in judged)),
    }
    root = ET.Element("testsuites", counts)
    suite = ET.SubElement(root, "testsuite", {"name": "harness gate", **counts})
    for one in judged:
        name = visible(f"{one.title} of {one.cell.name}")
        case = ET.SubElement(suite, "testcase", {"classname": visible(one.place), "name": name})
        said = visible(line(one))
        if one.verdict == "worse":
            ET.SubElement(case, "failure", {"type": "worse", "message": said}).text = said
        elif one.verdict == "undecided":
            ET.SubElement(case, "skipped", {"message": said})
        else:
            ET.SubElement(case, "system-out").text = said
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def summary(found: Gate) -> str:
    """A heading, a table and what must be known of it, as Markdown."""
    lines = [
        f"### Gate: {found.verdict}",
        "",
        f"Margin {found.margin:g}. A cell is worse where its whole interval lies beyond the margin.",
        "",
        "| | cell | task | metric | run | baseline | difference | n |",
        "|---|---|---|---|---:|---:|---:|---:|",
    ]
    lines += [_row(one) for one in found.judged]
    lines += ["", *(f"- {_plain(note)}" for note in found.notes)]
    return "\n".join(lines).rstrip() + "\n\n"


def _row(one: Judged) -> str:
    told = f"{signed(one.difference)} [{signed(one.low)}, {signed(one.high)}]"
    cells = (one.verdict, one.cell.name, one.place, one.title, _number(one.value), _number(one.other), told, f"{one.n:,}")  # fmt: skip
    return f"| {' | '.join(map(_plain, cells))} |"


def _number(value: float) -> str:
    return "–" if math.isnan(value) else signed(value).lstrip("+")


def _plain(text: str) -> str:
    """A text in which nothing is markup."""
    return " ".join(visible(text).split()).translate(_MARKED)


def to_json(found: Gate) -> str:
    """Everything, with six decimals; what is not known is null."""
    body = {
        "schema": SCHEMA, "verdict": found.verdict, "margin": found.margin,
        "judged": [asdict(one) for one in found.judged], "notes": list(found.notes),
    }  # fmt: skip
    return json.dumps(_rounded(body), ensure_ascii=False, indent=1, allow_nan=False)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6) + 0.0 if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, (list, tuple)) else value
