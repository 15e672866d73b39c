"""Which fields of a list's items a yes-or-no expression looks at: handing the others to CEL costs more than judging."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from memrunbook.core.reading.metric import Metric
from memrunbook.core.runbook.refusal import names_in

# These answer yes or no: no item leaves them, to be compared or returned whole.
DECLARED = re.compile(r"[\w)]\.(?:exists|exists_one|all)\(\s*([A-Za-z_]\w*)\s*,")
ASKS = ("exists", "exists_one", "all")


def fields_looked_at(source: str, lists: Mapping[str, Metric]) -> dict[str, frozenset[str]]:
    """By list the fields that matter, without the lists of which more is used than the fields of items.

    Too many fields at worst: every word of the expression counts as one, wherever it stands.
    """
    names = names_in(source)
    bare = Counter(name for name in names if "." not in name)
    if any(bare[variable] != count for variable, count in Counter(DECLARED.findall(source)).items()):
        return {}
    words = {word for name in names for word in name.split(".")}
    return {
        listed: frozenset(_tops(metric.fields) & words)
        for listed, metric in lists.items()
        if all(name in _asked(listed) for name in names if _begins(name, listed))
    }


def _begins(name: str, listed: str) -> bool:
    return name == listed or name.startswith(f"{listed}.")


def _asked(listed: str) -> set[str]:
    return {f"{listed}.{word}" for word in ASKS}


def _tops(fields: Iterable[str]) -> set[str]:
    return {field.partition(".")[0] for field in fields}
