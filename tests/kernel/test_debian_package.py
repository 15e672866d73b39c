"""The Debian package on a guest without a network: installed, used, scheduling, purged; and a stranger's walk."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from tests.kernel.lab.configuration import PACKAGED
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.package import install_package
from tests.kernel.lab.scenario import named
from tests.kernel.lab.shell import Answer
from tests.kernel.lab.waiting import wait_until
from tests.kernel.matrix import FIGURE

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(3600)]
PATIENCE = 600.0
UNIT, STATE = "memrunbook.service", "/var/lib/memrunbook"
COMPLETIONS = (
    "/usr/share/bash-completion/completions/runbook",
    "/usr/share/fish/vendor_completions.d/runbook.fish",
    "/usr/share/zsh/vendor-completions/_runbook",
)
CONFFILES = ("config.yaml", "hosts.ini", "services.yaml")
FILES = (
    "find / -xdev ( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/tmp -o -path /var/log"
    " -o -path /var/cache -o -path /var/lib/dpkg -o -path /var/lib/systemd -o -path /root ) -prune -o -print"
)
ACCOUNTS = {f"/etc/{name}{end}" for name in ("group", "gshadow", "passwd", "shadow") for end in ("", "-")}
ANSWERS = """\
import os, pty, sys

seen = b""


def read(terminal):
    global seen
    said = os.read(terminal, 1024)
    seen += said
    if b"y/N" in seen and seen.rstrip().endswith(b"):"):
        seen = b""
        os.write(terminal, b"y\\n")
    return said


sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], read)))
"""
"""Types y when it is asked: what is typed before a question does not count."""


def typed(guest: Guest, command: str, user: str = "root") -> Answer:
    """What somebody sees who types it; never a traceback."""
    answer = guest.run(command, user=user, seconds=PATIENCE)
    assert "Traceback" not in answer.stdout + answer.stderr
    return answer


def files(guest: Guest) -> set[str]:
    return set(guest.check(FILES.replace("(", r"\(").replace(")", r"\)"), seconds=PATIENCE).splitlines())


def test_the_package_is_installed_used_and_purged(
    guest_in: Callable[..., Guest], record_property: Callable[[str, object], None]
) -> None:
    guest = guest_in("idle_healthy", PACKAGED)
    before, began = files(guest), time.time()
    install_package(guest)
    record_property(FIGURE, f"package: installed in {time.time() - began:.0f} s, with its build where it was built")

    used(guest)
    scheduled(guest)
    purged(guest, before)


def used(guest: Guest) -> None:
    """The command, its pages and completions, for root and for whoever has no rights."""
    assert re.fullmatch(r"runbook, version \S+\n", typed(guest, "runbook --version", "plain").stdout)
    assert "memory-shortage" in typed(guest, "runbook list", "plain").stdout
    assert typed(guest, "runbook validate").stdout.startswith("OK: no problems"), "the files in /etc/memrunbook"
    assert "memrunbook" in typed(guest, "runbook doctor").stdout
    diagnosed = typed(guest, "runbook diagnose --host local")
    assert diagnosed.stdout.startswith("OK"), diagnosed
    assert typed(guest, "runbook history --host local").status == 0, "it was kept"
    conffiles = guest.check("dpkg-query --show --showformat='${Conffiles}' memrunbook").split()[::2]
    assert sorted(conffiles) == [f"/etc/memrunbook/{name}" for name in CONFFILES]
    for place in COMPLETIONS:
        guest.check(f"test -s {place}")
    assert "-F _runbook_completion runbook" in guest.check(f"bash -c '. {COMPLETIONS[0]}; complete -p runbook'")
    assert "runbook" in guest.check("man --pager=cat runbook", seconds=PATIENCE)


def scheduled(guest: Guest) -> None:
    """The unit is known and not started; once it has schedules it runs, and shares its state with root."""
    assert guest.run(f"systemctl is-enabled {UNIT}").stdout.strip() == "disabled"
    assert guest.run(f"systemctl is-active {UNIT}").stdout.strip() == "inactive"
    verified = guest.run(f"systemd-analyze verify --man=no {UNIT}", seconds=PATIENCE)
    assert "memrunbook" not in verified.stdout + verified.stderr
    assert guest.check(f"stat -c '%a %U %G' {STATE}").split() == ["3770", "memrunbook", "memrunbook"]
    guest.check("cp /usr/share/doc/memrunbook/examples/schedules.yaml /etc/memrunbook/schedules.yaml")
    guest.check("echo 'lab ansible_host=127.0.0.1' >>/etc/memrunbook/hosts.ini")
    assert "schedules.yaml" in typed(guest, "runbook validate").stdout
    guest.check(f"systemctl enable --now {UNIT}", seconds=PATIENCE)
    wait_until(
        lambda: guest.run(f"systemctl is-active {UNIT}").stdout.strip() == "active",
        seconds=PATIENCE,
        what="the scheduler to be ready",
        pause=1,
    )
    assert typed(guest, "runbook schedule check").stdout.startswith("OK")
    assert typed(guest, "runbook runs").status == 0
    guest.check(f"systemctl restart {UNIT}", seconds=PATIENCE)
    as_scheduler = f"runuser -u memrunbook -- env HOME={STATE} runbook runs --state-dir {STATE}"
    assert typed(guest, as_scheduler).status == 0, "what root keeps there the scheduler reads, and the reverse"
    assert guest.check(f"stat -c '%a %U %G' {STATE}").split() == ["3770", "memrunbook", "memrunbook"]
    guest.check(f"systemctl disable --now {UNIT}", seconds=PATIENCE)


def purged(guest: Guest, before: set[str]) -> None:
    """Nothing is left but the journals, their user, and what the administrator wrote; which is said."""
    said = typed(guest, "dpkg --purge memrunbook")
    assert said.status == 0
    assert f"the journals in {STATE} are kept" in said.stderr
    assert "what you have put into /etc/memrunbook is kept" in said.stderr
    left = {path for path in files(guest) - before if not path.startswith(f"{STATE}/")} - ACCOUNTS
    assert left == {STATE, "/etc/memrunbook", "/etc/memrunbook/schedules.yaml"}


WALK = (
    ("runbook diagnose --host local", 8),
    ("runbook show memory-fragmentation", 0),
    ("runbook plan memory-fragmentation --host local", 0),
    ("python3 /var/tmp/answers.py runbook run memory-fragmentation --host local", 0),
    ("runbook report last", 0),
    ("runbook audit verify", 0),
)


def test_a_stranger_walks_from_the_package_to_a_run_that_was_approved(
    guest_in: Callable[..., Guest], record_property: Callable[[str, object], None]
) -> None:
    guest = guest_in("idle_healthy", PACKAGED)
    guest.write("/var/tmp/answers.py", ANSWERS)
    began = time.time()
    install_package(guest)
    told = [f"{time.time() - began:5.0f} s  dpkg --install memrunbook.deb"]
    guest.check("sync; echo 3 >/proc/sys/vm/drop_caches")  # the cache of what was unpacked would be given way first
    named("fragmentation").enter(guest)  # only now: what dpkg does to the memory would cure it
    for command, status in WALK:
        started = time.time()
        answer = typed(guest, command)
        assert answer.status == status, answer
        shown = command.removeprefix("python3 /var/tmp/answers.py ")
        told.append(f"{time.time() - started:5.0f} s  {shown}\n{answer.stdout}")
    record_property(FIGURE, "a stranger's walk:\n" + "\n".join(told))
    assert "approved by" in told[-2]
