"""Options of Python functions that do not exist are told with those that do."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.api.run import Run
from harness.core.errors import HarnessError


@pytest.mark.parametrize(("name", "option"), [("rescore", "metric"), ("compare", "nonsense")])
def test_an_unknown_option_is_no_type_error(name, option):
    with pytest.raises(HarnessError, match=f"no option is called '{option}'") as caught:
        getattr(Run(Path("nowhere")), name)(**{option: 1})
    assert "its options are: " in caught.value.hint
