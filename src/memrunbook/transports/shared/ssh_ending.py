"""Why OpenSSH's client ended before its session began, in the words that our own client has for the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from memrunbook.core.errors import HostError, HostKeyError, RunbookError, Unreachable, UsageError
from memrunbook.core.text import clean
from memrunbook.transports.shared import patience
from memrunbook.transports.shared.key_files import (
    barred_login,
    ended_login,
    is_encrypted,
    is_exposed,
    keyless,
    refused_login,
)
from memrunbook.transports.shared.known_hosts import (
    KnownHosts,
    kind_and_bits,
    other_key,
    revoked,
    revoked_by_file,
    short_key,
    uncertified,
)
from memrunbook.transports.shared.ssh_algorithms import Algorithms
from memrunbook.transports.shared.ssh_log import KEY, SshLog
from memrunbook.transports.shared.ssh_settings import DEFAULT_KEYS, KEYS_BARRED, home
from memrunbook.transports.shared.target import Target, still_to_go

_UNLOADED = re.compile(r"Load key \"(.+)\": (.+)")
_NO_BANNER = re.compile(r"exchange_identification|banner exchange: (?!.*timed out)")  # reading, or writing, was in vain
_NO_SERVER = ("No SSH identification string", "message too long", "invalid characters")


@dataclass(frozen=True)
class EndedClient:
    """The client's own log, and what it and those on the way wrote `beside`; `known` keys by the name of each host."""

    target: Target
    log: SshLog
    beside: SshLog
    known: Mapping[str, KnownHosts]
    agent_fault: str = ""

    def error(self) -> RunbookError:
        """What, where, what to do: by the first complaint that is understood, those from the way there before."""
        error = self._fault()
        mine = (self.target.where, self.target.known_name)
        for hop in self.target.way[:-1]:
            if isinstance(error, HostError) and error.where in (hop.where, hop.known_name) and error.where not in mine:
                return hop.told(error)
        return error

    def _fault(self) -> RunbookError:
        if self.target.pins and self.log.key and self.log.key[1] not in self.target.pins:
            return other_key(self.target.known_name, *self.log.key, self.target.pins)
        for line in (*self.beside.said, *self.log.said):
            for pattern, told in _COMPLAINTS:
                if match := pattern.search(line):
                    return told(self, match)
        return self._last_words()

    def unknown_key(self, match: re.Match[str]) -> HostKeyError:
        """The host's key is not known, or has changed: the line names the host."""
        scan = next((hop.scan for hop in self.target.way if hop.known_name == match[1]), "")
        return self.known_of(match[1]).fault(match[1], *self._shown(match[1]), scan)

    def revoked_key(self, match: re.Match[str]) -> HostKeyError:
        """The host's key is one that nobody may trust."""
        return revoked(match[1], self._shown(match[1])[1])

    def revoked_by_file(self, match: re.Match[str]) -> HostKeyError:
        """The file of RevokedHostKeys names the host's key, or nobody can read it."""
        found = match.groupdict()
        return revoked_by_file(
            self.target.known_name, match["key"], clean(match["file"]), clean(found.get("why") or "")
        )

    def certificate(self, match: re.Match[str]) -> HostKeyError:
        """A certificate of the host does not hold, for a reason that the line tells."""
        name = self.target.known_name
        why = f"with a certificate that does not hold: {clean(match[1])}"
        if vouching := self.known_of(name).authorities(name):
            return uncertified(name, " ".join(self._shown(name)), vouching[0], why)
        return HostKeyError(f"the host came {why}", where=name, hint="its owner must have it signed anew")

    def unverified(self, _: re.Match[str]) -> HostKeyError:
        """The host's key was refused, and no line before said why."""
        name = self.target.known_name
        return self.known_of(name).fault(name, *self._shown(name))

    def known_of(self, name: str) -> KnownHosts:
        """The known keys that are looked at for this name."""
        return self.known.get(name) or self.known[self.target.known_name]

    def _shown(self, name: str) -> tuple[str, str]:
        """The key that was shown under this name: the last one on the way, where it is not that of the host itself."""
        if name in (self.target.known_name, self.target.address) and self.log.key:
            return self.log.key
        shown = [match for line in self.beside.lines if (match := KEY.match(line))]
        return (shown[-1][1], shown[-1][2]) if shown else ("a key", "that was not told")

    def refused(self, match: re.Match[str]) -> HostError:
        """The host took no key of this user."""
        hop = self.hop(match[2].rstrip(":"))
        if "publickey" not in match[3].split(","):
            return keyless(hop.where, match[3])
        if barred := next((one for one in hop.settings.beyond if one.startswith(KEYS_BARRED)), ""):
            return barred_login(match[1], hop.where, barred)
        offered = (self.log if hop is self.target else self.beside).offered
        lines = [found for line in (*self.log.said, *self.beside.said) if (found := _UNLOADED.search(line))]
        unloaded = {found[1]: clean(found[2]) for found in lines}
        allowed = hop.settings.algorithms
        reasons = {path: _unusable(path, offered, unloaded, allowed) for path in hop.identities}
        unusable = [(str(path), why) for path, why in reasons.items() if why]
        tried = [label for label in offered if not reasons.get(Path(label))]
        return refused_login(match[1], hop.where, tried, unusable, self.agent_fault)

    def hop(self, name: str) -> Target:
        """Whose name or address this is, on the way there."""
        return next((hop for hop in self.target.way if name in (hop.address, hop.where)), self.target)

    def _last_words(self) -> RunbookError:
        at = _reached(self)
        log = self.log if at is self.target else self.beside.latest
        where, words = at.where, [*self.beside.said, *self.log.said]
        said = clean((log.said or words or ["it said nothing"])[-1])
        if log.key:
            return ended_login(where, said)
        if log.version:
            return patience.broken_off(where, said)
        if any(sign in line for line in words for sign in _NO_SERVER):
            return patience.no_server(where, clean(log.greeting) or said)
        if no_way := _no_way(self):
            return no_way
        if any(map(_NO_BANNER.search, words)):
            return patience.hung_up(where)
        return Unreachable(f"ssh ended before it was connected: {said}", where=where, hint=f"look at: ssh -v {where}")


