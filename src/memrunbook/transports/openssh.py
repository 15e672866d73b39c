"""Reaches a host by OpenSSH's own client: whatever `ssh HOST` can do, within our deadlines and in our words."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from memrunbook.core.errors import HostError, UsageError
from memrunbook.core.host import Host, HostIdentity
from memrunbook.core.text import clean
from memrunbook.transports.shared.doors import Door, Visit, pass_through
from memrunbook.transports.shared.first_shell import LinkedShells
from memrunbook.transports.shared.openssh_link import OpensshClient, OpensshLink
from memrunbook.transports.shared.openssh_login import Login
from memrunbook.transports.shared.reach import Reach, Way
from memrunbook.transports.shared.shell import ShellSession
from memrunbook.transports.shared.ssh_arguments import lines_of
from memrunbook.transports.shared.ssh_options import SshOptions, ssh_options
from memrunbook.transports.shared.target import Target, find_target, still_to_go
from memrunbook.transports.shared.tcp import addresses_of, resolve

# Trusts a host by the fingerprints that the inventory names: tells its key only where it is one of them.
PINNED = 'case " $1 " in *" $2 "*) echo "$3 $4 $5";; esac'


def way(reach: Reach) -> Way:
    """One configuration for all hosts."""
    options = ssh_options(reach)
    return lambda host: OpensshConnector(host, options)


@dataclass(frozen=True)
class OpensshConnector:
    """Opens a session on one host; `why` it is reached so."""

    host: Host
    options: SshOptions
    why: str = "as was asked for (--transport openssh)"

    def connect(self) -> ShellSession:
        """Raises Unreachable, HostKeyError, LoginError, SudoError (with the remedy as hint) or UsageError."""
        program = self.options.resolver.program
        if not program:
            hint = "install it (openssh-client), or leave --transport openssh out"
            raise UsageError("OpenSSH's client is not installed here", where=self.host.name, hint=hint)
        target = find_target(self.host, self.options)
        self._passed("configuration", target.said)
        self._passed("transport", f"OpenSSH's client: {self.why}")
        link = self._borrowed(program, target)
        identity = HostIdentity(address=target.address, user=target.user)
        if link is None:
            link, identity = self._made(program, target)
        shells = LinkedShells(link, target.where, self.options.of(self.host))
        try:
            shell, no_root = shells.open(target.user)
        except BaseException:
            shells.close()
            raise
        return ShellSession(shell, identity, shells, no_root)

    def _borrowed(self, program: str, target: Target) -> OpensshLink | None:
        """A connection that the user has open already (ControlMaster); none where its host's key must be looked at."""
        socket = target.settings.control_path
        if target.pins or not target.open_already:
            return None
        link = OpensshLink(program, Path(socket))
        if not link.answers():
            return None
        for stage in ("name", "TCP", "SSH", "host key"):
            self._passed(stage, "as your open connection has it")
        self._passed("login", f"{target.user}, by your open connection ({socket})")
        return link

    def _made(self, program: str, target: Target) -> tuple[OpensshLink, HostIdentity]:
        """A connection of our own, and whose it is, once it is its turn at each host on the way."""
        doors = self._doors(target)
        return pass_through(
            doors,
            partial(self._attempt, program, target),
            target.where,
            self.options.timeouts.whole_login(self.options.patience),
            partial(self.options.notice, target.where, f"its turn at {doors[0].name}"),
        )

    def _doors(self, target: Target) -> list[Door]:
        """Those where it will arrive: none of hosts that it reaches by a connection of the user's.

        A command, and what the user has open, do not tell at which host of the way it failed.
        """
        first, *others = still_to_go(target)
        address = ""
        if not first.via and not first.command:
            try:
                found = resolve(first.dialling, self.options.timeouts.tcp, first.where)
            except HostError as error:
                raise first.told(error) from error
            address = min(addresses_of(found))
        doors, seen = self.options.doors, not target.way[0].unseen
        return [doors.at(first.door(address), seen=seen), *(doors.at(hop.door()) for hop in others)]

    def _attempt(self, program: str, target: Target, places: Sequence[Visit]) -> tuple[OpensshLink, HostIdentity]:
        stem = self.options.openssh_files.new()
        fault = self.options.agents.report(target.settings.agent).fault
        client = OpensshClient(self._words(program, target, stem, fault), stem, self._environment())
        link = OpensshLink(program, stem.with_suffix(".sock"), client)
        try:
            Login(target, client, self.options, fault, places).go(self._passed)
        except BaseException:
            link.close()
            raise
        client.forget_log()
        log = client.log
        key = log.key[1] if log.key else ""
        return link, HostIdentity(address=log.address or target.address, host_key=key, user=target.user)

    def _words(self, program: str, target: Target, stem: Path, agent_fault: str) -> tuple[str, ...]:
        log, socket = (str(stem.with_suffix(ending)) for ending in (".log", ".sock"))
        return (
            *(program, "-F", str(self.options.openssh_files.config), "-E", log, "-N", "-M", "-S", socket),
            *(("-l", self.host.user) if self.host.user else ()),
            *(("-p", str(self.host.port)) if self.host.port else ()),
            *(("-o", "IdentityAgent=none") if agent_fault else ()),
            *_pinning(target.pins),
            *(word for option in target.settings.overruled for word in ("-o", option)),
            *(word for line in lines_of(self.host.ssh_args, self.host.name) for word in ("-o", line)),
            *(word for path in self.host.identities for word in ("-i", path)),
            *("--", self.host.address or self.host.name),
        )

    def _environment(self) -> dict[str, str]:
        """Nobody is asked for anything; an agent that does not answer is not waited for, on the way neither."""
        environment = {**os.environ, "SSH_ASKPASS_REQUIRE": "never"}
        if self.options.agents.report("").fault:
            environment.pop("SSH_AUTH_SOCK", None)
        return environment

    def _passed(self, stage: str, said: str) -> None:
        self.options.passed(self.host.name, stage, clean(said))


def _pinning(pins: tuple[str, ...]) -> tuple[str, ...]:
    if not pins:
        return ()
    command = f"KnownHostsCommand=/bin/sh -c '{PINNED}' sh '{' '.join(pins)}' %f %H %t %K"
    nobody = ("-o", "UserKnownHostsFile=/dev/null", "-o", "GlobalKnownHostsFile=/dev/null")
    return (*nobody, "-o", "StrictHostKeyChecking=yes", "-o", command)
