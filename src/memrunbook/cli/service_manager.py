"""Tells systemd how a service stands (sd_notify): a datagram to $NOTIFY_SOCKET; nothing where there is none."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class ServiceManager:
    """Who started this process and waits for a word: within `watchdog` seconds, where that is not 0."""

    address: str = ""
    watchdog: float = 0.0

    @classmethod
    def of(cls, environment: Mapping[str, str], pid: int) -> ServiceManager:
        """As the environment says; a watchdog that is meant for another process is none."""
        mine = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        given = environment.get("WATCHDOG_USEC", "0") if mine else "0"
        seconds = int(given) / MICROSECONDS if given.isascii() and given.isdecimal() else 0.0
        return cls(environment.get("NOTIFY_SOCKET", ""), seconds)

    @classmethod
    def usual(cls) -> ServiceManager:
        """That of this process."""
        return cls.of(os.environ, os.getpid())

    def ready(self, status: str) -> None:
        """It works, and does this."""
        self._say(f"READY=1\nSTATUS={status}")

    def alive(self, status: str = "") -> None:
        """It is not stuck."""
        self._say("WATCHDOG=1" + (f"\nSTATUS={status}" if status else ""))

    def reloading(self) -> None:
        """It reads its files anew; `ready` ends that."""
        self._say(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """It ends, as it was told to."""
        self._say("STOPPING=1")

    def _say(self, words: str) -> None:
        if not self.address.startswith(("/", "@")):
            return
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
            to.setblocking(False)  # a manager that reads nothing must not hold up what is scheduled
            to.sendto(words.encode(), address)
