"""Does mixing in training bring a network's distribution closer to a true mixture, at equal UAR?

`python results/benchmarks/mixing.py` trains the flow network of `harness baseline flow` on drawn clips of one emotion
each, with one label each, with and without mixup of clips, and asks it about blended clips of other people, whose true
shares are known, and about plain clips of these people. Three seeds, differences in pairs.
"""

from __future__ import annotations

import time

import numpy as np

from harness.baselines.flow_inputs import flow_inputs
from harness.baselines.flow_network import TrainingSettings, one_hot, train_and_answer
from harness.core.field import FieldSpec
from harness.metrics import label_family
from harness.metrics.soft import jensen_shannon, kullback_leibler
from harness.score.votes import distribution_of, soft_truth
from harness.sources import open_source

LABELS = ("anger", "contempt", "disgust", "happiness", "surprise")
ALPHAS = (0.4, 1.0)
SEEDS = (0, 1, 2)
DRAWS = 2_000


def clips(kind: str, n: int, seed: int, split: str):
    """(planes, shares, labels, subjects) of drawn clips."""
    spec = FieldSpec(kind="label", labels=LABELS)
    source = {
        "family": "faces",
        "kind": kind,
        "n": n,
        "seed": seed,
        "split": split,
        "labels": LABELS,
    }
    samples = list(open_source(source, fields={"emotion": spec}, base=None))
    labels = [str(sample.targets["emotion"]) for sample in samples]
    shares = one_hot(labels, LABELS)
    truth = soft_truth("emotion", spec, [distribution_of(s.annotations) for s in samples])
    shares[truth.known] = truth.shares[truth.known]
    return flow_inputs(samples).planes, shares, labels, np.array([s.cluster for s in samples])


def uar(labels: list[str], answers: np.ndarray) -> float:
    family = label_family(labels, [LABELS[k] for k in answers.argmax(1)], classes=LABELS)
    return float(family.value("uar", family.rows().sum(axis=0)))


def interval(differences: np.ndarray, subjects: np.ndarray) -> tuple[float, float]:
    """95% percentile bootstrap over subjects of a mean."""
    names, codes = np.unique(subjects, return_inverse=True)
    sums = np.bincount(codes, differences)
    sizes = np.bincount(codes)
    draws = np.random.default_rng(0).integers(len(names), size=(DRAWS, len(names)))
    means = sums[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def main() -> None:
    clock = time.process_time()
    plain, blended = clips("clip", 200, 7, "test"), clips("clip-mixture", 200, 8, "test")
    print(
        "| seed | alpha | UAR, plain clips | KL (nats) | JS (base 2) | KL - KL without | JS - JS without |"
    )
    print("|---|---|---|---|---|---|---|")
    pooled: dict[float, list[tuple[np.ndarray, np.ndarray]]] = {}
    for seed in SEEDS:
        planes, shares, *_ = clips("clip", 300, seed, "train")
        every = np.concatenate([planes, plain[0], blended[0]])
        wanted = np.concatenate([shares, plain[1], blended[1]])
        train, test = np.arange(len(planes)), np.arange(len(planes), len(every))
        found = {}
        for alpha in (0.0, *ALPHAS):
            settings = TrainingSettings(seed=seed, mix=alpha)
            answers = train_and_answer(every, wanted, train, test, settings).astype(float)
            answers /= answers.sum(axis=1, keepdims=True)
            on_plain, on_blended = answers[: len(plain[0])], answers[len(plain[0]) :]
            truth = blended[1].astype(float)
            truth /= truth.sum(axis=1, keepdims=True)
            kl, js = kullback_leibler(truth, on_blended), jensen_shannon(truth, on_blended)
            found[alpha] = kl, js
            told = ["", ""]
            if alpha:
                pooled.setdefault(alpha, []).append((kl - found[0.0][0], js - found[0.0][1]))
                for place in (0, 1):
                    difference = found[alpha][place] - found[0.0][place]
                    low, high = interval(difference, blended[3])
                    told[place] = f"{difference.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
            print(
                f"| {seed} | {alpha:g} | {uar(plain[2], on_plain):.3f} | {kl.mean():.3f} | {js.mean():.3f} | "
                f"{told[0]} | {told[1]} |",
                flush=True,
            )
    for alpha, each in pooled.items():
        for place, name in enumerate(("KL", "JS")):
            difference = np.mean([one[place] for one in each], axis=0)
            low, high = interval(difference, blended[3])
            print(
                f"alpha {alpha:g}, {name}, three seeds: {difference.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
            )
    print(f"CPU seconds: {time.process_time() - clock:.0f}")


if __name__ == "__main__":
    main()
