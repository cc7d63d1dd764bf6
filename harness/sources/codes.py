"""Integer codes of emotions in known data sets; their meaning differs between sets."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from harness.core.errors import HarnessError

_CODE = re.compile(r"[+-]?[0-9]+(?:\.0+)?")
_TOLD = 3


def code_tables() -> Mapping[str, Mapping[str, str]]:
    """Name of a data set -> its code -> label."""
    from harness.sources import aff_wild2, affectnet, ck_plus, fer2013, raf_db, video_emotion

    return {
        "fer2013": fer2013.LABELS,
        "ferplus": {str(n): label for n, label in enumerate(fer2013.PLUS_LABELS[:8])},
        "affectnet": affectnet.LABELS,
        "raf-db": raf_db.BASIC,
        "raf-db-compound": raf_db.COMPOUND,
        "dfew": video_emotion.DFEW,
        "mafw": video_emotion.MAFW,
        "ck-plus": ck_plus.LABELS,
        "aff-wild2": aff_wild2.EXPRESSIONS,
    }


_CODE = re.compile(r"[+-]?[0-9]{1,15}(?:\.0{1,15})?")
_TOLD = 3


def is_code(label: str) -> bool:
    """Whether a label is an integer, written as such or as `3.0`."""
    return _CODE.fullmatch(label.strip()) is not None


def code_names(name: str) -> Mapping[str, str]:
    """The code table of a known data set. Raises HarnessError listing them."""
    tables = code_tables()
    if name not in tables:
        raise HarnessError(
            f"source.labels: unknown code table {name!r}",
            hint=f"use one of {', '.join(tables)}, or list the codes: {{0: anger, ...}}",
        )
    return tables[name]


def refuse_codes(field: str, codes: Collection[str]) -> HarnessError:
    """The error for a label field whose classes are integers, with the ways to name them."""
    listed = sorted(codes, key=float)
    shown = ", ".join(listed[:12]) + (", ..." if len(listed) > 12 else "")
    names = ", ".join(f"{code}: ..." for code in listed[:12])
    fitting = [
        f"{name} ({', '.join(f'{code} {table[code]}' for code in listed[:_TOLD])}"
        f"{', ...' if len(listed) > _TOLD else ''})"
        for name, table in code_tables().items()
        if set(listed) <= set(table)
    ]
    known = f"; or use a known set: --set source.labels=NAME, one of {'; '.join(fitting)}"
    return HarnessError(
        f"{field}: its labels are codes ({shown}), which a model cannot answer",
        hint=f"name the codes: --set 'source.labels={{{names}}}'{(known if fitting else '')}; "
        "if the model should answer with the numbers, list them: --set "
        f"'fields.{field}.labels=[...]'",
    )
