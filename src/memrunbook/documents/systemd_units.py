"""The systemd units of a scheduler: a service that stays, or one that a timer starts; confined as far as it can be."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from memrunbook.core.errors import UsageError
from memrunbook.core.text import clean

FOLDER = Path("/etc/systemd/system")
NAME = "memrunbook"
CONFINED = """\
# Nothing is changed on this machine but the state directory; hosts are reached over the network.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources @obsolete
SystemCallErrorNumber=EPERM
DevicePolicy=closed
UMask=0077
"""
SERVICE = """\
[Unit]
Description=memrunbook: scheduled runbooks
Documentation=man:systemd.service(5)
Wants=network-online.target
After=network-online.target nss-lookup.target
{limits}
[Service]
{start}
User={user}
Environment=PYTHONUNBUFFERED=1
{environment}StateDirectory=memrunbook
StateDirectoryMode=0700
{written}{confined}{install}"""
STAYS = """\
Type=notify
NotifyAccess=main
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=5s
TimeoutStartSec=10min
WatchdogSec=3min
TimeoutStopSec={stop}
KillMode=mixed
KillSignal=SIGTERM"""
ONCE = """\
Type=oneshot
ExecStart={command}
TimeoutStartSec=infinity
TimeoutStopSec={stop}
KillMode=mixed"""
LONGEST_STEP = "35min"
"""A step in flight comes to its end before the scheduler is killed: emptying a swap device may take half an hour."""
TIMER = """\
[Unit]
Description=memrunbook: looks each minute what is due

[Timer]
OnCalendar=*:*:00
AccuracySec=1s
Persistent=yes

[Install]
WantedBy=timers.target
"""
WANTED = "\n[Install]\nWantedBy=multi-user.target\n"
ALONE, OF_A_TEAM = "StateDirectoryMode=0700\n", "StateDirectoryMode=3770\n"
SETGID = "RestrictSUIDSGID=yes\n"
"""Forbids to make a folder that hands its group on, as each folder in a team's state directory does."""
OFTEN = "StartLimitIntervalSec=10min\nStartLimitBurst=20\n"


def units(
    words: Sequence[str], user: str, *, timer: bool = False, agent: str = "", written: Path | None = None
) -> Mapping[str, str]:
    """The files by name: the command's `words` as a user, as a service that stays or, with `timer`, each minute once.

    `agent` is the socket of an ssh agent, empty for none: keys are then read from the user's home. `written` is a
    folder beside the state directory that it may write to. UsageError for a word that would begin another line.
    """
    for option, word in (("--user", user), ("--agent", agent)):
        if not word.isprintable():
            raise UsageError("there are characters in it that no name has", where=f"{option} {clean(word)}")
    command = shlex.join([*words, "--once"] if timer else words)
    service = SERVICE.format(
        limits="" if timer else OFTEN,
        start=(ONCE if timer else STAYS).format(
            command=command.replace("%", "%%").replace("$", "$$"), stop=LONGEST_STEP
        ),
        user=user.replace("%", "%%"),
        environment=f"Environment={_word(f'SSH_AUTH_SOCK={agent}')}\n" if agent else "",
        written="" if written is None else f"ReadWritePaths={_path_word(written)}\n",
        confined=CONFINED,
        install="" if timer else WANTED,
    )
    found = {f"{NAME}.service": service}
    return found | ({f"{NAME}.timer": TIMER} if timer else {})


def of_a_team(found: Mapping[str, str]) -> Mapping[str, str]:
    """The same units where the state directory is a team's, that of the user's group: systemd keeps it one."""
    return {name: text.replace(ALONE, OF_A_TEAM).replace(SETGID, "") for name, text in found.items()}


def _path_word(folder: Path) -> str:
    """One word of a list of paths; a folder that is not there yet keeps no scheduler from starting."""
    return _word(f"-{folder}")


def _word(text: str) -> str:
    """One word of a list, whatever stands in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
