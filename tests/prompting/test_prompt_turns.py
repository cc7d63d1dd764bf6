"""Turns: roles, order, loops, inheritance, replies, white space."""

from __future__ import annotations

import pytest

from harness.core.message import Image, Text


def test_turns_come_in_order_of_execution(desk, shown):
    rendering = desk.render(
        """
{% system %}Be brief.{% endsystem %}
{% for shot in exemplars %}
{% user %}Case {{ loop.index }}: {{ shot.cue }}{% enduser %}
{% assistant %}{{ shot.label }}{% endassistant %}
{% endfor %}
{% user %}{{ image }} And this?{% enduser %}
""",
        exemplars=[{"cue": "brows up", "label": "surprise"}, {"cue": "smile", "label": "joy"}],
    )
    assert shown(rendering) == [
        ("system", "Be brief."),
        ("user", "Case 1: brows up"),
        ("assistant", "surprise"),
        ("user", "Case 2: smile"),
        ("assistant", "joy"),
        ("user", "[image: p0] And this?"),
    ]
    assert rendering.awaiting is None


def test_exemplars_may_bring_pictures(desk):
    shot = {"image": Image("shot", b"s"), "more": [Image("other", b"o")]}
    rendering = desk.render(
        "{% user %}{{ exemplars[0].image }}{{ exemplars[0].more[0] }}{{ image }}{% enduser %}",
        exemplars=[shot],
    )
    assert [part.name for part in rendering.messages[0].parts] == ["shot", "other", "p0"]


def test_conditions_around_turns(desk, shown):
    text = "{% if labels %}{% system %}S{% endsystem %}{% endif %}{% user %}U{% enduser %}"
    assert shown(desk.render(text, labels=["a"])) == [("system", "S"), ("user", "U")]
    assert shown(desk.render(text, labels=[])) == [("user", "U")]


def test_blocks_inherit_across_two_parents(desk, shown):
    desk.part(
        "t/_root.j2",
        "{% system %}{% block role %}plain{% endblock %}{% endsystem %}\n"
        "{% user %}\n{{ image }}\n{% block ask required %}{% endblock %}\n{% enduser %}\n"
        "{% block more %}{% endblock %}\n",
    )
    desk.part(
        "t/_mid.j2",
        '{% extends "t/_root.j2" %}\n{% block role %}{{ super() }}, mid{% endblock %}\n',
    )
    rendering = desk.render(
        '{% extends "t/_mid.j2" %}\n{% set tail = "!" %}\n'
        "{% block ask %}What{{ tail }}{% endblock %}\n"
        "{% block more %}{% assistant %}A{% endassistant %}{% user %}B{% enduser %}{% endblock %}\n"
    )
    assert shown(rendering) == [
        ("system", "plain, mid"),
        ("user", "[image: p0]\nWhat!"),
        ("assistant", "A"),
        ("user", "B"),
    ]


def test_includes_macros_and_imports_hold_turns(desk, shown):
    desk.part("t/_one.j2", "{% user %}Included {{ question }}{% enduser %}\n")
    desk.part(
        "t/_m.j2", "{% macro ask(x) %}{% user %}{{ x }} {{ question }}{% enduser %}{% endmacro %}"
    )
    rendering = desk.render(
        '{% import "t/_m.j2" as m %}{% from "t/_m.j2" import ask %}{% include "t/_one.j2" %}'
        '{{ m.ask("Imported") }}{{ ask("From") }}',
        question="q?",
    )
    assert [text for _, text in shown(rendering)] == ["Included q?", "Imported q?", "From q?"]


def test_a_rendering_pauses_at_a_reply_and_goes_on_with_it(desk, shown):
    text = (
        "{% user %}Describe.{% enduser %}\n{% reply as first %}\n"
        "{% user %}You said {{ first }}; shorter.{% enduser %}\n{% reply as second %}\n"
        "{% user %}{{ first }} / {{ second | upper }}{% enduser %}\n"
    )
    start = desk.render(text)
    assert (shown(start), start.awaiting) == ([("user", "Describe.")], "first")
    middle = desk.render(text, replies={"first": " one \n"})
    assert middle.awaiting == "second"
    assert shown(middle)[1] == ("assistant", "one")
    end = desk.render(text, replies={"first": "one", "second": "two"})
    assert end.awaiting is None
    assert shown(end)[-1] == ("user", "one / TWO")


def test_a_reply_in_a_loop_or_condition_pauses_there(desk):
    text = (
        "{% user %}a{% enduser %}"
        "{% if labels %}{% for l in labels %}{% if loop.last %}{% reply as x %}{% endif %}"
        "{% endfor %}{% endif %}{% user %}b{% enduser %}"
    )
    assert desk.render(text, labels=["p", "q"]).awaiting == "x"
    assert desk.render(text, labels=[]).awaiting is None


