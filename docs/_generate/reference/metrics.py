"""The page on metrics."""

from __future__ import annotations

import math
from itertools import groupby

from harness.metrics import every_metric
from harness.metrics.metric import Metric, written

from .markdown import code, entry, page, prose

_INTRO = """
# Metrics

Every metric is one record. It says its name, its title in tables, its range, which way is better, how it is computed
and where the formula is from. A task file names metrics under `fields.NAME.metrics`. `harness list metrics` lists also
those of other packages.

In the formulas, i = 1..n counts samples and k = 1..C counts classes. t is the truth and y the answer. n_k is how often
class k is true, and m_k how often it is answered. TP, FP and FN are true positives, false positives and false
negatives. [...] is 1 where the statement in it holds, else 0. v is the coverage: the share of samples with an answer.

A sample without an answer counts as a miss in the strict value, unless the metric says otherwise. A name with `_answered` behind it is the same metric
over the answered samples only; read it together with the coverage. A name such as `recall[anger]` is the value of one
class.
"""

_FAMILIES = {
    "label": ("Label fields", "For fields of the kinds `label` and `yes-no`. The classes are those that occur in the "
              "truth of the whole scored set. They stay the same in every slice and resample."),
    "set": ("Set fields", "For fields of the kind `set`, such as action units. T is the true set and A the answered "
            "set."),
    "number": ("Number fields", "For fields of the kind `number`, such as valence, arousal and age. s is a standard "
               "deviation or a covariance in its population form, and a bar is a mean."),
    "text": ("Text fields", "For fields of the kind `text`, and for answers as sentences. c is the number of words "
             "answered and r that of the truth. Libraries differ by a factor on short answers, so each value bears the "
             "name of its library. A name with `_ceiling` behind it is what a perfect answer scores."),
    "soft": ("Truths that are votes", "For label fields whose truth is a distribution over the labels. w is the share "
             "of a sample's votes that are for labels of the field."),
    "probability": ("Probabilities of labels", "On the channel `logprob`, and for prompts that ask for percentages. p "
                    "is a probability after renormalising over the labels."),
    "selective": ("Answers with a confidence", "For answers that come with a confidence; see [Statistics](../statistics.md"
        "#risk-against-coverage). Not names for `metrics:`: they stand in the report of their own accord."),
    "spotting": ("Spotting", "For tasks with `spotting`. m is the number of emotions."),
}  # fmt: skip


def metrics_page() -> str:
    """Every metric of this package, family by family."""
    blocks = [_INTRO]
    for needs, found in groupby(every_metric(), key=lambda metric: metric.needs):
        if needs not in _FAMILIES:
            continue  # of another package
        title, about = _FAMILIES[needs]
        blocks += [f"## {title}", about]
        blocks += [_metric(metric) for metric in found if not metric.name.endswith("_ceiling")]
    return page(*blocks)


def _metric(metric: Metric) -> str:
    better = {"higher": "higher is better", "lower": "lower is better", "none": "neither way is better"}  # fmt: skip
    low, high = metric.range
    ends = f"{low:g} to {'no limit' if math.isinf(high) else f'{high:g}'}"
    facts = f"{metric.title}; {ends}; {better[metric.better]}"
    if metric.same_as:
        facts += f"; the same number as {code(metric.same_as)}"
    said = metric.estimator[0].upper() + metric.estimator[1:]
    lines = [
        f"{prose(said)}.",
        f"Formula: {code(metric.formula)}",
        f"Source: {prose(metric.source)}.",
    ]
    anchor = f"{metric.needs}-{metric.name}".replace("@", "-at-").replace("_", "-")
    return entry(written(metric), facts, "  \n".join(lines), anchor=anchor)
