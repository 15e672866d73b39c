"""What the text of an expression may not say."""

from __future__ import annotations

import pytest

from memrunbook import catalog
from memrunbook.core.runbook.condition import ConditionError
from memrunbook.core.runbook.refusal import refuse_fields

METRICS = catalog.metrics()


def test_an_item_by_its_place_has_the_fields_of_its_list_and_of_no_other() -> None:
    refuse_fields("units.all[0].name == 'x'", METRICS, None)
    refuse_fields("parameters.names[0].size() > 0", METRICS, None)
    with pytest.raises(ConditionError, match="has no field 'nmae'"):
        refuse_fields("units.all[0].nmae == 'x'", METRICS, None)
