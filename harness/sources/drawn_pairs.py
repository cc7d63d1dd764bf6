"""Pairs of drawn pictures as samples: kind `pairs` of the family `faces`."""

from __future__ import annotations

from collections.abc import Mapping

from harness.core.field import FieldSpec
from harness.core.medium import image
from harness.core.sample import Sample
from harness.faces import FacePair, annotate_pair
from harness.sources.cells import target
from harness.sources.drawn_pictures import DrawnPicture, scalars


def pair_sample(pair: FacePair, name: str, *, size: int, fields: Mapping[str, FieldSpec]) -> Sample:
    """Two pictures, and whether they show one person. The cluster is the person of the first one."""
    truth = annotate_pair(pair)
    return Sample(
        id=name,
        medium=image(DrawnPicture(f"faces/{name}/1", pair.first, size)),
        second=image(DrawnPicture(f"faces/{name}/2", pair.second, size)),
        targets={
            field: target(truth[field], spec, column=field, where=name)
            for field, spec in fields.items()
            if field in truth
        },
        annotations={key: value for key, value in scalars(truth).items() if key != "same"},
        cluster=pair.first.identity.subject,
    )
