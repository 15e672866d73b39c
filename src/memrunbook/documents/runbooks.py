"""Loads runbooks and the service policy from their files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from memrunbook.core.bound import Runbook
from memrunbook.core.policy import ServicePolicy
from memrunbook.core.runbook import RunbookSpec
from memrunbook.documents.binding import bind
from memrunbook.documents.problems import convert
from memrunbook.documents.yaml_source import load


def load_runbook(content: bytes, name: str, origin: str, parameters: Mapping[str, str] | None = None) -> Runbook:
    """A runbook ready to run; DocumentError with every problem, UsageError for a wrong `-p`."""
    source = load(content, name)
    spec = convert(source, source.data, RunbookSpec)
    return bind(source, spec, parameters or {}, origin)


def load_policy(path: Path) -> ServicePolicy:
    """The service policy of `services.yaml`; an absent file is an empty policy: nothing is allowed to a rule."""
    if not path.exists():
        return ServicePolicy()
    source = load(path.read_bytes(), str(path))
    return convert(source, source.data, ServicePolicy)
