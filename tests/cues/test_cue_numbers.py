"""Numbers of the cue audit against independent oracles, hand-made tables and simulation."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats as scipy_stats
from sklearn.linear_model import LinearRegression
from statsmodels.stats.contingency_tables import StratifiedTable

from harness.cues.causes import CuePair, by_subject, effect_of, faithfulness, spearman, verdict
from harness.cues.gaps import accuracy_gap, ccc_gap
from harness.cues.perceived import false_alarm_effect, perception
from harness.cues.quadrant import AROUSAL, VALENCE, sign_agreement
from harness.cues.regression import fit, one_hot


def world(n=240, subjects=24, seed=0, strength=0.5):
    """Cues, a valence that follows two of them, and subjects."""
    rng = np.random.default_rng(seed)
    cues = {
        "mouth": rng.choice(["smile", "neutral", "frown"], n),
        "eyebrows": rng.choice(["raised", "neutral"], n),
        "nose": rng.choice(["wrinkled", "neutral"], n),
    }
    clusters = np.arange(n) % subjects
    y = strength * ((cues["mouth"] == "smile") * 1.0 - (cues["mouth"] == "frown") * 1.0)
    y = y + 0.2 * strength * (cues["eyebrows"] == "raised") + rng.normal(0, 0.3, n)
    y = y + rng.normal(0, 0.1, subjects)[clusters]
    return y, cues, clusters


def test_the_regression_is_ordinary_least_squares():
    y, cues, clusters = world()
    found = fit("valence", y, cues, clusters, seed=1)
    design = one_hot(cues)
    oracle = sm.OLS(y, design.matrix).fit()
    assert found.r2.value == pytest.approx(oracle.rsquared)
    scale = y.std()
    for effect, coefficient in zip(found.effects, oracle.params[1:], strict=True):
        assert effect.estimate.value == pytest.approx(coefficient / scale)
        assert effect.estimate.low < effect.estimate.value < effect.estimate.high
    without = sm.OLS(y, np.delete(design.matrix, design.of("mouth"), axis=1)).fit()
    drop = next(w for w in found.weights if w.cue == "mouth").drop.value
    assert drop == pytest.approx(oracle.rsquared - without.rsquared)
    assert found.weights[0].cue == "mouth"


def test_the_held_out_fit_leaves_subjects_out():
    y, cues, clusters = world()
    found = fit("valence", y, cues, clusters, seed=1)
    x = one_hot(cues).matrix
    folds = np.random.default_rng([1, 23]).permutation(24) % 10
    error = spread = 0.0
    for fold in range(10):
        inside = np.isin(clusters, np.flatnonzero(folds == fold))
        model = LinearRegression(fit_intercept=False).fit(x[~inside], y[~inside])
        error += ((y[inside] - model.predict(x[inside])) ** 2).sum()
        spread += ((y[inside] - y[~inside].mean()) ** 2).sum()
    assert found.r2_held_out.value == pytest.approx(1 - error / spread)
    assert found.r2_held_out.value < found.r2.value


def test_noise_has_an_r2_in_sample_and_none_held_out():
    held, inside = [], []
    for seed in range(12):
        y, cues, clusters = world(n=60, subjects=12, seed=seed, strength=0.0)
        found = fit("valence", y, cues, clusters, seed=1)
        held.append(found.r2_held_out.value)
        inside.append(found.r2.value)
    assert np.mean(inside) > 0.03
    assert np.mean(held) < 0.0


def test_too_little_to_fit():
    y, cues, clusters = world(n=4, subjects=4)
    assert fit("valence", y, cues, clusters, seed=1) is None
    y, cues, clusters = world()
    assert fit("valence", np.zeros_like(y), cues, clusters, seed=1) is None
    assert fit("valence", y, cues, np.zeros_like(clusters), seed=1) is None


def test_the_false_alarm_effect_is_mantel_haenszel():
    rng = np.random.default_rng(4)
    classes = rng.choice(["anger", "happiness", "neutral"], 300)
    seen = rng.choice(["yes", "no"], 300, p=[0.3, 0.7])
    base = np.array([{"anger": 0.1, "happiness": 0.7, "neutral": 0.2}[c] for c in classes])
    happy = rng.random(300) < base + 0.2 * (seen == "yes")
    judged = np.where(happy, "happiness", "neutral")
    found = false_alarm_effect(
        "teeth_visible", truth=["no"] * 300, seen=list(seen), judged=list(judged),
        classes=list(classes), label="happiness", clusters=np.arange(300) % 50, seed=0,
    )  # fmt: skip
    tables = []
    for name in ("anger", "happiness", "neutral"):
        inside = classes == name
        tables.append(
            [[(inside & (seen == s) & (happy == h)).sum() for h in (True, False)] for s in ("yes", "no")]
        )  # fmt: skip
    weights = [sum(t[0]) * sum(t[1]) / (sum(t[0]) + sum(t[1])) for t in tables]
    risks = [t[0][0] / sum(t[0]) - t[1][0] / sum(t[1]) for t in tables]
    assert found.effect.value == pytest.approx(np.average(risks, weights=weights))
    assert found.effect.low < found.effect.value < found.effect.high
    # The oracle's odds ratio lies on the same side.
    assert StratifiedTable([np.array(t) for t in tables]).oddsratio_pooled > 1
    assert found.alarms == (seen == "yes").sum()


def test_a_false_alarm_needs_both_kinds_in_one_class():
    found = false_alarm_effect(
        "teeth_visible", truth=["no"] * 4, seen=["yes", "yes", "no", "no"],
        judged=["happiness"] * 4, classes=["anger", "anger", "fear", "fear"], label="happiness",
        clusters=[1, 2, 3, 4], seed=0,
    )  # fmt: skip
    assert found is None


def test_perception_counts_hits_and_false_alarms():
    truth = ["yes"] * 4 + ["no"] * 6
    seen = ["yes", "yes", "yes", None, "yes", "no", "no", "no", "no", "no"]
    found = perception("teeth_visible", "yes", truth, seen, range(10), seed=0)
    assert (found.hits.value, found.hits.n) == (0.75, 4)
    assert found.false_alarms.value == pytest.approx(1 / 6)


def test_gaps_by_group():
    groups = ["shown"] * 40 + ["hidden"] * 60 + ["odd"] * 3
    right = [True] * 30 + [False] * 10 + [True] * 30 + [False] * 30 + [True] * 3
    found = accuracy_gap(
        "teeth", "emotion", groups=groups, right=right, clusters=np.arange(103), seed=0
    )
    assert [(g.name, g.score.value) for g in found.groups] == [("shown", 0.75), ("hidden", 0.5)]
    assert found.gap.value == 0.25
    assert found.suppressed == ("odd (3)",)
    rng = np.random.default_rng(0)
    truth = rng.normal(size=100)
    said = truth + rng.normal(size=100) * np.repeat([0.2, 2.0], 50)
    ccc = ccc_gap(
        "teeth", "valence", groups=["a"] * 50 + ["b"] * 50, truth=truth, said=said,
        clusters=np.arange(100), seed=0,
    )  # fmt: skip
    x, y = truth[:50], said[:50]
    expected = 2 * np.cov(x, y, ddof=0)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    assert ccc.groups[0].score.value == pytest.approx(expected)
    assert ccc.gap.value > 0.3


def test_signs():
    judged = ["happiness", "anger", "surprise", "neutral", None, "fear"]
    valence = [0.5, 0.4, -0.9, 0.9, 0.1, None]
    found = sign_agreement(judged, valence, VALENCE, range(6), seed=0)
    assert (found.value, found.n) == (0.5, 2)
    assert sign_agreement(judged, [0.2, 0.3, 0.4, 0, 0, -0.5], AROUSAL, range(6), seed=0).n == 3
    assert sign_agreement(["neutral"], [0.3], VALENCE, [0], seed=0) is None


def pairs_of(changes, subjects=40):
    return [CuePair(str(i), str(i % subjects), 0.5 + c, 0.5) for i, c in enumerate(changes)]


def test_the_decision_rule():
    rng = np.random.default_rng(0)

    def decided(mean, noise=0.05, n=400):
        pairs = pairs_of(rng.normal(mean, noise, n))
        return verdict(effect_of("teeth_visible", ("yes", "no"), "P(happiness)", pairs, seed=0))

    assert decided(0.2) == "caught"
    assert decided(0.0) == "cleared"
    assert decided(0.09) == "undecided"
    assert decided(-0.2) == "undecided"
    assert decided(0.0, noise=1.5) == "undecided"


def test_pairs_with_a_half_missing_are_dropped_and_counted():
    pairs = [*pairs_of([0.1, 0.3]), CuePair("x", "0", None, 0.4)]
    found = effect_of("teeth_visible", ("yes", "no"), "valence", pairs, seed=0)
    assert (found.pairs, found.dropped) == (2, 1)
    assert found.change.value == pytest.approx(0.2)


def test_the_interval_covers_clustered_pairs():
    """Coverage of the mean paired change, 40 subjects with 10 pairs each and effects of their own."""
    covered = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        changes = 0.1 + np.repeat(rng.normal(0, 0.1, 40), 10) + rng.normal(0, 0.1, 400)
        pairs = [CuePair(str(i), str(i // 10), 0.5 + c, 0.5) for i, c in enumerate(changes)]
        change = effect_of("c", ("a", "b"), "o", pairs, seed=seed).change
        covered += change.low <= 0.1 <= change.high
    assert 0.90 <= covered / 200 <= 0.99


def test_spearman_has_an_oracle():
    rng = np.random.default_rng(2)
    for _ in range(20):
        x, y = rng.integers(0, 5, 8), rng.integers(0, 5, 8)
        if np.ptp(x) and np.ptp(y):
            assert spearman(x, y) == pytest.approx(scipy_stats.spearmanr(x, y).statistic)
    assert np.isnan(spearman([1, 1, 1], [1, 2, 3]))


def test_faithful_and_unfaithful():
    rng = np.random.default_rng(0)
    cues = ("eyebrows", "eyes", "mouth", "teeth_visible")
    effects = {
        str(s): {c: e + rng.normal(0, 0.02) for c, e in zip(cues, (0.02, 0.05, 0.1, 0.4), strict=True)}
        for s in range(30)
    }  # fmt: skip
    honest = {s: {c: 10 * e for c, e in by.items()} for s, by in effects.items()}
    liar = {s: dict(zip(cues, (9, 3, 2, 0), strict=True)) for s in effects}
    assert faithfulness(honest, effects, seed=0).correlation.value == pytest.approx(1)
    found = faithfulness(liar, effects, seed=0)
    assert found.correlation.high < 0
    assert found.subjects == 30
    assert faithfulness({"1": {"a": 1.0}}, {"1": {"a": 1.0}}, seed=0) is None


def test_changes_by_subject():
    pairs = {
        "mouth": [
            CuePair("a", "s", 0.9, 0.5),
            CuePair("b", "s", 0.1, 0.3),
            CuePair("c", "t", None, 1),
        ]
    }
    assert by_subject(pairs) == {"s": {"mouth": pytest.approx(0.3)}}
