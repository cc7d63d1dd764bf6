"""Pairs of pictures: LFW, CFP, lists, tables with two columns, drawn pairs; and CelebA's attributes and identities."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from harness.core.errors import HarnessError, MediaError
from harness.core.field import FieldSpec
from harness.faces import pair_at
from harness.sources import open_source

from .layouts import picture, text

SAME = {"same": FieldSpec(kind="pairs", low=0, high=100, words={"yes": 100, "no": 0})}


def samples(options, base, fields=SAME):
    return list(open_source({**options, "root": str(base)}, fields=fields, base=base))


def told(sample):
    """Truth, fold, subjects, and the last parts of both paths."""
    names = ["/".join(Path(m.frames[0].name).parts[-2:]) for m in (sample.medium, sample.second)]
    notes = sample.annotations
    return sample.targets["same"], notes.get("fold"), sample.cluster, notes["other_subject"], *names


LFW = [
    "2\t2", "Ann_Bee\t1\t2", "Ann_Bee\t1\t3", "Ann_Bee\t1\tCal_Dee\t1", "Cal_Dee\t1\tAnn_Bee\t3",
    "Eve_Fox\t1\t2", "Eve_Fox\t2\t3", "Eve_Fox\t1\tGus_Hat\t12", "Gus_Hat\t12\tEve_Fox\t2",
]  # fmt: skip


@pytest.mark.parametrize("folder", ["", "lfw-deepfunneled"])
def test_lfw_pairs_with_their_folds(tmp_path, folder):
    text(tmp_path / "pairs.txt", LFW)
    picture(tmp_path / folder / "Ann_Bee" / "Ann_Bee_0001.jpg")
    found = samples({"family": "lfw"}, tmp_path)
    assert [told(one)[:4] for one in found] == [
        (100, "1", "Ann_Bee", "Ann_Bee"), (100, "1", "Ann_Bee", "Ann_Bee"), (0, "1", "Ann_Bee", "Cal_Dee"),
        (0, "1", "Cal_Dee", "Ann_Bee"), (100, "2", "Eve_Fox", "Eve_Fox"), (100, "2", "Eve_Fox", "Eve_Fox"),
        (0, "2", "Eve_Fox", "Gus_Hat"), (0, "2", "Gus_Hat", "Eve_Fox"),
    ]  # fmt: skip
    assert told(found[6])[4:] == ("Eve_Fox/Eve_Fox_0001.jpg", "Gus_Hat/Gus_Hat_0012.jpg")
    assert found[0].medium.frames[0].read()
    with pytest.raises(MediaError):
        found[0].second.frames[0].read()


def test_lfw_of_one_list_without_folds(tmp_path):
    text(tmp_path / "pairsDevTest.txt", ["1", "Ann Bee\t1\t2", "Ann Bee\t1\tCal\t1"])
    found = samples({"family": "lfw", "pairs": "pairsDevTest.txt"}, tmp_path)
    assert [told(one)[:4] for one in found] == [(100, None, "Ann Bee", "Ann Bee"), (0, None, "Ann Bee", "Cal")]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (LFW[:-1], "promises 8"),
        (["people", *LFW[1:]], "does not begin"),
        ([*LFW[:2], LFW[3], LFW[2], *LFW[4:]], "line 3"),
        ([LFW[0], "../x\t1\t2", *LFW[2:]], "line 2"),
        ([LFW[0], "Ann_Bee\tone\t2", *LFW[2:]], "line 2"),
        ([LFW[0], "Ann_Bee\t\u00b2\t2", *LFW[2:]], "line 2"),
        ([LFW[0], f"Ann_Bee\t{'9' * 5000}\t2", *LFW[2:]], "line 2"),
        (["\u00b2\t2", *LFW[1:]], "does not begin"),
    ],
)
def test_lfw_lines_that_are_no_pairs_are_named(tmp_path, lines, said):
    text(tmp_path / "pairs.txt", lines)
    with pytest.raises(HarnessError, match=said):
        samples({"family": "lfw"}, tmp_path)


def cfp(root: Path) -> None:
    text(root / "Protocol" / "Pair_list_F.txt", [f"{n} ../Data/Images/00{n}/frontal/01.jpg" for n in (1, 2)])  # fmt: skip
    text(root / "Protocol" / "Pair_list_P.txt", [f"{n} ../Data/Images/00{n}/profile/02.jpg" for n in (1, 2)])  # fmt: skip
    for kind in ("FP", "FF"):
        for fold in ("01", "02"):
            text(root / "Protocol" / "Split" / kind / fold / "same.txt", ["1,1", "2,2"])
            text(root / "Protocol" / "Split" / kind / fold / "diff.txt", ["1,2"])


def test_cfp_protocols(tmp_path):
    cfp(tmp_path)
    found = samples({"family": "cfp"}, tmp_path)
    assert [told(one)[:4] for one in found[:3]] == [(100, "1", "001", "001"), (100, "1", "002", "002"), (0, "1", "001", "002")]  # fmt: skip
    assert told(found[2])[4:] == ("frontal/01.jpg", "profile/02.jpg")
    assert found[2].second.frames[0].name.endswith("Data/Images/002/profile/02.jpg")
    front = samples({"family": "cfp", "protocol": "FF"}, tmp_path)
    assert told(front[2])[4:] == ("frontal/01.jpg", "frontal/01.jpg")
    assert len(found) == 6


def test_cfp_names_a_place_that_no_list_has_and_a_path_outside(tmp_path):
    cfp(tmp_path)
    text(tmp_path / "Protocol" / "Split" / "FP" / "02" / "diff.txt", ["1,9"])
    with pytest.raises(HarnessError, match=r"02/diff\.txt, line 1"):
        samples({"family": "cfp"}, tmp_path)
    text(tmp_path / "Protocol" / "Pair_list_F.txt", ["1 ../../secret.jpg"])
    with pytest.raises(HarnessError, match="below the set"):
        samples({"family": "cfp"}, tmp_path)


def test_a_list_of_pairs_in_ten_blocks(tmp_path):
    lines = [f"{n % 2} set/{n}_AnnBee_{30 + n}_f.jpg set/0_x_{n}.jpg" for n in range(20)]
    text(tmp_path / "agedb_30_ann.txt", lines)
    found = samples({"family": "pair-list", "list": "agedb_30_ann.txt"}, tmp_path)
    assert [told(one)[1] for one in found[:5]] == ["1", "1", "2", "2", "3"]
    assert told(found[1])[0] == 100 and told(found[1])[2:4] == ("AnnBee", None)
    for wrong in ("2 a.jpg b.jpg", "1 a.jpg", "1 /etc/a.jpg b.jpg", "1 a.jpg ../b.jpg"):
        text(tmp_path / "agedb_30_ann.txt", [wrong])
        with pytest.raises(HarnessError, match="line 1"):
            samples({"family": "pair-list", "list": "agedb_30_ann.txt"}, tmp_path)
    text(tmp_path / "agedb_30.bin", ["x"])
    with pytest.raises(HarnessError, match="pickle"):
        samples({"family": "pair-list", "list": "agedb_30.bin"}, tmp_path)


def test_a_list_sorted_by_label_has_no_blocks_that_are_folds_and_tabs_part_names_with_blanks(
    tmp_path,
):
    text(
        tmp_path / "list.txt", [f"{int(n < 10)}\tset/a b {n}.jpg\tset/c {n}.jpg" for n in range(20)]
    )
    found = samples({"family": "pair-list", "list": "list.txt"}, tmp_path)
    assert {told(one)[1] for one in found} == {None}
    assert told(found[3])[4:] == ("set/a b 3.jpg", "set/c 3.jpg")


def test_one_column_is_no_pair(tmp_path):
    text(tmp_path / "pairs.csv", ["image,same", "a.png,yes"])
    options = {
        "family": "table",
        "file": str(tmp_path / "pairs.csv"),
        "image": "image",
        "second": "image",
    }
    with pytest.raises(HarnessError, match="same column"):
        open_source(options, fields=SAME, base=tmp_path)


def test_tables_with_two_columns_of_pictures(tmp_path):
    rows = ["image,other,same,who,whom,fold", "a.png,b.png,yes,Ann,Ann,1", "a.png,,no,Ann,Bea,1", "a.png,c.png,0,Ann,Cal,2"]  # fmt: skip
    text(tmp_path / "pairs.csv", rows)
    picture(tmp_path / "c.png")
    options = {
        "family": "table", "file": str(tmp_path / "pairs.csv"), "second": "other", "subject": "who",
        "other_subject": "whom",
    }  # fmt: skip
    source = open_source(options, fields=SAME, base=tmp_path)
    found = list(source)
    assert [told(one)[:4] for one in found] == [(100, "1", "Ann", "Ann"), (0, "2", "Ann", "Cal")]
    assert found[1].second.frames[0].read() and source.skipped()[0].count == 1
    assert len(list(source.truths())) == 3
    with pytest.raises(HarnessError, match=r"source\.second"):
        open_source({**options, "second": "nothing"}, fields=SAME, base=tmp_path)


def test_drawn_pairs_are_balanced_and_no_person_is_in_two_folds():
    pairs = [pair_at(index, n=120, seed=7, split="test") for index in range(120)]
    assert Counter(one.pair for one in pairs) == {"genuine": 60, "look-alike": 30, "other person": 30}  # fmt: skip
    folds: dict[str, set[int]] = {}
    for one in pairs:
        people = (one.first.identity, one.second.identity)
        same = people[0].subject == people[1].subject
        assert same == (one.pair == "genuine")
        assert not same or one.first != one.second
        if one.pair == "look-alike":
            assert all(getattr(people[0], n) == getattr(people[1], n) for n in ("hair_style", "glasses", "beard"))  # fmt: skip
            assert abs(people[0].skin_tone - people[1].skin_tone) <= 1
            assert people[0].nose_width != people[1].nose_width
        for person in people:
            folds.setdefault(person.subject, set()).add(one.fold)
    assert all(len(found) == 1 for found in folds.values())
    assert {fold for found in folds.values() for fold in found} == set(range(1, 11))
    assert len({(o.first.identity.subject, o.first.emotion, o.second.identity.subject, o.second.emotion) for o in pairs}) == 120  # fmt: skip


@pytest.mark.parametrize("folder", ["", "Anno"])
def test_celeba_attributes_identities_and_parts(tmp_path, folder):
    text(tmp_path / folder / "list_attr_celeba.txt", ["3", "Male Smiling Young", "000001.jpg -1  1  1", "000002.jpg  1 -1 1", "000003.jpg 1 1 -1"])  # fmt: skip
    text(tmp_path / folder / "identity_CelebA.txt", ["000001.jpg 2880", "000002.jpg 2937", "000003.jpg 2880"])  # fmt: skip
    text(tmp_path / "list_eval_partition.txt", ["000001.jpg 2", "000002.jpg 0", "000003.jpg 2"])
    picture(tmp_path / "img_align_celeba" / "000001.jpg")
    fields = {"answer": FieldSpec(kind="yes-no")}
    options = {"family": "celeba", "targets": {"answer": "Smiling"}}
    found = samples(options, tmp_path, fields)
    assert [(s.id, s.targets["answer"], s.cluster, s.annotations["Male"]) for s in found] == [
        ("000001.jpg", "yes", "2880", "no"), ("000003.jpg", "yes", "2880", "yes"),
    ]  # fmt: skip
    assert found[0].medium.frames[0].read()
    assert len(samples({**options, "split": "all"}, tmp_path, fields)) == 3
    with pytest.raises(HarnessError, match="Grinning"):
        samples({**options, "targets": {"answer": "Grinning"}}, tmp_path, fields)
    text(tmp_path / folder / "list_attr_celeba.txt", ["3", "Male Smiling Young", "000001.jpg -1 1"])
    with pytest.raises(HarnessError, match="line 3"):
        samples(options, tmp_path, fields)


def test_celeba_as_tables_of_commas_and_files_that_do_not_fit_together(tmp_path):
    text(tmp_path / "list_attr_celeba.csv", ["image_id,Male,Smiling", "1.jpg,-1,1", "2.jpg,1,-1"])
    text(tmp_path / "list_eval_partition.csv", ["image_id,partition", "1.jpg,2", "2.jpg,0"])
    fields = {"answer": FieldSpec(kind="yes-no")}
    options = {"family": "celeba", "targets": {"answer": "Smiling"}}
    assert [(s.id, s.targets["answer"]) for s in samples(options, tmp_path, fields)] == [
        ("1.jpg", "yes")
    ]
    for partition, attributes, said in (
        ("1.jpg,2", ["image_id,Male,Smiling", "1.jpg,-1,1", "2.jpg,1,-1"], r"2\.jpg is in"),
        ("1.jpg,7", ["image_id,Male,Smiling", "1.jpg,-1,1"], "no part"),
        ("1.jpg,2", ["image_id,Smiling,Smiling", "1.jpg,-1,1"], "twice"),
    ):
        text(tmp_path / "list_eval_partition.csv", ["image_id,partition", partition])
        text(tmp_path / "list_attr_celeba.csv", attributes)
        with pytest.raises(HarnessError, match=said):
            samples(options, tmp_path, fields)
    text(tmp_path / "list_attr_celeba.txt", ["9", "Male Smiling", "1.jpg -1 1"])
    with pytest.raises(HarnessError, match="promises 9"):
        samples({**options, "split": "all"}, tmp_path, fields)
