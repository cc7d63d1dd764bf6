"""Who is mixed with whom: the rule, and that the trials record it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.conditions.mixture import partner_in
from harness.run.log import read_log
from harness.run.mix_pairing import Candidate, partners
from tests.run.bench import RuleModel, make_world

CANDIDATES = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=0, max_size=30
).map(lambda pairs: [Candidate(f"s{i}", label, who) for i, (label, who) in enumerate(pairs)])


@settings(max_examples=150, deadline=None)
@given(CANDIDATES, st.integers(0, 5))
def test_partners_differ_in_label_and_subject_and_are_found_where_there_are_any(
    candidates: list[Candidate], seed: int
) -> None:
    found = partners(candidates, seed=seed)
    known = {one.id: one for one in candidates}
    for one in candidates:
        fit = [o for o in candidates if o.label != one.label and o.subject != one.subject]
        assert (one.id in found) == bool(fit)
        if fit:
            other = known[found[one.id]]
            assert other.label != one.label
            assert other.subject != one.subject
    assert partners(list(reversed(candidates)), seed=seed) == found


def many(count: int) -> list[Candidate]:
    return [Candidate(f"s{i}", "abcdefg"[i % 7], f"person {i // 5}") for i in range(count)]


def test_a_further_sample_changes_few_partners_and_another_seed_many() -> None:
    before, after = partners(many(300), seed=0), partners(many(301), seed=0)
    assert sum(before[one] != after[one] for one in before) <= 5
    other = partners(many(300), seed=1)
    assert sum(before[one] != other[one] for one in before) > 250


def test_nobody_is_everybodys_partner_and_one_common_label_takes_no_long_walks() -> None:
    used = list(partners(many(700), seed=0).values())
    assert max(used.count(one) for one in set(used)) <= 8
    common = [Candidate(f"s{i}", "a" if i % 100 else "b", str(i)) for i in range(20_000)]
    assert len(partners(common, seed=0)) == 20_000


def test_trials_record_their_partner_and_samples_with_one_person_alone_fail(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=9)
    _, tally = world.run(RuleModel(), prompts=("emotion/plain",), conditions=("none", "mix:0.5"))
    assert tally.trials == 18
    assert tally.failed == 0
    lines = [line for _, line in read_log(world.folder.trials)]
    told = {
        line["trial"].rpartition("/")[2]: partner_in(line["shown"]["changes"])
        for line in lines
        if "shown" in line
    }
    assert len(told) == 9
    for sample, partner in told.items():
        assert partner is not None
        own, other = int(sample[1:-4]), int(partner[1:-4])
        assert own % 2 != other % 2
        assert own // 3 != other // 3
    model = RuleModel()
    world.run(model, prompts=("emotion/plain",), conditions=("none", "mix:0.5"))
    assert model.asked == []  # the same partners, the same bytes
    alone = make_world(tmp_path / "alone", count=3)
    _, tally = alone.run(RuleModel(), prompts=("emotion/plain",), conditions=("mix:0.5",))
    assert tally.failed == 3
    assert "another label and subject" in tally.first_failure
