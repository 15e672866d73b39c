"""What a command and whoever typed it say to one another: whom to reach, what is waited for, Ctrl-C, who is asked."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from memrunbook.cli.meanwhile import Meanwhile
from memrunbook.cli.naming import named_hosts, not_listed, recorded_hosts
from memrunbook.cli.options import OutputOptions, seconds
from memrunbook.cli.streams import while_heard
from memrunbook.cli.sudo_password import sudo_password
from memrunbook.cli.targets import Targets
from memrunbook.core.host import Host

if TYPE_CHECKING:
    from memrunbook.app.connectors import Connectors
    from memrunbook.documents.printed import Document

PATIENCE = 300.0
"""How long a slow host is waited for on a terminal, in seconds."""


@dataclass
class Conversation:
    """One command's talk on stderr. `stop` is set by the first Ctrl-C where that is caught."""

    output: OutputOptions
    targets: Targets
    stop: threading.Event = field(default_factory=threading.Event)
    meanwhile: Meanwhile = field(init=False)

    def __post_init__(self) -> None:
        self.meanwhile = Meanwhile(self.output, self.stop)

    @property
    def hosts(self) -> tuple[Host, ...]:
        """The hosts that were named; UsageError for none. Those that an inventory does not have are told.

        So is what it says of the others and is not used.
        """
        if self.targets.replay:
            return recorded_hosts(self.targets)
        found = named_hosts(self.targets, lambda one: self.note(one.message, one.hint))
        for one in not_listed(found):
            self.note(one.message, one.hint)
        return found

    def connectors(self) -> Connectors:
        """How the hosts are reached."""
        from memrunbook.app.connectors import Connectors
        from memrunbook.transports.shared.reach import Reach, nobody_follows

        targets = self.targets
        given = seconds(targets.patience, "--patience")
        password = sudo_password(targets, asks=not targets.no_input and self.output.format.CONVERSES)
        patience = PATIENCE if given is None and sys.stderr.isatty() else given
        reach = Reach(
            identities=targets.identity,
            known_hosts=targets.known_hosts,
            ssh_config=targets.ssh_config,
            accept_new_host_keys=targets.accept_new_host_keys,
            sudo=targets.sudo,
            patience=patience,
            read_patience=given or 0.0,
            waiting=self.meanwhile.waiting,
            passed=self.meanwhile.passed if self.output.verbose else nobody_follows,
            sudo_password=password,
        )
        return Connectors(reach, targets.forks)

    @property
    def interactive(self) -> bool:
        """True when gates can be asked: there is a terminal and nobody forbade it."""
        forbidden = self.targets.no_input or not self.output.format.CONVERSES
        return not forbidden and sys.stdin is not None and sys.stdin.isatty()

    def tell(self, line: Callable[[], Document]) -> None:
        """Hands what is said of one host to the format, as soon as it is known."""
        while_heard(self.output.format.host)(line)

    def note(self, words: str, hint: str) -> None:
        """Says on stderr what a person should know."""
        from memrunbook.ui.errors import notice
        from memrunbook.ui.screen import Screen

        while_heard(Screen(self.output.color, sys.stderr).show)(notice(words, hint))
