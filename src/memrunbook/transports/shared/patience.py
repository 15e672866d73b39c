"""What is said of a host that takes too long, whichever way it is reached."""

from __future__ import annotations

from memrunbook.core.errors import Unreachable


class TurnedAway(Unreachable):
    """The host closed the connection before it said anything: a moment later it may not."""


NO_BANNER = "TCP answers, no SSH banner: the host may be thrashing"


def silent(where: str, waited: float) -> Unreachable:
    """That a host accepts connections and says nothing."""
    return Unreachable(
        f"TCP accepts, no SSH banner in {waited:.0f} s: the host may be thrashing",
        where=where,
        hint="wait longer with --patience 5m; or use its console: SysRq-f kills the largest process; or fail over",
    )


def late(where: str, what: str, waited: float) -> Unreachable:
    """That a host began something and does not come to its end."""
    return Unreachable(
        f"{what} was not finished after {waited:.0f} s: the host may be thrashing",
        where=where,
        hint="wait longer with --patience 5m, or use its console",
    )


def unanswered(where: str, port: int, seconds: float) -> Unreachable:
    """That nothing came back at all."""
    return Unreachable(
        f"no answer at TCP port {port} in {seconds:.0f} s",
        where=where,
        hint="the host is down or hangs, or a firewall drops the packets: look at its console",
    )


def closed_port(where: str, port: int) -> Unreachable:
    """That the host says no."""
    return Unreachable(
        f"the connection was refused: nothing listens at TCP port {port}",
        where=where,
        hint="the host is up; is sshd running, and is this its port?",
    )


def nameless(where: str, address: str, why: str) -> Unreachable:
    """That nobody knows the address of a name."""
    return Unreachable(
        f"the name {address} could not be resolved: {why}",
        where=where,
        hint="check the spelling, or HostName in the ssh configuration",
    )


def hung_up(where: str) -> TurnedAway:
    """That the host ended the connection at once."""
    return TurnedAway(
        "the host closed the connection before its SSH banner",
        where=where,
        hint="sshd may be unable to fork, or turns away too many connections (MaxStartups in its sshd_config)",
    )


def no_server(where: str, why: str) -> Unreachable:
    """That something else answers there."""
    return Unreachable(f"this is no SSH server: {why}", where=where, hint="is this the right port?")


def no_cipher(where: str, why: str) -> Unreachable:
    """That host and client know no common algorithm."""
    return Unreachable(
        f"no common way to encrypt: {why}",
        where=where,
        hint="an old host, or Ciphers, MACs, KexAlgorithms or HostKeyAlgorithms of the ssh configuration leave too few",
    )


def broken_off(where: str, why: str) -> Unreachable:
    """That the connection ended while keys were exchanged."""
    return Unreachable(f"the connection ended in the key exchange: {why}", where=where)


def bound_hint(address: str) -> str:
    """What to look at where a connection from this address could not be made."""
    return f"BindAddress {address} of the ssh configuration: is it an address of this machine?"
