"""Follows OpenSSH's client from the name to the login: each stage within its deadline, each end in our words."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from memrunbook.core.errors import Unreachable
from memrunbook.core.text import clean
from memrunbook.transports.shared import patience
from memrunbook.transports.shared.openssh_link import OpensshClient
from memrunbook.transports.shared.ssh_ending import EndedClient
from memrunbook.transports.shared.ssh_log import SshLog, wants_touch
from memrunbook.transports.shared.ssh_options import SshOptions
from memrunbook.transports.shared.target import Target

_TICK = 0.25
CONNECTING, BANNER, KEYS, LOGIN = range(4)
Passed = Callable[[str, str], None]


@dataclass
class Login:
    """One connection on its way; `agent_fault` is why the agent is left out, where it is."""

    target: Target
    client: OpensshClient
    options: SshOptions
    agent_fault: str = ""
    _told: set[str] = field(default_factory=set)

    def go(self, passed: Passed) -> None:
        """Returns once the host let us in; each stage that was passed is told. Raises what `connect` raises."""
        stages: tuple[tuple[Callable[[], bool], float], ...] = (
            (lambda: self._log.established or bool(self._log.version), self._way_seconds),
            (lambda: bool(self._log.version), self._slow(self.options.timeouts.banner)),
            (lambda: self._log.key is not None or self._log.entered, self._slow(self.options.timeouts.login)),
            (lambda: self._log.ready, self._slow(self.options.timeouts.login)),
        )
        for number, (is_over, seconds) in enumerate(stages):
            self._wait(is_over, seconds, number)
            self._tell(passed)
        if self._log.key is None:
            raise patience.broken_off(self.target.where, "ssh did not say whose key the host has")

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
        """How long the way to the host may take: with jump hosts, that is a login on each of them."""
        times = self.options.timeouts
        if not self._indirect:
            return times.tcp
        hops = max(1, len(self.target.way) - 1)
        return times.tcp + self._slow(times.banner) + hops * (times.tcp + times.banner + 2 * times.login)

    def _wait(self, is_over: Callable[[], bool], seconds: float, stage: int) -> None:
        started = time.monotonic()
        while not is_over():
            if not self.client.hear(_TICK) and not is_over():
                known = {hop.known_name: self.options.known(hop.settings.known_hosts) for hop in self.target.way}
                raise EndedClient(self.target, self._log, self.client.beside, known, self.agent_fault).error()
            waited = time.monotonic() - started
            if waited > seconds and not is_over():
                raise self._late(stage, waited)
            self._notice(stage, waited)

    def _notice(self, stage: int, waited: float) -> None:
        what = ("connecting", patience.NO_BANNER, "key exchange", "login")[stage]
        if stage == LOGIN and wants_touch(self.client.beside.lines):
            what = "login: touch your security key"
        self.options.notice(self.target.where, what, waited)

    def _late(self, stage: int, waited: float) -> Unreachable:
        where, way = self.target.where, self._indirect
        if stage == CONNECTING and way:
            return patience.late(where, f"the way there ({clean(way)})", waited)
        if stage == CONNECTING and not self._log.address:
            return patience.nameless(where, self.target.address, f"no answer in {waited:.0f} s")
        if stage == CONNECTING:
            return patience.unanswered(where, self.target.port, waited)
        if stage == BANNER and self._log.greeting:
            return patience.no_server(where, clean(self._log.greeting))
        if stage == BANNER:
            return patience.silent(where, waited)
        return patience.late(where, "the key exchange" if stage == KEYS else "the login", waited)

    def _tell(self, passed: Passed) -> None:
        """Tells what was newly passed."""
        log, target = self._log, self.target
        way = f"through {clean(self._indirect)}" if self._indirect else f"{log.address} port {target.port}"
        key = " ".join(log.key) if log.key else ""
        said = {
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
