"""What the entries of `alerts` in config.yaml name: it is there, and a diagnosis judges it."""

from __future__ import annotations

from collections.abc import Iterable

from memrunbook.app.allowing import checked
from memrunbook.core.errors import DocumentError, Problem, UsageError
from memrunbook.documents.alert_rules import AlertRule
from memrunbook.documents.library import Library


def check_rules(rules: Iterable[AlertRule], library: Library) -> None:
    """DocumentError with everything that is wrong with what they name."""
    problems = [problem for rule in rules for problem in _problems(rule, library)]
    if problems:
        raise DocumentError(problems)


def _problems(rule: AlertRule, library: Library) -> list[Problem]:
    where, named = f"{rule.where} (alerts)", rule.spec.runbook
    try:
        library.runbook(named)
        checked(rule.spec.allow)
    except DocumentError as error:
        return list(error.problems)
    except UsageError as error:
        return [Problem(where, error.message, error.hint)]
    if named not in {entry.name for entry in library.entries()}:
        what = f"{named} is no runbook that a diagnosis judges: its incident would never be found"
        return [Problem(where, what, "put it into the folder runbooks beside config.yaml, and write its name alone")]
    return []
