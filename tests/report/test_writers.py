"""Each writer draws every kind of block, whatever its words hold."""

from __future__ import annotations

import io
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.blocks import (
    BLOCKS,
    Bars,
    Block,
    Column,
    Count,
    Lines,
    MarkedText,
    Matrix,
    Note,
    Number,
    Point,
    Points,
    Preformatted,
    Row,
    Share,
    Table,
    Who,
)
from harness.report.page import environment
from harness.report.writers.html import blocks_html
from harness.report.writers.json import blocks_json
from harness.report.writers.markdown import blocks_markdown
from harness.report.writers.terminal import open_console, print_lines, print_tables

from .pages import parse

BLOCKS_OF_ALL_KINDS: tuple[Block, ...] = (
    Table(
        title="Numbers",
        caption="all kinds of cells",
        columns=(
            "", "n", Column("UAR", group="Strict", strip=True), Column("mean", group="Strict"), "share", "words",
        ),
        rows=(
            (Who("majority", note="in-sample"), 1200, Number(0.5), 0.25, Share(0.5), "a"),
            (Who("m", "p", "blank"), Count(3, 12), Number(0.812, 0.77, 0.85), None, Share(0.999, 3), MarkedText("b", "worst")),
            Row((Who("m", "q"), None, Number(0.4, deviation=0.1), None, Share(None), None), "total"),
        ),
    ),
    Lines(lines=("one line", "another line")),
    Preformatted(lines=("a   b", "c   d")),
    Bars(bars=(("yes", 0.75), ("no", 0.25)), unit="share", title="Shares"),
    Matrix(rows=("a", "b"), columns=("a", "b", "none"), counts=((3, 1, 0), (0, 4, 0)), paired=True),
    Points(points=(Point(0.5, 0.6, 10, 0.4, 0.8),), x_name="said", y_name="right"),
    Note(text="look here", title="Collapse", warning=True),
)  # fmt: skip


MARKDOWN = """\
### Numbers

all kinds of cells

|  | n | Strict UAR | Strict mean | share | words |
| --- | ---: | ---: | ---: | ---: | --- |
| majority (in-sample) | 1,200 | .500 | .250 | 50% | a |
| m p blank | 3 (25%) | .812 \\[.77, .85\\] | – | 99.9% (3) | b (worst) |
| m q | – | .400 ± .100 | – | – | – |

- one line
- another line

    a   b
    c   d

### Shares

|  | share |
| --- | ---: |
| yes | 75% |
| no | 25% |

| True by answered | a | b | none |
| --- | ---: | ---: | ---: |
| a | 3 | 1 | 0 |
| b | 0 | 4 | 0 |

| said | right | n |
| ---: | ---: | ---: |
| .500 | .600 \\[.40, .80\\] | 10 |

**Collapse:** look here
"""


def printed(*blocks: Block) -> str:
    out = io.StringIO()
    console = open_console(out)
    print_tables(console, blocks)
    print_lines(console, blocks)
    return out.getvalue()


def test_all_kinds_are_here() -> None:
    assert {type(block) for block in BLOCKS_OF_ALL_KINDS} == set(BLOCKS)


def test_a_terminal_has_every_number() -> None:
    text = printed(*BLOCKS_OF_ALL_KINDS)
    for said in (
        "majority (in-sample)    1,200", ".812 [.77, .85]", "3 (25%)", ".400 ± .100", "99.9% (3)", "b (worst)",
        "  all kinds of cells", "  one line", "a   b", "yes  75%    " + "█" * 30, "no   25%    " + "█" * 10 + "\n",
        "True \\ Answered", ".600 [.40, .80]", "  warning: collapse: look here",
    ):  # fmt: skip
        assert said in text, said
    assert max(map(len, text.splitlines())) <= 100


def test_markdown() -> None:
    assert blocks_markdown(BLOCKS_OF_ALL_KINDS).rstrip("\n") == MARKDOWN.rstrip("\n")


def test_json_has_values_unrounded() -> None:
    told = blocks_json(BLOCKS_OF_ALL_KINDS)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert [one["block"] for one in told] == [
        "table", "lines", "preformatted", "bars", "matrix", "points", "note",
    ]  # fmt: skip
    table = told[0]
    assert table["rows"][1]["cells"][2] == {"value": 0.812, "low": 0.77, "high": 0.85, "digits": 3}
    assert table["rows"][0]["cells"][0]["model"] == "majority"
    assert table["columns"][2] == {"heading": "UAR", "group": "Strict", "strip": True}
    assert told[4]["counts"] == [[3, 1, 0], [0, 4, 0]]