def _reached(ended: EndedClient) -> Target:
    """The host of the way that was the last one to answer: the first one that has let nobody in."""
    jumps, log = still_to_go(ended.target)[:-1], ended.beside
    known = log.established or log.version  # nothing is logged where a connection of the user's or a command leads on
    return jumps[log.logins] if known and log.logins < len(jumps) else ended.target


def _no_way(ended: EndedClient) -> Unreachable | None:
    """That the command which leads there ended, with its last words; None where no command does."""
    target, said = ended.target, ended.beside.said
    if not target.command:
        return None
    last = f": {clean(said[-1])}" if said else ""
    turned_away = any(map(_NO_BANNER.search, said))
    return (patience.TurnedAway if turned_away else Unreachable)(
        f"the way there ended before an SSH banner came ({clean(target.command)}){last}",
        where=target.where,
        hint=f"does that command reach the host? look at: ssh -v {target.where}",
    )


def _no_tcp(ended: EndedClient, match: re.Match[str]) -> Unreachable:
    where, port, why = ended.hop(match[1]).where, int(match[2]), clean(match[3])
    if why == "failure":  # the line before says what failed
        lines = [*ended.beside.lines, *ended.log.lines]
        why = clean(lines[max(1, lines.index(match.string)) - 1])
    if "refused" in why:
        return patience.closed_port(where, port)
    hint = "the host is down or hangs, or a firewall drops the packets" if "timed out" in why else ""
    if (bind := ended.target.settings.bind_address) and not hint:
        hint = patience.bound_hint(bind)
    return Unreachable(f"no connection to TCP port {port}: {why}", where=where, hint=hint)