def test_a_reply_cannot_be_read_before_it_is_given(desk):
    error = desk.error("{% user %}{{ d }}{% enduser %}{% reply as d %}{% user %}x{% enduser %}")
    assert "'d' is undefined" in error.message


def test_replies_nobody_asked_for_set_no_variable(desk):
    error = desk.error("{% user %}{{ extra }}{% enduser %}", replies={"extra": "x"})
    assert "'extra' is undefined" in error.message
    assert desk.text("{% user %}{{ n_frames }}{% enduser %}", replies={"n_frames": "9"}) == "1"


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("{% user %}a{% enduser %}\n\nStray words\n", 6, "text outside all turns: 'Stray words'"),
        ("{% user %}a{% enduser %}\n{{ n_frames }}\n", 5, "text outside all turns: '1'"),
        ("{% user %}a{% enduser %}\n{{ image }} b\n", 5, "text outside all turns: '[picture 1] b'"),
        ("\n{% user %}\na\n{% system %}b{% endsystem %}{% enduser %}", 7, "inside a user turn"),
        ("{% user %}a{% reply as x %}{% enduser %}", 4, "inside a user turn"),
        ("{% user %}a{% enduser %}\n{% user %} \n {% enduser %}", 5, "user turn is empty"),
        ("{% user %}a", 4, "nd of template"),
        ("\n\n{% reply %}", 6, "a reply needs a name"),
        ("{% reply as labels %}", 4, "already used"),
        ("{% reply as x y %}", 4, "expected token"),
        ("{% user %}{{ nothing }}{% enduser %}", 4, "'nothing' is undefined"),
        ("{% user %}{{ none }}{% enduser %}", 4, "prints None"),
        ("{% user %}{{ frames }}{% enduser %}", 4, "list of pictures"),
        ("{% user %}{{ 1 / 0 }}{% enduser %}", 4, "division by zero"),
        ("{% user %}\n{{ image | upper }}{% enduser %}", 4, "changed the placeholder"),
        ("{% user %}{{ labels | random }}{% enduser %}", 4, "No filter named 'random'"),
        ("{% if false %}{% user %}a{% enduser %}{% endif %}", 0, "the prompt has no turn"),
        ("{% for x in [1, 2] %}{% reply as r %}{% endfor %}", 4, "reached twice"),
    ],
)
def test_mistakes_name_file_line_and_mend(desk, text, line, part):
    error = desk.error(text, replies={"r": "x"}, labels=["a"])
    assert part in error.message
    assert error.message.startswith(f"t/p.j2, line {line}: " if line else "t/p.j2: ")


def test_a_mistake_in_a_part_names_the_part(desk):
    desk.part("t/_bad.j2", "\n\n{{ nothing }}\n")
    assert desk.error('{% user %}{% include "t/_bad.j2" %}{% enduser %}').message.startswith(
        "t/_bad.j2, line 3: "
    )


@pytest.mark.parametrize("stray", ["Lost words", "{% user %}lost turn{% enduser %}", "{{ image }}"])
def test_what_inheritance_would_drop_is_an_error(desk, stray):
    desk.part("t/_base.j2", "{% user %}{% block b %}x{% endblock %}{% enduser %}")
    error = desk.error('{% extends "t/_base.j2" %}\n' + stray + "\n")
    assert "never shown" in error.message
    assert "line 5" in error.message


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("\n    One\n      two\n    three\n", "One\n  two\nthree"),
        ("\n  {{ question }}\n  end\n", "  a\n b\nend"),
        ("One\n   two", "One\n   two"),
        ("\n\ta\n\t\tb\n", "a\n\tb"),
        ("\n    a\n\n    b\n", "a\n\nb"),
        ("  {{ image }}  x  ", "[image: p0]  x"),
        ("\n  {% for n in [1, 2] %}\n  - {{ n }}\n  {% endfor %}\n", "- 1\n- 2"),
    ],
)
def test_white_space(desk, body, expected):
    got = desk.text("{% user %}" + body + "{% enduser %}", question="  a\n b")
    assert got == expected.strip()


def test_data_keeps_its_own_indentation(desk):
    got = desk.text(
        "{% user %}\n    Quote:\n    {{ question }}\n{% enduser %}", question="a\n        b\n c"
    )
    assert got == "Quote:\na\n        b\n c"


def test_the_parts_of_a_turn(desk):
    (message,) = desk.render("{% user %}\n{{ image }}\nWhich?\n{% enduser %}").messages
    assert [type(part) for part in message.parts] == [Image, Text]
    assert message.parts[1] == Text("\nWhich?")
