"""Templates that try to get out, run away or blow up: one clear error each, and soon."""

from __future__ import annotations

import sys
import time

import pytest

ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ ().__class__.__bases__[0].__subclasses__() }}",
    "{{ image.__init__.__globals__ }}",
    "{{ image._token }}",
    "{{ self.__init__.__globals__ }}",
    "{{ range.__self__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id') }}",
    "{{ labels.append('x') }}",
    "{{ fields.update({'x': 1}) }}",
    "{{ fields.clear() }}",
    "{{ '{0.__class__}'.format(image) }}",
    "{{ ''|attr('__class__') }}",
    "{{ labels | map('attr', '__class__') | list }}",
    "{{ labels | map(attribute='__class__') | join }}",
    "{{ lipsum() }}",
    "{{ labels | random }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ joiner.__init__.__builtins__ }}",
    "{{ loop }}",
    "{{ context }}",
    "{{ config }}",
]

DOUBLED = (
    "{% set n = namespace(x=['a']) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
)
"""Short to hold, and endless to print or to compare."""

BOMBS = [
    "{% for i in range(10 ** 9) %}x{% endfor %}",
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
    "{{ 'a' * 10 ** 9 }}",
    "{{ [0] * 10 ** 9 }}",
    "{{ 9 ** (9 ** 9) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ 'a'.ljust(1000000000) }}",
    "{{ 'a' | center(1000000000) }}",
    "{{ 'a\\nb' | indent(1000000000) }}",
    "{{ 'aaaa' | replace('a', 'b' * 900000) }}",
    "{{ range(99999) | join('b' * 900000) }}",
    "{% set n = namespace(s='aaaaaaaaaa') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
    "{% set n = namespace(s='aaaaaaaaaa') %}{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}",
    "{% set n = namespace(s='aaaaaaaaaa') %}{% for i in range(60) %}{% set n.s %}{{ n.s }}{{ n.s }}"
    "{% endset %}{% endfor %}",
    "{% macro m(k) %}{{ m(k) }}{% endmacro %}{{ m(1) }}",
    "{% macro m(k) %}{% if k %}{{ m(k - 1) }}{{ m(k - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "{% for i in range(99999) %}{{ 'x' * 900000 }}{% endfor %}",
    "{{ ('x' * 1000000 ~ 'y') }}",
    "{% for i in range(99999) %}{% set x = 'x' * 900000 %}{% endfor %}",
    "{{ ('b' * 900000).join(range(99999)) }}",
    "{{ 'aaaa'.replace('a', 'b' * 900000) }}",
    "{% for i in range(99999) %}" + "literal " * 10000 + "{% endfor %}",
    "{% set s = 'x' * 900000 %}{% for i in range(99999) %}{% set x = s | upper %}{% endfor %}",
    DOUBLED + "{{ n.x }}",
    DOUBLED + "{{ n.x == n.x }}",
    "{% set n = namespace(x={'a': 1}) %}{% for i in range(60) %}{% set n.x = dict(a=n.x, b=n.x) %}{% endfor %}"
    "{{ n.x }}",
    "{% macro m(k, x) %}{% if k %}{{ m(k - 1, (x, x)) }}{% else %}{{ x | string }}{% endif %}{% endmacro %}{{ m(60, 1) }}",
    "{% set n = namespace(x=['a']) %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=2) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x > 1 }}",
    "{{ ['a' * 900000] * 1000 }}",
    "{{ ['a'] | batch(10 ** 9, 'x') | list }}",
    "{{ [1] | slice(10 ** 9) | list }}",
    "{{ 5 | round(10 ** 9, 'floor') }}",
    "{{ 5 | round(-10 ** 9) }}",
    "{{ 5 .to_bytes(10 ** 9, 'big') }}",
    "{{ 'a'.encode().center(10 ** 9) }}",
    "{{ ('a' * 900000).translate({97: 'b' * 900000}) }}",
    "{{ ('f' * 900000) | int(0, 16) }}",
    "{{ ([[0] * 1000] * 900) | sum(start=[]) | length }}",
    "{{ range(99999) | select('in', range(99999) | list) | list | length }}",
    "{{ labels | map('center', 10 ** 9) | list }}",
    "{% for i in [1] recursive %}{{ loop(range(99999)) }}{% endfor %}",
    "{% for i in range(99999) if range(99999) | list == [] %}x{% endfor %}",
    "{% macro m() %}"
    + "literal " * 10000
    + "{% endmacro %}{% for i in range(9999) %}{% set x = m() %}{% endfor %}",
    "{{ [" + "range(99999) | list == 1, " * 2000 + "] }}",
    "{{ " + "(" * 5000 + ")" * 5000 + " }}",
    "{{ " + " + ".join(["n_frames"] * 20000) + " }}",
    "{% if n_frames %}" + "{% elif n_frames %}" * 3500 + "{% endif %}",
    "{% for x in labels %}" * 30 + "{% endfor %}" * 30,
    "{{ " + "9" * 100000 + " }}",
    "{{ labels" + "|list" * 10000 + " }}",
    "{{ 1 }}" * 32000,
    "{{ [1][" + "[2] * 900000, " * 20 + "] }}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_the_sandbox_holds(desk, text):
    error = desk.error(
        "\n{% user %}ok\n" + text + "{% enduser %}", labels=["a"], fields={"a": {"kind": "label"}}
    )
    assert error.message.startswith("t/p.j2, line 6: ")


@pytest.mark.parametrize("text", BOMBS)
def test_nothing_runs_away(desk, text):
    tracer = sys.gettrace()
    sys.settrace(None)  # what measures coverage takes twice the time of what it measures
    try:
        start = time.thread_time()
        error = desk.error("\n{% user %}ok\n" + text + "{% enduser %}", labels=["a", "b"])
        taken = time.thread_time() - start
    finally:
        sys.settrace(tracer)
    assert taken < 5
    assert error.message.startswith("t/p.j2") and len(error.message) < 400


def test_parts_that_include_one_another_twice_each_are_stopped(desk):
    for k in range(40):
        desk.part(f"t/_{k}.j2", f"{{% include 't/_{k + 1}.j2' %}}" * 2)
    desk.part("t/_40.j2", "x")
    assert "steps" in desk.error("{% user %}{% include 't/_0.j2' %}{% enduser %}").message


@pytest.mark.parametrize(
    "text", ["{{ labels | map('upper') }}", "{{ labels.index }}", "{{ range }}"]
)
def test_what_is_no_text_is_not_printed_with_its_address(desk, text):
    error = desk.error("{% user %}" + text + "{% enduser %}", labels=["a"])
    assert "which is no text" in error.message


def test_a_conversation_has_a_greatest_length(desk):
    text = "{% for x in labels %}{% user %}{{ x }}{% enduser %}{% endfor %}"
    assert len(desk.render(text, labels=["y" * 300_000] * 3).messages) == 3
    assert (
        "longer than 1,000,000 characters" in desk.error(text, labels=["y" * 300_000] * 4).message
    )


def test_data_is_never_changed_by_a_template(desk):
    labels = ["b", "a"]
    assert desk.text("{% user %}{{ labels | sort | join }}{% enduser %}", labels=labels) == "ab"
    assert labels == ["b", "a"]


def test_data_is_never_run_as_a_template(desk):
    evil = "{{ 7 * 7 }}{% system %}x{% endsystem %}{# c #}"
    assert desk.text("{% user %}{{ question }}{% enduser %}", question=evil) == evil


def test_ordinary_means_still_work(desk):
    body = (
        "{% for l in labels %}{{ loop.index }}/{{ loop.length }}{{ l | upper }}"
        "{{ '' if loop.last else ';' }}{% endfor %} {{ labels | tojson }} {{ 2 ** 3 + 4 * 5 }}"
        " {{ 'a' * 3 }} {{ 'x' ~ 1 }} {{ labels | map('title') | join('|') }}"
        " {{ ['a', 'b'] + ['c'] }} {{ question | replace('é', 'e') }} {{ 7 % 4 }}"
        " {{ '+'.join(labels) }} {{ 'a_b'.replace('_', ' ') }} {{ labels.index('fear') }}"
    )
    got = desk.text("{% user %}" + body + "{% enduser %}", labels=["joy", "fear"], question="é<b>")
    assert got == (
        "1/2JOY;2/2FEAR [\"joy\", \"fear\"] 28 aaa x1 Joy|Fear ['a', 'b', 'c'] e‹b› 3 joy+fear a b 1"
    )
