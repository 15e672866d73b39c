"""Loads runbooks and the service policy from their files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from memrunbook.core.action.policy import ServicePolicy
from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.runbook.spec import RunbookSpec
from memrunbook.documents.binding import bind
from memrunbook.documents.problems import convert
from memrunbook.documents.yaml_source import load


def load_runbook(
    content: bytes, name: str, origin: str, parameters: Mapping[str, str] | None = None, *, trusted: bool = False
) -> Runbook:
    """A runbook ready to run; DocumentError with every problem, UsageError for a wrong `-p`.

    With `trusted` its expressions are not checked again, and bound where they are used: for a diagnosis by the shipped
    runbooks, all of which are checked before they are shipped.
    """
    source = load(content, name)
    spec = convert(source, source.data, RunbookSpec)
    return bind(source, spec, parameters or {}, origin, trusted=trusted)


def load_policy(path: Path) -> ServicePolicy:
    """The service policy of `services.yaml`; an absent file is an empty policy: nothing is allowed to a rule."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ServicePolicy()
    except OSError as error:
        raise DocumentError(
            [Problem(str(path), f"the file cannot be read: {error.strerror}", "mend or move it")]
        ) from None
    source = load(content, str(path))
    return convert(source, source.data, ServicePolicy)
