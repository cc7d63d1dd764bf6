"""Finding, reading, confining and hashing prompt files; front matter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.core.folders import shipped_folder
from harness.prompting.library import Library

from .desk import HEAD, pictures

TURN = "{% user %}x{% enduser %}"


def fails(desk, name="t/p"):
    with pytest.raises(HarnessError) as caught:
        desk.library().prompt(name)
    assert caught.value.hint
    return caught.value


def test_names_leave_parts_and_other_files_out(desk):
    for name in ("a/one.j2", "a/_part.j2", "_parts/x.j2", "b/c/two.j2", "top.j2", ".hidden/y.j2"):
        desk.write(name, TURN)
    desk.write("a/readme.txt", TURN)
    assert desk.library().names() == ("a/one", "b/c/two", "top")


def test_the_first_folder_wins_and_may_extend_the_second(desk, tmp_path):
    mine = tmp_path / "mine"
    (mine / "t").mkdir(parents=True)
    (mine / "t/p.j2").write_text(
        HEAD + '{% extends "t/_b.j2" %}{% block b %}mine{% endblock %}', encoding="utf-8"
    )
    desk.part("t/_b.j2", "{% user %}{% block b %}{% endblock %}{% enduser %}")
    desk.write("t/p.j2", TURN)
    desk.write("t/q.j2", TURN)
    library = Library([mine, desk.root])
    assert library.names() == ("t/p", "t/q")
    prompt = library.prompt("t/p")
    assert prompt.path == mine / "t/p.j2"
    assert library.render(prompt, variables={}, pictures=()).messages[0].text == "mine"


def test_a_missing_name_lists_close_ones(desk):
    desk.write("emotion/plain.j2", TURN)
    desk.write("vqa/other.j2", TURN)
    assert "emotion/plain" in fails(desk, "emotion/plane").hint
    assert "vqa/other" in fails(desk, "other").hint
    assert "emotion/plain, vqa/other" in fails(desk, "zzzz").hint


def test_a_part_is_no_prompt(desk):
    desk.write("t/_p.j2", TURN)
    desk.write("_t/q.j2", TURN)
    assert "unknown prompt" in fails(desk, "t/_p").message
    assert "unknown prompt" in fails(desk, "_t/q").message


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(HarnessError, match="no such folder"):
        Library([tmp_path / "nowhere"])


@pytest.mark.parametrize(
    "target",
    ["../secret.j2", "/etc/passwd", "a/../../secret.j2", "a\\\\..\\\\secret.j2", "a\\0b.j2", "", "./p.j2",
     "t//p.j2", "C:/x.j2", "~/x.j2", ".hidden.j2", "a" * 300],
)  # fmt: skip
@pytest.mark.parametrize("tag", ['include "%s"', 'extends "%s"', 'import "%s" as x'])
def test_files_outside_are_refused(desk, target, tag):
    (desk.root.parent / "secret.j2").write_text("secret", encoding="utf-8")
    desk.write("t/p.j2", "{% " + tag % target + " %}" + TURN)
    error = fails(desk)
    assert "t/p.j2, line 4" in error.message


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "t\\p", "t/\x00", "", "..", "t/../t/p"]
)
def test_names_outside_are_refused(desk, name):
    (desk.root.parent / "secret.j2").write_text(HEAD + TURN, encoding="utf-8")
    desk.write("t/p.j2", TURN)
    fails(desk, name)


def test_links_out_of_the_folder_are_refused(desk):
    secret = desk.root.parent / "secret.j2"
    secret.write_text(HEAD + "secret", encoding="utf-8")
    desk.write("t/p.j2", '{% user %}{% include "t/link.j2" %}{% enduser %}')
    (desk.root / "t/link.j2").symlink_to(secret)
    (desk.root / "dir").symlink_to(desk.root.parent)
    assert "link to a file outside the prompt folder" in fails(desk).message
    assert "link to a file outside" in fails(desk, "t/link").message
    assert "link to a file outside" in fails(desk, "dir/secret").message
    assert desk.library().names() == ("t/p",)


def test_links_inside_the_folder_are_fine(desk):
    desk.write("t/p.j2", TURN)
    (desk.root / "t/same.j2").symlink_to(desk.root / "t/p.j2")
    assert desk.library().prompt("t/same").head.fields == ("emotion",)


@pytest.mark.parametrize(
    "text",
    ["{% include question %}", "{% extends 'a' if n_frames else 'b' %}", "{% include 'a' ~ 'b' %}",
     "{% import labels[0] as x %}", "{% include ['a.j2', question] %}"],
)  # fmt: skip
def test_computed_names_are_refused(desk, text):
    desk.write("t/p.j2", "\n" + text)
    error = fails(desk)
    assert "uses a computed file name" in error.message
    assert "line 5" in error.message


def test_circles_and_missing_files_are_named(desk):
    desk.write("t/p.j2", '\n{% include "t/_a.j2" %}')
    assert "there is no file t/_a.j2" in fails(desk).message
    desk.part("t/_a.j2", '{% include "t/_b.j2" %}')
    desk.part("t/_b.j2", '{% include "t/_a.j2" %}')
    assert "t/_a.j2 -> t/_b.j2 -> t/_a.j2" in fails(desk).message


def test_the_digest_covers_every_file_used_and_no_other(desk):
    desk.write("t/p.j2", '{% extends "t/_a.j2" %}{% from "t/_m.j2" import m %}')
    desk.part("t/_a.j2", '{% user %}{% include "t/_b.j2" %}{% enduser %}')
    desk.part("t/_b.j2", "b")
    desk.part("t/_m.j2", "{% macro m() %}{% endmacro %}")
    desk.part("t/_other.j2", "o")
    first = desk.library().prompt("t/p").digest
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert desk.library().prompt("t/p").digest == first
    desk.part("t/_other.j2", "changed")
    assert desk.library().prompt("t/p").digest == first
    seen = {first}
    for name in ("t/_a.j2", "t/_b.j2", "t/_m.j2", "t/p.j2"):
        path = desk.root / name
        path.write_text(path.read_text() + "{# c #}", encoding="utf-8")
        seen.add(desk.library().prompt("t/p").digest)
    assert len(seen) == 5


def test_what_is_rendered_is_what_was_hashed(desk):
    desk.write("t/p.j2", TURN)
    library = desk.library()
    prompt = library.prompt("t/p")
    desk.write("t/p.j2", "{% user %}changed{% enduser %}")
    assert library.render(prompt, variables={}, pictures=()).messages[0].text == "x"
    with pytest.raises(HarnessError, match="does not belong to this library"):
        desk.library().render(prompt, variables={}, pictures=())


def test_line_ends_and_byte_order_marks_change_nothing(desk):
    path = desk.write("t/p.j2", "{% user %}\na\nb\n{% enduser %}")
    plain = desk.library().prompt("t/p")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert desk.library().prompt("t/p").digest == plain.digest


def test_files_that_are_no_text_are_named(desk):
    path = desk.write("t/p.j2", TURN)
    path.write_bytes(HEAD.encode() + b"\xff")
    assert "p.j2, line 4: not UTF-8" in fails(desk).message
    path.write_bytes(b"x" * 300_000)
    assert "larger than 256 KiB" in fails(desk).message


@pytest.mark.parametrize(
    ("head", "line", "part"),
    [
        ("", 1, "no front matter"),
        ("---\nfields: [a]\n", 1, "not closed"),
        ("---\nfields: [a]\nfield: [b]\n---\n", 3, "unknown key 'field'"),
        ("---\ndescription: d\n---\n", 1, "'fields' is missing"),
        ("---\nfields: []\n---\n", 2, "fields: "),
        ("---\nfields: emotion\n---\n", 2, "fields: "),
        ("---\nfields: [a]\n\nanswer: xml\n---\n", 4, "answer: "),
        ("---\nfields: [a]\nmax_tokens: 0\n---\n", 3, "max_tokens: "),
        ("---\nfields: [a\nanswer: text\n---\n", 3, "not valid YAML"),
        ("---\n- a\n---\n", 2, "not a mapping"),
        ("---\n1: a\n---\n", 2, "not a mapping"),
        ("---\n---\n", 2, "not a mapping"),
        ("---\nfields: !!python/object/apply:os.getcwd []\n---\n", 2, "not valid YAML"),
    ],
)
def test_front_matter_mistakes_name_file_line_and_key(desk, head, line, part):
    desk.write("t/p.j2", TURN, head=head)
    error = fails(desk)
    assert error.message.startswith(f"t/p.j2, line {line}: ")
    assert part in error.message


def test_the_head_is_read(desk):
    head = "---\ndescription: d\nfields: [a, b]\nanswer: json\nprotocol: p\nmax_tokens: 9\n---\n"
    desk.write("t/p.j2", TURN, head=head)
    prompt = desk.library().prompt("t/p")
    assert prompt.head.model_dump() == {
        "description": "d", "fields": ("a", "b"), "answer": "json", "protocol": "p", "replies": {}, "max_tokens": 9, "languages": (), "paraphrase_of": "", "family": "chat",
    }  # fmt: skip
    assert prompt.source == head + TURN


def test_variables_reach_through_parts(desk):
    desk.part("t/_b.j2", "{% user %}{{ image }}{% block b %}{% endblock %}{{ extra }}{% enduser %}")
    desk.part("t/_i.j2", "{{ inner }} {{ looped }} {{ outer }}")
    desk.part("t/_m.j2", "{% macro m(a) %}{{ a }}{{ from_macro }}{% endmacro %}")
    desk.write(
        "t/p.j2",
        '{% extends "t/_b.j2" %}{% from "t/_m.j2" import m %}{% set outer = labels %}'
        "{% block b %}{{ outer }}{{ m(1) }}{% for looped in fields %}"
        '{% include "t/_i.j2" %}{% endfor %}{{ range(2) }}{% endblock %}',
    )
    library = desk.library()
    assert library.variables(library.prompt("t/p")) == {
        "image", "extra", "inner", "from_macro", "labels", "fields",
    }  # fmt: skip


def test_reply_names_are_no_variables(desk):
    desk.write("t/p.j2", "{% reply as d %}{% user %}{{ d }}{{ q }}{% enduser %}")
    library = desk.library()
    assert library.variables(library.prompt("t/p")) == {"q"}


def test_a_library_is_shared_by_threads(desk):
    from concurrent.futures import ThreadPoolExecutor

    desk.write(
        "t/p.j2", "{% user %}{{ image }}{% for l in labels %}{{ l }},{% endfor %}{% enduser %}"
    )
    library = desk.library()
    prompt = library.prompt("t/p")

    def one(k: int) -> str:
        rendering = library.render(prompt, variables={"labels": [k] * 50}, pictures=pictures(1))
        return rendering.messages[0].text

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(one, range(400)))
    assert texts == ["[image: p0]" + f"{k}," * 50 for k in range(400)]


def test_the_shipped_folder_is_there():
    assert (shipped_folder() / "emotion" / "plain.j2").is_file()
    assert isinstance(shipped_folder(), Path)


def test_what_stands_in_ones_own_folder_under_another_name_is_told(desk):
    desk.write("fam/one.j2", "{% user %}x{% enduser %}")
    desk.write("fam/two.txt", "{% user %}x{% enduser %}")
    with pytest.raises(HarnessError) as caught:
        Library([desk.root / "fam"]).matching("fam/*")
    assert "relative to that folder: one" in caught.value.hint
    with pytest.raises(HarnessError) as caught:
        desk.library().prompt("fam/two")
    assert "prompt files end in .j2" in caught.value.hint