def test_a_page_draws_all_of_them() -> None:
    page = parse(f"<main>{blocks_html(BLOCKS_OF_ALL_KINDS, environment())}</main>")
    assert page.unbalanced == []
    for said in (
        "Numbers", "majority in-sample", ".812[.77, .85]", "3 (25%)", "99.9%(3)", "b worst", "one line", "a b", "yes75%",
        "75%3", "right by said: .50: .60", "Collapse: look here",
    ):  # fmt: skip
        assert said in page.words or said in str(page.elements), said
    for tag, known in page.elements:
        if tag == "th":
            assert known.get("scope") in {"col", "row", "colgroup", "rowgroup"}


def test_room_decides_where_a_block_is_drawn() -> None:
    little, much = Lines(lines=("brief",), room="little"), Lines(lines=("long",), room="much")
    assert blocks_markdown([little, much]).strip() == "- long"
    assert [one["lines"] for one in blocks_json([little, much])] == [["long"]]
    html = blocks_html([little, much], environment())
    assert "long" in html and "brief" not in html


def test_blocks_of_the_same_words_are_folded_away_together() -> None:
    blocks = [Note(text=t, folded=f) for t, f in (("a", ""), ("b", "more"), ("c", "more"))]
    html = blocks_html(blocks, environment())
    assert html.count("<details>") == 1
    assert html.index("<details>") > html.index(">a<")


def test_a_table_too_wide_for_a_terminal_is_told_in_parts() -> None:
    names = [f"column-{number}" for number in range(20)]
    rows = [("first row", *(Number(n / 40, 0.0, 1.0) for n in range(20))), ("second", *range(20))]
    text = printed(Table(columns=("", *names), rows=tuple(rows)))
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("first row") == text.count("second") > 1
    for number, name in enumerate(names):
        assert name in text
        assert f"{number / 40:.3f}".removeprefix("0") in text


words = st.text(max_size=30)
cells = st.one_of(
    words, st.integers(0, 10**6), st.none(), st.floats(-10, 10), st.builds(MarkedText, words, words),
    st.builds(Who, words, words, words, words), st.builds(Number, st.floats(-2, 2), st.floats(-2, 0), st.floats(0, 2)),
)  # fmt: skip
tables = st.integers(1, 6).flatmap(
    lambda width: st.builds(
        Table,
        columns=st.tuples(*[words] * width),
        rows=st.lists(st.tuples(*[cells] * width), max_size=3).map(tuple),
        title=words,
        caption=words,
        folded=words,
    )
)


@settings(max_examples=60)
@given(tables, words)
def test_no_words_break_out_of_a_table(table: Table, text: str) -> None:
    blocks: list[Block] = [table, Lines(lines=(text,)), Note(text=text)]
    page = parse(f"<main>{blocks_html(blocks, environment())}</main>")
    assert page.unbalanced == []
    assert not {tag for tag, _ in page.elements} & {"script", "img", "a", "iframe"}
    plain = printed(*blocks)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", plain)
    pipes = [line for line in blocks_markdown([table]).splitlines() if line.startswith("| ")]
    counts = {len(re.findall(r"(?<!\\)\|", line)) for line in pipes}
    assert counts <= {len(table.columns) + 1}
    assert len(pipes) == len(table.rows) + 2
    json.dumps(blocks_json(blocks), allow_nan=False)


@pytest.mark.parametrize(
    "text", ["<img src=x onerror=alert(1)>", "a | b", "*bold*", "[x](http://y)", "# head", "1. one", "- x", "`c`"]
)  # fmt: skip
def test_markdown_reads_no_markup_in_words(text: str) -> None:
    (line,) = [line for line in blocks_markdown([Note(text=text)]).splitlines() if line]
    plain = re.sub(r"\\([!-/:-@\[-`{-~])", "", line)
    assert not re.search(r"[<>|*\[\]`#]", plain)
    assert not re.match(r"\s*(?:[-+]|\d+[.)])\s", plain)
