"""Reaches a host by SSH: where and as whom, whose key, which login, root or not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import astuple, dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.core.errors import HostKeyError, LoginError, Unreachable, UsageError
from memrunbook.core.host import Host, HostIdentity
from memrunbook.core.text import clean
from memrunbook.transports.shared.known_hosts import HostKey, KnownHosts
from memrunbook.transports.shared.lean import load_paramiko
from memrunbook.transports.shared.reach import Reach, Way, nobody_follows, nobody_listens
from memrunbook.transports.shared.shell import COMMAND, SUDO, NoShellError, Shell, ShellSession, SudoMode
from memrunbook.transports.shared.ssh_config import SshConfig
from memrunbook.transports.shared.sudo import SudoPassword, no_root_for
from memrunbook.transports.shared.this_user import named_user

if TYPE_CHECKING:
    from memrunbook.transports.shared.ssh_keys import KeyRing
    from memrunbook.transports.shared.ssh_link import SshLink

PORT = 22


@dataclass(frozen=True)
class Timeouts:
    """How long each phase may take, in seconds."""

    tcp: float = 10.0
    banner: float = 20.0
    login: float = 30.0
    channel: float = 20.0


@dataclass(frozen=True, eq=False)
class SshOptions:
    """How to reach hosts; one object for all of them, so that files are read once.

    Empty `known_hosts` means the user's and the system's files. `patience` (seconds) lengthens the waits for the banner
    and the login of a slow host; `notice(host, what, seconds)` is told four times a second what is waited for, and
    `passed(host, stage, said)` what was got through.
    """

    user: str = ""
    port: int = 0
    identities: tuple[Path, ...] = ()
    known_hosts: tuple[Path, ...] = ()
    ssh_config: Path = field(default_factory=lambda: Path.home() / ".ssh" / "config")
    accept_new: bool = False
    sudo: SudoMode = "auto"
    patience: float = 0.0
    notice: Callable[[str, str, float], None] = nobody_listens
    passed: Callable[[str, str, str], None] = nobody_follows
    sudo_password: SudoPassword | None = None
    timeouts: Timeouts = Timeouts()
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _rings: list[KeyRing] = field(default_factory=list)
    _known: dict[tuple[Path, ...], KnownHosts] = field(default_factory=dict)

    @cached_property
    def config(self) -> SshConfig:
        """The ssh configuration. Raises UsageError."""
        return SshConfig.read(self.ssh_config)

    def ring(self) -> KeyRing:
        """The key files, loaded once."""
        load_paramiko()
        from memrunbook.transports.shared.ssh_keys import KeyRing

        with self._lock:
            if not self._rings:
                self._rings.append(KeyRing())
            return self._rings[0]

    def known(self, of_user: tuple[Path, ...]) -> KnownHosts:
        """The known host keys: of --known-hosts, else of the user's files (configured or default) and the system's."""
        home = Path.home() / ".ssh" / "known_hosts"
        paths = self.known_hosts or (*(of_user or (home,)), Path("/etc/ssh/ssh_known_hosts"))
        with self._lock:
            if paths not in self._known:
                self._known[paths] = KnownHosts(paths)
            return self._known[paths]


@dataclass(frozen=True)
class Target:
    """Where a connection goes and as whom."""

    where: str
    address: str
    port: int
    user: str
    identities: tuple[Path, ...]
    only_identities: bool
    known_hosts: tuple[Path, ...]
    jump: str
    pinned: tuple[str, ...] = ()
    sudo: SudoMode = "auto"

    @property
    def known_name(self) -> str:
        """The name under which known_hosts files know the host."""
        name = self.address.lower()
        return name if self.port == PORT else f"[{name}]:{self.port}"


def way(reach: Reach) -> Way:
    """Files are read and keys are loaded once for all hosts. Less patience than usual shortens every wait."""
    usual = Timeouts()
    patience = reach.patience
    waits = usual if patience is None else Timeouts(*(min(wait, patience) for wait in astuple(usual)))
    options = SshOptions(
        identities=reach.identities,
        known_hosts=reach.known_hosts,
        ssh_config=reach.ssh_config or Path.home() / ".ssh" / "config",
        accept_new=reach.accept_new_host_keys,
        sudo=reach.sudo,
        patience=patience or 0.0,
        notice=reach.waiting,
        passed=reach.passed,
        sudo_password=reach.sudo_password,
        timeouts=waits,
    )
    return lambda host: SshConnector(host, options)


def find_target(host: Host, options: SshOptions) -> Target:
    """What the host's name, its inventory, the options and the ssh configuration say together, in this order of weight.

    As Ansible does, ssh is asked for the address that an inventory gives, and not for the name there.
    """
    name = host.address or host.name
    settings = options.config.lookup(name, host.ssh_args)
    return Target(
        where=host.name,
        address=settings.host_name or name,
        port=host.port or options.port or settings.port or PORT,
        user=host.user or options.user or settings.user or _own_name(host),
        identities=options.identities + tuple(Path(file) for file in (*host.identities, *settings.identity_files)),
        only_identities=settings.identities_only,
        known_hosts=tuple(Path(file) for file in settings.known_hosts),
        jump=settings.proxy_jump,
        pinned=host.host_keys,
        sudo=host.sudo or options.sudo,
    )


def _own_name(host: Host) -> str:
    if name := named_user():
        return name
    why = "as whom? this uid has no name here"
    raise UsageError(why, where=host.name, hint="write USER@HOST, or User in the ssh configuration")


def _find_jump(target: Target, options: SshOptions) -> Target:
    user, _, rest = target.jump.rpartition("@")
    name, _, port = rest.partition(":")
    if "," in rest or "://" in rest or not name or (port and not port.isdecimal()):
        raise UsageError(f"ProxyJump {target.jump}: one hop [user@]host[:port] is supported", where=target.where)
    hop = find_target(Host(name=name, user=user, port=int(port or 0)), replace(options, user="", port=0))
    if hop.jump:
        raise UsageError(f"ProxyJump {target.jump} needs a hop of its own: one is supported", where=target.where)
    return replace(hop, where=f"{name} (jump host of {target.where})")


@dataclass(frozen=True)
class SshConnector:
    """Opens a session on one host."""

    host: Host
    options: SshOptions

    def connect(self) -> ShellSession:
        """Raises Unreachable, HostKeyError, LoginError, SudoError (with the remedy as hint) or UsageError."""
        target = find_target(self.host, self.options)
        link, key = self._connect(target)
        try:
            shell, no_root = self._open_shell(link, target)
        except BaseException:
            link.close()
            raise
        identity = HostIdentity(address=link.address or target.address, host_key=key.fingerprint, user=target.user)
        return ShellSession(shell, identity, link, no_root)

    def _connect(self, target: Target) -> tuple[SshLink, HostKey]:
        load_paramiko()
        from memrunbook.transports.shared.ssh_link import SshLink
        from memrunbook.transports.shared.tcp import dial

        times = self.options.timeouts
        via = self._connect(_find_jump(target, self.options))[0] if target.jump else None
        try:
            if via:
                sock = via.forward(target.address, target.port, times.channel, target.where)
                link = SshLink(sock, target.where, via)
            else:
                named = partial(self._passed, target, "name")
                link = SshLink(dial(target.address, target.port, times.tcp, target.where, named), target.where)
            self._passed(target, "TCP", f"{link.address or target.address} port {target.port}")
        except BaseException:
            if via:
                via.close()
            raise
        try:
            return link, self._enter(link, target)
        except BaseException:
            link.close()
            raise

    def _enter(self, link: SshLink, target: Target) -> HostKey:
        known = self.options.known(target.known_hosts)
        kinds = [line.key.kind for line in known.lookup(target.known_name) if not line.revoked]
        times = self.options.timeouts
        patience = self.options.patience
        key = link.negotiate(kinds, max(times.banner, patience), max(times.login, patience), self._notice)
        self._passed(target, "SSH", link.version)
        if target.pinned:
            _check_pinned(target, key)
        else:
            known.verify(target.known_name, key, accept_new=self.options.accept_new)
        self._passed(target, "host key", f"{key.kind} {key.fingerprint}")
        self._login(link, target, max(times.login, patience))
        return key

    def _notice(self, what: str, seconds: float) -> None:
        self.options.notice(self.host.name, what, seconds)

    def _passed(self, target: Target, stage: str, said: str) -> None:
        if target.where == self.host.name:  # not the jump host's
            self.options.passed(self.host.name, stage, said)

    def _login(self, link: SshLink, target: Target, seconds: float) -> None:
        from paramiko import SSHException

        from memrunbook.transports.shared.ssh_keys import ANSWER, BoundedAgent, Offer

        offer = Offer(self.options.ring(), target.identities, target.only_identities)
        try:
            agent = BoundedAgent()
        except TimeoutError:
            raise LoginError(
                f"the ssh agent accepts, and did not answer within {ANSWER:.0f} s",
                where=target.where,
                hint="is it locked or hung? SSH_AUTH_SOCK= before the command goes without it",
            ) from None
        except (SSHException, OSError) as error:
            raise LoginError(f"the ssh agent does not answer: {error}", where=target.where) from error
        try:
            entered = link.login(target.user, offer.keys(agent), seconds, self._notice)
        finally:
            agent.close()
        if not entered:
            raise _refused(target, offer.tried, [f"{key.path} ({key.why})" for key in offer.unusable])
        self._passed(target, "login", f"{target.user}, by {offer.tried[-1]}")

    def _open_shell(self, link: SshLink, target: Target) -> tuple[Shell, str]:
        """A shell, and what sudo said where it gave no root."""
        patience, no_root = max(self.options.timeouts.channel, self.options.patience), ""
        if target.user != "root" and target.sudo != "never":
            password = self.options.sudo_password
            try:
                return link.open_shell(SUDO, patience, password), ""
            except NoShellError as refused:
                no_root = _said(refused)
                if password is not None or target.sudo == "always":
                    raise no_root_for(target.user, no_root, target.where) from refused
        try:
            return link.open_shell(COMMAND, patience), no_root
        except NoShellError as missing:
            if missing.silent:
                raise Unreachable(
                    f"logged in, but no shell answered in {patience:.0f} s: the host may be thrashing",
                    where=target.where,
                    hint="wait longer with --patience 5m, or use its console",
                ) from missing
            raise LoginError(
                f"logged in as {target.user}, but got no shell: {_said(missing)}",
                where=target.where,
                hint="a forced command, an account without a shell, or a host that cannot fork",
            ) from missing


def _check_pinned(target: Target, key: HostKey) -> None:
    """HostKeyError where the host shows another key than its inventory says."""
    if key.fingerprint not in target.pinned:
        raise HostKeyError(
            f"THE HOST KEY IS NOT THAT OF THE INVENTORY: there it is {' or '.join(target.pinned)}, "
            f"the host shows {key.kind} {key.fingerprint}",
            where=target.where,
            hint="somebody may be in between. If the host was reinstalled and its console shows the new fingerprint: "
            "change host_key_sha256 in the inventory",
        )


def _said(refused: NoShellError) -> str:
    return clean(refused.said.strip()) or "it said nothing"


def _refused(target: Target, tried: list[str], unusable: list[str]) -> LoginError:
    encrypted = [text.partition(" (")[0] for text in unusable if text.endswith("(encrypted)")]
    hint = (
        f"ssh-add {encrypted[0]}"
        if encrypted
        else "another user (USER@HOST), another key (--identity FILE), or ssh-add"
    )
    if not tried:
        why = "; ".join(unusable) or "no key file and no agent with keys"
        return LoginError(f"there is no usable key to log in as {target.user}: {why}", where=target.where, hint=hint)
    skipped = f"; not usable: {'; '.join(unusable)}" if unusable else ""
    keys = f"{len(tried)} key{'s' if len(tried) > 1 else ''}: {', '.join(tried)}"
    return LoginError(
        f"the host refused {target.user} with {keys}{skipped}",
        where=target.where,
        hint=hint,
    )
