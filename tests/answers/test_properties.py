"""Properties that hold for any reply."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.answers.reader import Reader, read
from harness.answers.vocabulary import VOCABULARIES, resolve_labels
from harness.core.field import FieldSpec
from harness.core.outcome import Outcome

BASIC = resolve_labels("basic-7")
EMOTION = FieldSpec(kind="label", labels=BASIC)
FIELDS = {
    "emotion": EMOTION,
    "valence": FieldSpec(kind="number"),
    "teeth_visible": FieldSpec(kind="yes-no"),
    "action_units": FieldSpec(kind="set", labels=resolve_labels("megc-action-units")),
    "why": FieldSpec(kind="text"),
}
PIECES = st.sampled_from(
    [*BASIC, "happy", "not", "no", "or", "and", ",", ".", "\n", "Answer:", "{", "}", '"emotion":', "[", "]",
     "<think>", "</think>", "**", "I cannot tell", "the expression is", "0.5", "7/10", "AU12", "yes", "'", '"',
     "\u200b", "\u00e9", "\ud800", "A", "(B)", "unhappy", "but", "rather than", "\\boxed{", "%", "-", "?"]
)  # fmt: skip
SOUP = st.one_of(st.text(max_size=120), st.lists(PIECES, max_size=24).map(" ".join))


@settings(max_examples=300, deadline=None)
@given(SOUP, st.sampled_from(["text", "final", "json"]), st.booleans(), st.booleans())
def test_never_raises_and_keeps_its_contract(
    text: str, form: str, truncated: bool, letters: bool
) -> None:
    reader = Reader.build(FIELDS, form=form, letters=letters)  # type: ignore[arg-type]
    found = reader(text, truncated=truncated)
    assert set(found) == set(FIELDS)
    for name, spec in FIELDS.items():
        for answer in (
            found[name],
            read(text, spec, name=name, form=form, truncated=truncated, letters=letters),
        ):  # type: ignore[arg-type]
            assert answer.rule
            if answer.span is not None:
                assert 0 <= answer.span[0] <= answer.span[1] <= len(text)
            if answer.value is None:
                continue
            if spec.kind == "label":
                assert answer.value in BASIC
            elif spec.kind == "number":
                assert isinstance(answer.value, float) and -1 <= answer.value <= 1
            elif spec.kind == "yes-no":
                assert answer.value in ("yes", "no")
            elif spec.kind == "set":
                assert isinstance(answer.value, tuple) and list(answer.value) == sorted(
                    set(answer.value)
                )


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(
        sorted({(name, label) for name, labels in VOCABULARIES.items() for label in labels})
    ),
    st.sampled_from([str.upper, str.lower, str.title, str.capitalize, lambda s: s]),
    st.sampled_from(["", "**", '"', "'", "`", "*", "_"]),
    st.sampled_from(["", ".", "!", "\n", " ", ". \n", "<|im_end|>"]),
)
def test_any_label_alone_is_read(pair: tuple[str, str], case: object, mark: str, end: str) -> None:
    name, label = pair
    spec = FieldSpec(kind="label", labels=resolve_labels(name))
    written = case(label)  # type: ignore[operator]
    assert read(mark + written + mark + end, spec).value == label


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(BASIC),
    st.sampled_from(
        ["not {}", "There is no {} here.", "This isn't {}.", "never {}", "without {}", "anything but {}",
         "It does not show any {} at all", "The expression is not {}.", "Answer: not {}", "{} is absent",
         "hardly {}", "no sign of {}", "I don't see {}.", "neither {} nor anything else", "far from {}",
         "{} can be ruled out"]
    ),
)  # fmt: skip
def test_a_denied_label_is_never_the_answer(label: str, frame: str) -> None:
    answer = read(frame.format(label), EMOTION)
    assert answer.outcome in (Outcome.UNPARSED, Outcome.REFUSED)


@settings(max_examples=100, deadline=None)
@given(st.permutations(BASIC), st.sampled_from(BASIC))
def test_the_order_of_labels_changes_nothing(order: list[str], label: str) -> None:
    spec = FieldSpec(kind="label", labels=tuple(order))
    text = f"It could be fear or anger, though. Answer: {label}"
    assert read(text, spec).value == label


@settings(max_examples=100, deadline=None)
@given(st.floats(min_value=-1, max_value=1).map(lambda x: round(x, 3)))
def test_any_number_alone_is_read(value: float) -> None:
    answer = read(f"{value:.3f}", FieldSpec(kind="number"))
    assert answer.value == pytest.approx(value)


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.sampled_from(resolve_labels("megc-action-units")), min_size=1),
    st.sampled_from([", ", "; ", "\n", " and ", " + "]),
)
def test_any_list_of_units_is_read(names: set[str], joint: str) -> None:
    spec = FieldSpec(kind="set", labels=resolve_labels("megc-action-units"))
    assert read(joint.join(sorted(names, reverse=True)), spec).value == tuple(sorted(names))


DECLINING = (
    "My guidelines prevent me from inferring emotions like {} from faces.", "I avoid assigning emotions like {} to people.",
    "Labeling this as {} would require assumptions I shouldn't make.", "I try not to attribute emotions such as {} to people.",
    "It would be inappropriate to guess whether they feel {}.", "Determining {} from an image alone is not reliable.",
    "Whether it is {} is not something I can judge.", "I can't say whether this is {}.", "I was told not to call anyone {}.",
    "Assigning a label such as {} goes against my guidelines.", "I'm not able to determine emotions like {} or {}.",
)  # fmt: skip
SUPPOSING = (
    "If he were smiling it would be {}.", "Had the brows been lowered, I would have said {}.", "Is this person feeling {}?",
    "Do you want me to look for {}?", "For this to be {}, the eyes would need to be wider.", "{} would require wider eyes.",
    "Is it {}? Not at all.", "This is the opposite of {}.", "{} seems to be absent.", "I doubt that this is {}.",
    "One might expect {} here.", "I wonder whether it is {}.",
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(BASIC[:-1]),
    st.sampled_from([*DECLINING, *SUPPOSING]),
    st.sampled_from(["", "Sorry. ", "Thanks for the picture. "]),
)
def test_a_label_named_while_declining_or_supposing_is_never_the_answer(
    label: str, frame: str, before: str
) -> None:
    answer = read(before + frame.format(label, label), EMOTION)
    wanted = Outcome.REFUSED if frame in DECLINING else Outcome.UNPARSED
    assert answer.outcome is wanted, answer.rule


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(BASIC[:-1]),
    st.sampled_from(BASIC[:-1]),
    st.sampled_from(
        ["{1}. No, scratch that, {0}.", "Answer: {1}\n\nCorrection: {0}", "{1}... Actually, {0}.", "{0} over {1}",
         "Primarily {0}, with some {1}.", "Top-1: {0}; Top-2: {1}", "{1} 0.2, {0} 0.7", "{0} (80%), {1} (20%)",
         "It could be {1}. However, {0} is more likely.", "Not {1} but {0}.", "I can't see any {1}, just {0}.",
         "Is it {1}? No. It is {0}.", "{0} rather than {1}", "Initially I thought {1}, but it is {0}."]
    ),
)  # fmt: skip
def test_which_of_two_labels_is_meant(label: str, other: str, frame: str) -> None:
    assume(label != other)
    assert read(frame.format(label, other), EMOTION).value == label
