"""Looks at the files that an organisation writes, for `doctor`: config.yaml, services.yaml and the runbooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from memrunbook.core.errors import DocumentError, RunbookError
from memrunbook.documents.library import SERVICES, SETTINGS, Library
from memrunbook.runtime.inspection import Inspection


def inspect_documents(library: Library) -> Iterator[Inspection]:
    """Each file: where it is, and what is wrong with it first."""
    yield _file(SETTINGS, library.own_settings, library.config, library)
    services = library.services if library.services is not None and library.services.exists() else None
    yield _file(SERVICES, services, library.policy, library)
    yield _runbooks(library)


def _file(name: str, path: Path | None, load: Callable[[], object], library: Library) -> Inspection:
    if path is None:
        return Inspection(area="documents", name=name, state="note", said="none: nothing is asked or forbidden by one")
    try:
        load()
        binding = library.binds(name, path)
    except (RunbookError, OSError) as error:
        return Inspection(area="documents", name=name, state="missing", said=_first(error), remedy=f"mend {path}")
    beside = f"; {binding} binds beside it, the stricter word counts" if binding is not None else ""
    return Inspection(area="documents", name=name, said=f"{path}{beside}")


def _runbooks(library: Library) -> Inspection:
    try:
        found, problems = library.runbooks()
    except OSError as error:
        said, remedy = f"{error.filename}: {error.strerror}", "let this user read it"
        return Inspection(area="documents", name="runbooks", state="missing", said=said, remedy=remedy)
    if problems:
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        said = f"{problems[0].where}: {problems[0].message}{more}"
        return Inspection(
            area="documents", name="runbooks", state="missing", said=said, remedy="runbook validate shows all problems"
        )
    return Inspection(area="documents", name="runbooks", said=f"{len(found)} can be used")


def _first(error: RunbookError | OSError) -> str:
    if isinstance(error, DocumentError) and error.problems:
        first = error.problems[0]
        more = f" and {len(error.problems) - 1} more" if len(error.problems) > 1 else ""
        return f"{first.where}: {first.message}{more}"
    return str(error)
