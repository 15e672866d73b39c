"""Loads runbooks and the service policy from their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.runbook.spec import RunbookSpec
from memrunbook.documents.binding import bind, in_place
from memrunbook.documents.problems import convert
from memrunbook.documents.source import Source
from memrunbook.documents.yaml_source import load
from memrunbook.runtime.judging import JUDGING


def load_runbook(content: bytes, name: str, origin: str, parameters: Mapping[str, str] | None = None) -> Runbook:
    """A runbook ready to run; DocumentError with every problem, UsageError for a wrong `-p`."""
    source = load(content, name)
    with JUDGING:  # what compiles conditions is no Python either
        try:
            spec = convert(source, source.data, RunbookSpec)
        except DocumentError as error:
            raise DocumentError(in_place([*error.problems, *_of_sense(source)])) from None
        return bind(source, spec, parameters or {}, origin)


def _of_sense(source: Source) -> list[Problem]:
    """What is wrong with the sense of those parts of a file that are of their form."""
    from memrunbook.documents.faults import faults
    from memrunbook.documents.standing_in import standing_in, unjudged

    data = standing_in(source.data, faults(source.data, RunbookSpec))
    if data is None:
        return []
    try:
        judged = replace(source, unjudged=unjudged(source.data, data))
        bind(judged, convert(source, data, RunbookSpec), {}, "")
    except DocumentError as error:
        return error.problems
    return []


def load_one_of_many(
    content: bytes, name: str, origin: str, parameters: Mapping[str, str], *, trusted: bool
) -> Runbook:
    """A runbook for a diagnosis by many: it is given those of the parameters that it has.

    Of a trusted one expressions are not checked again, and bound where they are used: so are the shipped runbooks, all
    of which are checked before they are shipped.
    """
    source = load(content, name)
    with JUDGING:
        spec = convert(source, source.data, RunbookSpec)
        own = {parameter: value for parameter, value in parameters.items() if parameter in spec.parameters}
        return bind(source, spec, own, origin, trusted=trusted)