def _disconnected(ended: EndedClient, match: re.Match[str]) -> HostError:
    where, why = ended.target.where, clean(match[1])
    return ended_login(where, why) if ended.log.key else patience.broken_off(where, why)


def _misconfigured(ended: EndedClient, match: re.Match[str]) -> UsageError:
    where = ended.target.where
    return UsageError(clean(match[0]), where=where, hint=f"ssh refuses its configuration: ssh -G {where}")


def _nameless(ended: EndedClient, match: re.Match[str]) -> Unreachable:
    return patience.nameless(ended.hop(match[1]).where, match[1], clean(match[2]))


def _no_cipher(ended: EndedClient, match: re.Match[str]) -> Unreachable:
    named = (match[1], int(match[2] or 0))
    hop = next((hop for hop in ended.target.way if (hop.address, hop.port) == named), ended.target)
    return patience.no_cipher(hop.where, clean(match[3]))


def _short_key(ended: EndedClient, _: re.Match[str]) -> HostKeyError:
    return short_key(ended.target.known_name, 0, ended.target.settings.algorithms.rsa_bits)


def _jump_failed(ended: EndedClient, match: re.Match[str]) -> Unreachable:
    ahead = still_to_go(ended.target)
    opened = ended.beside.logins or int(ahead[0].via is None)  # by the jump host before it, which has let us in
    return ahead[min(opened, len(ahead) - 1)].unconnected(clean(match[1]))


_COMPLAINTS: tuple[tuple[re.Pattern[str], Callable[[EndedClient, re.Match[str]], RunbookError]], ...] = tuple(
    (re.compile(pattern), told)
    for pattern, told in (
        (r"No \S+ host key is known for (\S+) and you have requested strict", EndedClient.unknown_key),
        (r"ost key for (\S+) has changed and you have requested strict", EndedClient.unknown_key),
        (r"ost key for (\S+) (?:is marked as|was) revoked", EndedClient.revoked_key),
        (r"Host key \S+ (?P<key>\S+) revoked by file (?P<file>.+)", EndedClient.revoked_by_file),
        (r"host key \S+ (?P<key>\S+) in revoked keys file (?P<file>.+): (?P<why>.+)", EndedClient.revoked_by_file),
        (r"Certificate invalid: (.+)", EndedClient.certificate),
        (r"Host key verification failed", EndedClient.unverified),
        (r"ssh: Could not resolve hostname (\S+): (.+)", _nameless),
        (r"ssh: connect to (?:host|address) (\S+) port (\d+): (.+)", _no_tcp),
        (r"open failed: (?:connect failed: )?(.+)", _jump_failed),
        (r"(\S+)@(\S+): Permission denied \(([^)]*)\)", EndedClient.refused),
        (r"Received disconnect from \S+(?: port \d+)?:\d+: (.+)", _disconnected),
        (r"Unable to negotiate with (\S+)(?: port (\d+))?: (.+)", _no_cipher),
        (r"Bad server host key: Invalid key length", _short_key),
        (r".*line \d+: .*|.*Bad configuration option.*|jumphost loop.*|invalid environment variable.*", _misconfigured),
    )
)


def _unusable(path: Path, offered: Sequence[str], unloaded: Mapping[str, str], allowed: Algorithms) -> str:
    """Why a key file was of no use; empty where it was offered, or is one of the usual files and not there."""
    if f"{path} (agent)" in offered:
        return ""
    if not path.exists():
        return "" if path.parent == home() / ".ssh" and path.name in DEFAULT_KEYS else "no such file"
    if is_exposed(path):
        return f"others may read it: chmod 600 {path}"
    if is_encrypted(path):
        return "encrypted"
    if str(path) in unloaded:
        return f"no private key that is understood: {unloaded[str(path)]}"
    return allowed.against_key(*kind_and_bits(path)) if str(path) not in offered else ""
