"""The workers of a site, as whoever hands hosts to them sees it: which hosts can be, and when nobody is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from memrunbook.core.errors import UsageError
from memrunbook.core.host import LOCAL, Host
from memrunbook.documents.library import is_path
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.redaction import HIDDEN, without_values

SILENT = 60.0
"""Seconds that a part waits where no worker of its site is heard of."""


def refuse_kept_here(runbook: str, parameters: Mapping[str, str]) -> None:
    """UsageError for what only this node has: a runbook by its path, and a parameter that is a secret.

    Workers find runbooks by their names, in folders that their own administrator has chosen; a secret is kept nowhere.
    """
    if is_path(runbook):
        hint = "put it into a folder of runbooks on every node (--runbooks, $RUNBOOK_PATH), and name it"
        raise UsageError("workers find a runbook by its name, not by a path", where="--distribute", hint=hint)
    if HIDDEN in " ".join(without_values(parameters).values()):
        why, hint = "a parameter is a secret, which is kept nowhere, and for no worker", "do it without --distribute"
        raise UsageError(why, where="--distribute", hint=hint)


def refuse_local(hosts: Iterable[Host]) -> None:
    """UsageError for a host that is another one on each node."""
    if local := next((host for host in hosts if host.transport == LOCAL), None):
        why = f"{local.name} is another host on each control node"
        raise UsageError(why, where="--distribute", hint="name it as others reach it, or leave --distribute out")


def nobody(site: str) -> tuple[str, str]:
    """That no worker of a site is there, and what helps."""
    return f"no worker of site {site} is there", f"start one there: runbook worker --site {site}"


@dataclass
class Alone:
    """How long a part has waited without a worker of its site."""

    _since: float | None = field(default=None, init=False)

    def for_long(self, there: object) -> bool:
        """True where nobody was there for long; to be asked again and again while it waits, with who is there."""
        now = SystemClock().now().monotonic
        self._since = None if there else now if self._since is None else self._since
        return self._since is not None and now - self._since > SILENT
