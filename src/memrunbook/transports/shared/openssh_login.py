"""Follows OpenSSH's client from the name to the login: each stage within its deadline, each end in our words."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from memrunbook.core.errors import Unreachable
from memrunbook.core.text import clean
from memrunbook.transports.shared import patience
from memrunbook.transports.shared.doors import Visit
from memrunbook.transports.shared.openssh_link import OpensshClient
from memrunbook.transports.shared.reach import JUMP_HOST
from memrunbook.transports.shared.ssh_ending import EndedClient
from memrunbook.transports.shared.ssh_log import SshLog, wants_touch
from memrunbook.transports.shared.ssh_options import SshOptions
from memrunbook.transports.shared.target import Target, through

_TICK = 0.25
CONNECTING, BANNER, KEYS, LOGIN = range(4)
Passed = Callable[[str, str], None]


HIDDEN_SECONDS = 5.0
"""How long a place is held at the door of a command, which does not tell when it is through."""


@dataclass(frozen=True)
class _Stage:
    """One wait: at which host of the way, by whose log it is followed, for how many seconds at most."""

    hop: Target
    log: SshLog
    number: int
    seconds: float
    is_over: Callable[[], bool]


@dataclass
class Login:
    """One connection on its way; `agent_fault` is why the agent is left out, where it is.

    `places` are those at the doors on the way, given up one after another.
    """

    target: Target
    client: OpensshClient
    options: SshOptions
    agent_fault: str = ""
    places: Sequence[Visit] = ()
    _told: set[str] = field(default_factory=set)

    def go(self, passed: Passed) -> None:
        """Returns once the host let us in; each stage that was passed is told. Raises what `connect` raises."""
        stages = self._stages(self.target, self._log, self._way_seconds)
        first = self.target.way[0]
        if first is not self.target and not first.unseen:
            stages = [*self._stages(first, self.client.beside, self.options.timeouts.tcp), *stages]
        for stage in stages:
            try:
                self._wait(stage)
            finally:
                self._tell(passed)
        if self._log.key is None:
            raise patience.broken_off(self.target.where, "ssh did not say whose key the host has")

    def _stages(self, hop: Target, log: SshLog, way_seconds: float) -> list[_Stage]:
        """What one host must get through, as its client logs it; whatever the host behind it says is a proof of all."""
        is_last = log is self._log

        def behind() -> bool:
            return bool(not is_last and self._log.version)

        def let_in() -> bool:
            return log.ready if is_last else log.entered

        banner, login = self._slow(self.options.timeouts.banner), self._slow(self.options.timeouts.login)
        return [
            _Stage(hop, log, CONNECTING, way_seconds, lambda: log.established or bool(log.version) or behind()),
            _Stage(hop, log, BANNER, banner, lambda: bool(log.version) or behind()),
            _Stage(hop, log, KEYS, login, lambda: log.key is not None or log.entered or behind()),
            _Stage(hop, log, LOGIN, login, lambda: let_in() or behind()),
        ]

    @property
    def _log(self) -> SshLog:
        return self.client.log

    def _slow(self, seconds: float) -> float:
        return max(seconds, self.options.patience)

    @property
    def _indirect(self) -> str:
        """What leads there where that is no TCP connection of ours."""
        if self.target.via:
            return self.target.via.address
        return self.target.command

    @property
    def _way_seconds(self) -> float:
        """How long the way there may take: a login on each jump host that is not followed by itself."""
        times = self.options.timeouts
        if not self._indirect:
            return times.tcp
        way = self.target.way
        hops = max(0, len(way) - 2) if not way[0].unseen else max(1, len(way) - 1)
        return times.tcp + self._slow(times.banner) + hops * times.whole_login(self.options.patience)

    def _wait(self, stage: _Stage) -> None:
        started = time.monotonic()
        while not stage.is_over():
            if not self.client.hear(_TICK) and not stage.is_over():
                known = {hop.known_name: self.options.known(hop.settings.known_hosts) for hop in self.target.way}
                raise EndedClient(self.target, self._log, self.client.beside, known, self.agent_fault).error()
            waited = time.monotonic() - started
            self._leave_places(waited)
            if waited > stage.seconds and not stage.is_over():
                raise stage.hop.told(self._late(stage, waited))
            self._notice(stage, waited)

    def _leave_places(self, waited: float) -> None:
        """Gives others the places at the doors that are behind it."""
        through = len(self.places) - 1 if self._log.version else self.client.beside.logins
        for place in self.places[:through]:
            place.is_in()
        if self.target.command and self._log.version:
            self.places[0].is_in()
        elif self._hidden and waited > HIDDEN_SECONDS:
            self.places[0].is_over()

    @property
    def _hidden(self) -> bool:
        """Whether nobody sees when the first login on the way is done."""
        return self.target.way[0].unseen

    def _notice(self, stage: _Stage, waited: float) -> None:
        what = ("connecting", patience.NO_BANNER, "key exchange", "login")[stage.number]
        if stage.number == LOGIN and wants_touch(self.client.beside.lines):
            what = "login: touch your security key"
        self.options.notice(self.target.where, what, waited)

    def _late(self, stage: _Stage, waited: float) -> Unreachable:
        where, log = stage.hop.where, stage.log
        way = self._indirect if stage.hop is self.target else ""
        if stage.number == CONNECTING and way:
            return patience.late(where, f"the way there ({clean(way)})", waited)
        if stage.number == CONNECTING and not log.address:
            return patience.nameless(where, stage.hop.address, f"no answer in {waited:.0f} s")
        if stage.number == CONNECTING:
            return patience.unanswered(where, stage.hop.port, waited)
        if stage.number == BANNER and log.greeting:
            return patience.no_server(where, clean(log.greeting))
        if stage.number == BANNER:
            return patience.silent(where, waited)
        return patience.late(where, "the key exchange" if stage.number == KEYS else "the login", waited)

    def _tell(self, passed: Passed) -> None:
        """Tells what was newly passed."""
        log, target = self._log, self.target
        way = f"through {clean(self._indirect)}" if self._indirect else f"{log.address} port {target.port}"
        key = " ".join(log.key) if log.key else ""
        jumps = target.way[:-1]
        said = {
            JUMP_HOST: through(jumps) if log.version or self.client.beside.logins >= len(jumps) else "",
            "name": log.address,
            "TCP": way if log.established or log.version else "",
            "SSH": clean(log.version),
            "host key": key if log.entered else "",
            "login": f"{target.user}, by {log.offered[-1] if log.offered else log.method}" if log.ready else "",
        }
        for stage, words in said.items():
            if words and stage not in self._told:
                self._told.add(stage)
                passed(stage, words)
