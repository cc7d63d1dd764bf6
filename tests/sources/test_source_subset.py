"""Frozen subsets: drawn once, balanced, refused when edited."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.source import Source, source_notes
from harness.sources import open_source
from harness.sources.subset import draw_subset, read_subset, shares, subset_text

FIELDS = {"emotion": FieldSpec(kind="label")}


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """60 rows: 30 anger, 20 fear, 10 joy; of each half m, half f; one row without gender."""
    labels = ["anger"] * 30 + ["fear"] * 20 + ["joy"] * 10
    rows = [f"{n}.png,{label},{'mf'[n % 2]}" for n, label in enumerate(labels)]
    rows.append("60.png,joy,")
    (tmp_path / "t.csv").write_text("image,emotion,gender\n" + "\n".join(rows) + "\n")
    return tmp_path


def opened(base: Path, **options: str) -> Source:
    return open_source({"family": "table", "file": "t.csv", **options}, fields=FIELDS, base=base)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(1, 200))
def test_shares_are_as_equal_as_can_be(sizes: list[int], n: int) -> None:
    available = {(str(k),): size for k, size in enumerate(sizes)}
    counts = shares(available, n)
    assert sum(counts.values()) == min(n, sum(sizes))
    assert all(counts[s] <= available[s] for s in available)
    not_used_up = [counts[s] for s in available if counts[s] < available[s]]
    assert not not_used_up or max(counts.values()) - min(not_used_up) <= 1


def test_a_subset_is_balanced_and_the_same_each_time(many: Path) -> None:
    source = opened(many)
    subset = draw_subset(source, 36, balance=["emotion", "gender"], seed=3)
    assert set(subset.counts.values()) == {5, 6, 7}
    assert subset.counts["joy", "f"] == subset.counts["joy", "m"] == 5
    assert subset.left_out == 1
    assert draw_subset(source, 36, balance=["emotion", "gender"], seed=3) == subset
    assert draw_subset(source, 36, balance=["emotion", "gender"], seed=4) != subset
    more = draw_subset(source, 48, balance=["emotion", "gender"], seed=3)
    assert set(subset.samples) < set(more.samples)
    plain = draw_subset(source, 10)
    assert len(plain.samples) == len(set(plain.samples)) == 10


@pytest.mark.parametrize(
    ("n", "balance", "message"),
    [(62, [], "only 61 samples"), (5, ["age"], "no sample has a value for 'age'")],
)
def test_what_cannot_be_drawn_is_told(n: int, balance: list[str], message: str, many: Path) -> None:
    with pytest.raises(HarnessError, match=message):
        draw_subset(opened(many), n, balance=balance)


def frozen(many: Path) -> Path:
    source = opened(many)
    subset = draw_subset(source, 12, balance=["emotion"], seed=1)
    text = subset_text(subset, task="mine", data=source.digest(), balance=["emotion"], seed=1)
    (many / "subset.yaml").write_text(text)
    return many / "subset.yaml"


def test_a_run_takes_a_subset(many: Path) -> None:
    names = read_subset(frozen(many))["samples"]
    source = opened(many, subset="subset.yaml")
    assert [s.id for s in source] == names
    assert [(s.reason, s.count) for s in source.skipped()] == [("not in the subset", 49)]
    assert source.digest() != opened(many).digest()
    (said,) = source_notes(source)
    assert "have changed" not in said
    (many / "t.csv").write_text((many / "t.csv").read_text().replace("anger", "rage"))
    (said,) = source_notes(opened(many, subset="subset.yaml"))
    assert "have changed since it was drawn" in said


def test_a_sample_that_is_gone_is_told(many: Path) -> None:
    frozen(many)
    (many / "t.csv").write_text("image,emotion\n0.png,anger\n")
    with pytest.raises(HarnessError, match="samples that the source does not have"):
        list(opened(many, subset="subset.yaml"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text + '- "60.png"\n', "was edited"),
        (lambda text: "samples: 3\n", "no list of samples"),
        (lambda text: "a: [", "is not a subset"),
        (lambda text: "- 1\n", "no list of samples"),
        (lambda text: "samples: [1]\n", "no list of samples"),
        (lambda text: "\0", "is not a subset"),
        (None, "no such file"),
    ],
)
def test_an_edited_list_is_refused(change: object, message: str, many: Path) -> None:
    path = frozen(many)
    if callable(change):
        path.write_text(change(path.read_text()))
    else:
        path.unlink()
    with pytest.raises(HarnessError, match=message):
        opened(many, subset="subset.yaml")


def test_the_command_writes_it_once(
    many: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(many)
    command = [
        "data", "subset", "table/emotion", "--set", "source.file=t.csv", "--n", "12",
        "--balance", "emotion,gender", "--seed", "1", "--out", "mine.yaml",
    ]  # fmt: skip
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "mine.yaml: 12 of 60 samples" in said
    assert "anger, f: 2 of 15" in said
    assert main(command) == 2
    assert "already exists" in capsys.readouterr().err
    assert main(["run", "table/emotion", "--set", "source.file=t.csv", "--set", "source.subset=mine.yaml",
                 "--out", "run"]) == 0  # fmt: skip
    assert "12 samples" in capsys.readouterr().err
