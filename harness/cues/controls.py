"""How much the controls of covered regions overlap features of the face, from what a run recorded."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.conditions.region import on_features
from harness.cues.contrasts import CUE_OF
from harness.run.folder import RunFolder
from harness.run.log import read_log

WORTH_SAYING = 0.05
"""Share of a control on features from which it is said."""


def controls(folder: RunFolder) -> dict[str, float]:
    """Cue -> mean share of its control's pixels that lie on eyebrows, eyes, nose or mouth, over all trials."""
    if not folder.trials.is_file():
        return {}
    found: dict[str, list[float]] = {}
    for _, record in read_log(folder.trials):
        shown = record.get("shown")
        for change in shown.get("changes", ()) if isinstance(shown, Mapping) else ():
            told = on_features(str(change))
            if told is not None:
                found.setdefault(CUE_OF.get(told[0], told[0]), []).append(told[1])
    return {cue: float(np.mean(shares)) for cue, shares in sorted(found.items())}
