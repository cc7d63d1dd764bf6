"""Each finding, from the smallest prompt that deserves it."""

from __future__ import annotations

import pytest

from harness.core.field import FieldSpec
from harness.core.task import Task
from harness.prompting.lint import lint

GOOD = "{% user %}{{ image }} Which of {{ labels | join(', ') }}?{% enduser %}"


def task(**fields: FieldSpec) -> Task:
    return Task(name="t/task", source={"family": "table"}, fields=fields, prompts=("t/p",))


def findings(desk, text, *, head="fields: [emotion]", task=None):
    desk.write("t/p.j2", text, head=f"---\n{head}\n---\n")
    library = desk.library()
    return lint(library, library.prompt("t/p"), task=task)


def test_a_good_prompt_has_none(desk):
    assert findings(desk, GOOD) == []
    assert findings(desk, GOOD, task=task(emotion=FieldSpec(kind="label", labels="basic-7"))) == []


@pytest.mark.parametrize(
    ("code", "line", "text", "head"),
    [
        ("unknown-variable", 5, "\n" + GOOD + "{% if lables %}{% endif %}", "fields: [emotion]"),
        ("field-never-asked", 2, GOOD, "fields: [emotion, valence]"),
        ("media-missing", 0, "{% user %}Which of {{ labels | join }}?{% enduser %}", "fields: [emotion]"),
        ("media-missing", 4, "{% user %}{{ frames[0] }} emotion?{% enduser %}", "fields: [emotion]"),
        ("media-twice", 5, "\n{% user %}{{ image }}{{ image }} emotion?{% enduser %}", "fields: [emotion]"),
        ("media-twice", 4, "{% user %}{{ frames | join }}{{ image }} emotion?{% enduser %}", "fields: [emotion]"),
        (
            "media-twice", 5,
            "{% user %}{{ image }}a{% enduser %}{% reply as d %}{% user %}{{ image }} emotion?{% enduser %}",
            "fields: [emotion]\nprotocol: other",
        ),
        ("varies-before-media", 4, "{% user %}{{ question }}{{ image }}{% enduser %}", "fields: [emotion]"),
        (
            "varies-before-media", 5,
            "{% user %}Q.{% enduser %}{% assistant %}A.{% endassistant %}\n"
            "{% user %}{{ question }} {{ frames | join }}{% enduser %}",
            "fields: [emotion]",
        ),
        ("protocol-mismatch", 1, "{% user %}a{% enduser %}{% reply as d %}" + GOOD, "fields: [emotion]"),
        ("protocol-mismatch", 3, GOOD, "fields: [emotion]\nprotocol: describe-then-answer"),
        ("ends-unasked", 0, GOOD + "{% assistant %}Answer:{% endassistant %}", "fields: [emotion]"),
        ("does-not-render", 5, "\n{% user %}{{ image }}{{ labels.nothing }}{% enduser %}", "fields: [emotion]"),
        ("does-not-render", 4, "stray" + GOOD, "fields: [emotion]"),
    ],
)  # fmt: skip
def test_each_finding(desk, code, line, text, head):
    (finding,) = findings(desk, text, head=head)
    assert (finding.code, finding.line) == (code, line)
    assert finding.prompt == "t/p"
    assert finding.file == "t/p.j2"
    assert finding.hint
    assert finding.level == ("warning" if code == "varies-before-media" else "error")


def test_a_task_that_shares_no_field(desk):
    (finding,) = findings(desk, GOOD, task=task(age=FieldSpec(kind="number", low=0, high=100)))
    assert finding.code == "contract-mismatch"
    assert "age" in finding.message


def test_with_a_task_only_shared_fields_must_be_asked_for(desk):
    emotion = FieldSpec(kind="label", labels=("a", "b"))
    valence = FieldSpec(kind="number")
    head = "fields: [emotion, valence]"
    assert findings(desk, GOOD, head=head, task=task(emotion=emotion)) == []
    codes = [
        f.code for f in findings(desk, GOOD, head=head, task=task(emotion=emotion, valence=valence))
    ]
    assert codes == ["field-never-asked"]


def test_a_finding_in_a_part_names_the_part(desk):
    desk.part("t/_x.j2", "\n\n{{ lables }}")
    (finding,) = findings(desk, "{% user %}{{ image }}emotion{% include 't/_x.j2' %}{% enduser %}")
    assert (finding.code, finding.file, finding.line) == ("unknown-variable", "t/_x.j2", 3)


def test_a_question_after_the_first_picture_is_fine(desk):
    assert findings(desk, "{% user %}{{ frames | join }}{{ question }}{% enduser %}") == []
