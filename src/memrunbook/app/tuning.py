"""Runbooks with the parameters that an inventory gives single hosts: what was typed counts before them.

What is said of runbooks and parameters that one does not have is not used: others may have them. What a runbook that is
meant cannot have refuses the host that it is said of, and no other.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from msgspec import structs

from memrunbook.core.errors import DocumentError, Problem, UsageError
from memrunbook.core.host import Host, HostParameter
from memrunbook.core.runbook.bound import Runbook
from memrunbook.documents.library import Library

R = TypeVar("R")


class Tuned(NamedTuple, Generic[R]):
    """The hosts, those refused whose parameters a runbook cannot have; by the name of each other what is its own."""

    hosts: tuple[Host, ...]
    own: dict[str, R]


def tuned(
    library: Library, name: str, base: Runbook, given: Mapping[str, str], hosts: Sequence[Host]
) -> Tuned[Runbook]:
    """The runbook of each host that has parameters of its own; `name` is how it is loaded.

    DocumentError or UsageError where the runbook itself is wrong.
    """
    found = tuned_of_each(library, [base], given, hosts, name)
    return Tuned(found.hosts, {host: own[0] for host, own in found.own.items()})


def tuned_of_each(
    library: Library, runbooks: Sequence[Runbook], given: Mapping[str, str], hosts: Sequence[Host], name: str = ""
) -> Tuned[list[Runbook]]:
    """All runbooks of each host that has parameters of its own, loaded by their names, or the one by `name`."""
    made: dict[tuple[HostParameter, ...], list[Runbook] | Problem] = {}
    kept, own = [], {}
    for host in hosts:
        if host.parameters and host.parameters not in made:
            made[host.parameters] = _made_of_each(library, runbooks, given, host.parameters, name)
        found = made.get(host.parameters)
        if isinstance(found, Problem) and not host.refused:
            kept.append(structs.replace(host, refused=f"{found.message} ({found.where})", hint=found.hint))
            continue
        kept.append(host)
        if isinstance(found, list):
            own[host.name] = found
    return Tuned(tuple(kept), own)


def not_used(runbooks: Sequence[Runbook], hosts: Iterable[Host]) -> list[Problem]:
    """The parameters of hosts that are for none of the runbooks, each once: their names may be misspelt."""
    names, known = [one.name for one in runbooks], {name for one in runbooks for name in one.parameters}
    found = dict.fromkeys(
        Problem(one.where, f"there is no runbook {one.runbook!r} here: this is not used", _near(one.runbook, names))
        if one.runbook
        else Problem(one.where, f"no runbook here has a parameter {one.name!r}: it is not used", _near(one.name, known))
        for host in hosts
        for one in host.parameters
        if (one.runbook not in names if one.runbook else one.name not in known)
    )
    return list(found)


def _made_of_each(
    library: Library,
    runbooks: Sequence[Runbook],
    given: Mapping[str, str],
    own: Sequence[HostParameter],
    name: str,
) -> list[Runbook] | Problem:
    """The runbooks with these parameters, or what one of them cannot have."""
    found = []
    for runbook in runbooks:
        typed = {one: value for one, value in given.items() if name or one in runbook.parameters}
        made = _made(library, name or runbook.name, runbook, typed, own)
        if isinstance(made, Problem):
            return made
        found.append(made)
    return found


def _made(
    library: Library, name: str, base: Runbook, given: Mapping[str, str], own: Sequence[HostParameter]
) -> Runbook | Problem:
    for one in own:
        if one.runbook == base.name and one.name not in base.parameters:
            what = f"{base.name} has no parameter {one.name!r}"
            return Problem(one.where, what, _near(one.name, base.parameters) or f"see runbook show {base.name}")
    general_first = sorted(own, key=lambda one: one.runbook != "")
    mine = {one.name: one for one in general_first if one.runbook in ("", base.name) and one.name in base.parameters}
    used = {parameter: one for parameter, one in mine.items() if parameter not in given}
    if not used:
        return base
    try:
        return library.runbook(name, {**{one.name: one.value for one in used.values()}, **given})
    except DocumentError:
        raise
    except UsageError as error:
        refused = used.get(error.where.removeprefix("-p "))
        if refused is None:
            raise
        return Problem(refused.where, f"the parameter {refused.name}: {error.message}", error.hint)


def _near(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else ""
