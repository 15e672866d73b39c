"""Somebody's script drops the page cache every few seconds, so that it can never help."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, rates, vmstat
from tests.kernel.lab.scenario import Scenario, Truth

TIMES = 3
ENOUGH_PERCENT = 60
_DROP = "/bin/sh -c 'while :; do echo 3 >/proc/sys/vm/drop_caches; sleep 3; done'"


def _prepare(guest: Guest) -> None:
    guest.start_service("cachecleaner", _DROP)


def _reached(guest: Guest) -> bool:
    goes_on = rates(guest, seconds=4)["drop_pagecache"] > 0
    return goes_on and vmstat(guest)["drop_pagecache"] >= TIMES and available_percent(guest) > ENOUGH_PERCENT


SCENARIO = Scenario(
    "drop_caches_cron",
    "a script drops the caches every 3 s",
    _prepare,
    _reached,
    Truth("kernel-tuning", incident=False, checks=("drop-caches-cron",)),
)
