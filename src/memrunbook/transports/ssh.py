"""Reaches a host by SSH: by our own client, and by OpenSSH's where the configuration asks for more than that can do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.core.errors import HostError, LoginError, Unreachable
from memrunbook.core.host import Host, HostIdentity
from memrunbook.transports.openssh import OpensshConnector
from memrunbook.transports.shared.doors import pass_through
from memrunbook.transports.shared.first_shell import LinkedShells
from memrunbook.transports.shared.key_files import refused_login
from memrunbook.transports.shared.known_hosts import HostKey, KnownHosts, other_key, revoked, short_key
from memrunbook.transports.shared.lean import load_paramiko
from memrunbook.transports.shared.reach import JUMP_HOST, OWN_CLIENT, Reach, Way
from memrunbook.transports.shared.shell import ShellSession
from memrunbook.transports.shared.ssh_options import SshOptions, ssh_options
from memrunbook.transports.shared.target import Target, find_target, through
from memrunbook.transports.shared.tcp import Peers, addresses_of, dial, resolve

if TYPE_CHECKING:
    from memrunbook.transports.shared.ssh_keys import Offer
    from memrunbook.transports.shared.ssh_link import SshLink

INSTALL = "install OpenSSH's client (openssh-client), which is used for such a host then"


def way(reach: Reach) -> Way:
    """Files are read and keys are loaded once for all hosts."""
    options = ssh_options(reach)
    return lambda host: SshConnector(host, options)


@dataclass(frozen=True)
class SshConnector:
    """Opens a session on one host."""

    host: Host
    options: SshOptions

    def connect(self) -> ShellSession:
        """Raises Unreachable, HostKeyError, LoginError, SudoError (with the remedy as hint) or UsageError."""
        target = find_target(self.host, self.options)
        if why := self._beyond(target):
            return self._by_openssh(target, why)
        load_paramiko()
        from memrunbook.transports.shared.ssh_link import BeyondParamiko

        self._passed(target, "configuration", target.said)
        self._passed(target, "transport", OWN_CLIENT)
        try:
            link, key = self._connect(target)
        except BeyondParamiko as beyond:
            if not self.options.resolver.program:
                raise beyond.error from None
            return self._by_openssh(target, beyond.why)
        shells = LinkedShells(link, target.where, self.options.of(self.host))
        try:
            shell, no_root = shells.open(target.user)
        except BaseException:
            shells.close()
            raise
        identity = HostIdentity(address=link.address or target.address, host_key=key.fingerprint, user=target.user)
        return ShellSession(shell, identity, shells, no_root)

    def _beyond(self, target: Target) -> str:
        """What of the configuration only OpenSSH's client can do, on the whole way there; empty where it is nothing."""
        for hop in target.way:
            if hop.settings.beyond:
                return hop.settings.beyond[0]
            authorities = () if hop.pins else self._known(hop).authorities(hop.known_name)
            if authorities:
                return f"a host CA vouches for {hop.known_name} ({authorities[0].where})"
        return ""

    def _by_openssh(self, target: Target, why: str) -> ShellSession:
        if not self.options.resolver.program:
            raise Unreachable(f"only OpenSSH's client can reach it: {why}", where=target.where, hint=INSTALL)
        return OpensshConnector(self.host, self.options, why).connect()

    def _connect(self, target: Target) -> tuple[SshLink, HostKey]:
        """Logs in on each host of the way; the link is that of the last, over those of the others."""
        link, key = self._arrive(target.way[0], None)
        for number, hop in enumerate(target.way[1:], start=1):
            try:
                self._passed(target, JUMP_HOST, through(target.way[:number]))
                link, key = self._arrive(hop, link)
            except BaseException:
                link.close()
                raise
        return link, key

    def _arrive(self, hop: Target, via: SshLink | None) -> tuple[SshLink, HostKey]:
        """Logs in on one host, once it is its turn there. What fails is told of the host that is wanted."""
        from memrunbook.transports.shared.ssh_link import BeyondParamiko

        times = self.options.timeouts
        try:
            found = [] if via else resolve(hop.dialling, times.tcp, hop.where)
            if found:
                self._passed(hop, "name", ", ".join(addresses_of(found)))
            door = self.options.doors.at(hop.door(min(addresses_of(found), default="")))
            return pass_through(
                [door],
                lambda _: self._attempt(hop, via, found),
                hop.where,
                times.whole_login(self.options.patience),
                partial(self._notice, f"its turn at {door.name}"),
            )
        except BeyondParamiko as beyond:
            raise BeyondParamiko(beyond.why, hop.told(beyond.error)) from beyond
        except HostError as error:
            raise hop.told(error) from error

    def _attempt(self, hop: Target, via: SshLink | None, found: Peers) -> tuple[SshLink, HostKey]:
        """One connection and login; where that fails, nothing of it is left, and what it went over stays open."""
        from memrunbook.transports.shared.ssh_link import SshLink

        times = self.options.timeouts
        if via:
            sock = via.forward(hop, times.channel)
            link = SshLink(sock, hop.where, hop.settings.algorithms)
        else:
            link = SshLink(dial(hop.dialling, found, times.tcp, hop.where), hop.where, hop.settings.algorithms)
        self._passed(hop, "TCP", f"{link.address or hop.address} port {hop.port}")
        try:
            key = self._enter(link, hop)
        except BaseException:
            link.close()
            raise
        link.via = via
        return link, key

    def _enter(self, link: SshLink, target: Target) -> HostKey:
        known = self._known(target)
        lines = known.lookup(target.known_name)
        times = self.options.timeouts
        patience = self.options.patience
        kinds = [line.key.kind for line in lines if not line.revoked]
        key = link.negotiate(kinds, max(times.banner, patience), max(times.login, patience), self._notice)
        self._passed(target, "SSH", link.version)
        if not target.pins:
            known.verify(target.known_name, key, accept_new=self.options.accept_new, scan=target.scan)
        elif any(line.revoked and line.key == key for line in lines):
            raise revoked(target.known_name, key.fingerprint)
        elif key.fingerprint not in target.pins:
            raise other_key(target.known_name, key.kind, key.fingerprint, target.pins)
        if key.kind == "ssh-rsa" and key.rsa_bits < target.settings.algorithms.rsa_bits:
            raise short_key(target.known_name, key.rsa_bits, target.settings.algorithms.rsa_bits)
        self._passed(target, "host key", f"{key.kind} {key.fingerprint}")
        self._login(link, target, max(times.login, patience))
        return key

    def _known(self, target: Target) -> KnownHosts:
        return self.options.known(target.settings.known_hosts)

    def _notice(self, what: str, seconds: float) -> None:
        self.options.notice(self.host.name, what, seconds)

    def _passed(self, target: Target, stage: str, said: str) -> None:
        if target.where == self.host.name:  # not the jump host's
            self.options.passed(self.host.name, stage, said)

    def _login(self, link: SshLink, target: Target, seconds: float) -> None:
        from memrunbook.transports.shared.ssh_keys import AgentDoor, Offer
        from memrunbook.transports.shared.ssh_link import BeyondParamiko

        settings = target.settings
        only, certificates = settings.identities_only, settings.certificates
        offer = Offer(self.options.ring(), target.identities, only, certificates, settings.algorithms)
        agent = AgentDoor(self.options.agents, settings.agent)
        refused: LoginError | None = None
        try:
            if link.login(target.user, offer.keys(agent), seconds, self._notice):
                self._passed(target, "login", f"{target.user}, by {offer.tried[-1]}")
                return
        except LoginError as broken:
            refused = broken
        finally:
            agent.close()
        unusable = [(str(key.path), key.why) for key in offer.unusable]
        error = refused or refused_login(target.user, target.where, offer.tried, unusable, agent.fault)
        if why := self._more(link, target, offer):
            raise BeyondParamiko(why, error)
        raise error

    def _more(self, link: SshLink, target: Target, offer: Offer) -> str:
        """What OpenSSH's client could still try where our keys were refused; empty where it is nothing."""
        settings = target.settings
        if device := next((key for key in offer.unusable if key.security_key), None):
            return f"{device.path} is a security key"
        if settings.control_path and Path(settings.control_path).is_socket():
            return f"a connection of yours is open there (ControlPath {settings.control_path})"
        left = link.methods(target.user) if settings.gssapi or settings.hostbased else ()
        if settings.gssapi and "gssapi-with-mic" in left:
            return "GSSAPIAuthentication"
        return "HostbasedAuthentication" if settings.hostbased and "hostbased" in left else ""
