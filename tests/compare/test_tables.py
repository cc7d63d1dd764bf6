"""A report whose numbers are fixed, against a golden file."""

from __future__ import annotations

import json
import math
from pathlib import Path

from harness.compare import Comparison, Report
from harness.compare.comparison import Change, FactorRow, Factors, Party, RankRow, Ranks, Settle
from harness.compare.markdown import markdown
from harness.compare.tables import blocks

GOLDEN = Path(__file__).parents[1] / "golden" / "compare" / "report.md"
A = Party("runs/one", "affect-tiny", "emotion/plain", "none", "single")
B = Party("runs/one", "affect-tiny", "emotion/cot", "blank", "single")
C = Party("said.csv", "predictions:said.csv", "-", "none", "single")


def change(of: str, difference: float, p: float, *, counted: bool = True) -> Change:
    return Change(
        of=of, a=0.5 + difference, b=0.5, difference=difference, low=difference - 0.1,
        high=difference + 0.1, p=p, p_holm=min(1.0, 2 * p), p_bh=p, test="exact McNemar",
        interval="95% percentile bootstrap over clusters", n=1200,
        only_a=20 if counted else None, only_b=9 if counted else None,
    )  # fmt: skip


def comparison(b: Party, *, unlike: tuple[str, ...] = ()) -> Comparison:
    return Comparison(
        task="table/emotion", field="emotion", slice="all", axis="prompt", a=A, b=b, n=1200,
        clusters=80, unit="subject", dropped_a=0, dropped_b=3, pending_a=2, pending_b=0,
        metrics=(change("uar", 0.0321, 0.0004), change("rmse", -0.2, math.nan, counted=False)),
        classes=(change("anger", 0.1, 0.2), change("fear|<b>", -0.05, 0.9)),
        slices=(change("light=dim", 0.02, 0.4),),
        settle=(Settle("uar", 0.04, math.inf, 0.8, "significant at the 5% level"),), unlike=unlike,
    )  # fmt: skip


REPORT = Report(
    comparisons=(comparison(B), comparison(C, unlike=("packages.torch (2.1 against 2.2)",))),
    ranks=(
        Ranks("table/emotion", "emotion", "all", "uar", 1200, (
            RankRow(A, 0.53, 0.5, 0.56, 1, 1, (2,)), RankRow(C, 0.51, math.nan, math.nan, 2, 1, (1,)),
        )),
    ),
    factors=(
        Factors("table/emotion", "emotion", "all", "uar", 0.52, 4, 1200, (
            FactorRow("prompt", 0.03, 0.75, 0.01, 0.05, False), FactorRow("rest", 0.0, math.nan, 0, 0, True),
        )),
    ),
    notes=("said.csv: 1 row left out: no id",),
)  # fmt: skip


def test_markdown_is_what_the_golden_file_holds() -> None:
    assert markdown(blocks(REPORT)) == GOLDEN.read_text(encoding="utf-8")


def test_json_holds_no_nan_and_says_what_is_unlike() -> None:
    body = json.loads(REPORT.to_json())
    assert body["unlike"] == ["packages.torch (2.1 against 2.2)"]
    assert body["comparisons"][0]["metrics"][1]["p"] is None
    assert body["comparisons"][0]["settle"][0]["samples"] is None
