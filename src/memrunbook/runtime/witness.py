"""Reads back what changes left in a host's own log, so that two logs can be held against one another."""

from __future__ import annotations

import re

from msgspec import Struct

from memrunbook.runtime.ports import Session

LOGS = "/var/log"
TIMEOUT = 60.0
LIMIT = 8 << 20
# The kernel's ring is lost with a reboot, the journal and the files when they are rotated: each is asked. What a source
# said of itself, that it could be read, stands behind its lines.
SCRIPT = """
mrb_find='/runbook: run=/p'
mrb_read() { printf '@@ read %s\\n' "$1"; }
if command -v journalctl >/dev/null 2>&1; then
  child journalctl --no-pager --quiet --output=short-unix --identifier=runbook 2>/dev/null && mrb_read 'its journal'
fi
{ child dmesg 2>/dev/null && mrb_read 'its kernel log'; } | child sed -n -e "$mrb_find" -e '/^@@ read /p'
for mrb_file in "$1"/messages* "$1"/syslog* "$1"/kern.log*; do
  [ -f "$mrb_file" ] && [ -r "$mrb_file" ] || continue
  case $mrb_file in
  *.gz) child gzip -dc -- "$mrb_file" ;;
  *.xz) child xz -dc -- "$mrb_file" ;;
  *.zst) child zstd -dcq -- "$mrb_file" ;;
  *) child cat -- "$mrb_file" ;;
  esac 2>/dev/null | child sed -n -e "$mrb_find"
  mrb_read "$mrb_file"
done
return 0
"""
WITNESS = re.compile(
    r"runbook: run=(\d{8}T\d{6}Z-[a-z]{4,8}) step=(.{0,400}?) record=([0-9a-f]{16})(?![0-9a-f])(?: by=(\S{1,200}))?"
)
READ = re.compile(r"@@ read (.{1,200})")


class Witness(Struct, frozen=True):
    """A line that a change left on its host: run, step, the first 16 digits of its record's hash, and who made it."""

    run: str
    step: str
    record: str
    by: str = ""


class HostLog(Struct, frozen=True):
    """What a host's logs hold of changes, each once; the `sources` that could be read, and what went wrong."""

    lines: tuple[Witness, ...]
    sources: tuple[str, ...]
    problem: str = ""


def read_log(session: Session, folder: str = LOGS) -> HostLog:
    """Asks a host for every witness line that its logs still hold; never raises for what the host does."""
    output = session.execute(SCRIPT, (folder,), timeout=TIMEOUT, limit=LIMIT)
    found = dict.fromkeys(Witness(*(part or "" for part in match.groups())) for match in WITNESS.finditer(output.text))
    sources = tuple(dict.fromkeys(READ.findall(output.text)))
    problem = "its logs are too large to be read to their end" if output.truncated else ""
    if output.timed_out:
        problem = f"its logs could not be read to their end within {TIMEOUT:.0f} s"
    elif output.status is None and not problem:
        problem = "the connection was lost while its logs were being read"
    return HostLog(tuple(found), sources, problem)
