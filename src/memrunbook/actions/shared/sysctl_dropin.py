"""The file in which kernel parameters outlive a reboot: how it is written, and what else sets them at boot."""

from __future__ import annotations

from memrunbook.actions.shared.sysctls import KNOBS, path
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.facts.sysctl_files import LAST, SysctlSetting

DROPIN = "/etc/sysctl.d/60-runbook-memory.conf"

# Lines of other parameters, and what people wrote between them, stay as they are. The new file takes the old one's
# place in one step (rename), so that a host that dies meanwhile boots with the one or the other.
KEEP = """\
dropin_read() { # FILE KEY: in dropin_now its value, in dropin_rest the other lines, in dropin_others if they set any
  dropin_nl='
'
  dropin_now= dropin_rest= dropin_others=
  [ -e "$1" ] || return 0
  while IFS= read -r dropin_line || [ -n "$dropin_line" ]; do
    if [ "${dropin_line%%[ \t=]*}" = "$2" ]; then
      dropin_line=${dropin_line#"$2"}
      dropin_now=${dropin_line#"${dropin_line%%[! \t=]*}"}
      continue
    fi
    case $dropin_line in
      "# $2: "*) continue ;;
      '' | '#'* | ';'*) ;;
      *) dropin_others=1 ;;
    esac
    dropin_rest=$dropin_rest$dropin_line$dropin_nl
  done <"$1"
}
dropin_write() { # FILE KEY VALUE: after dropin_read; an empty value takes the key out, and the file with the last one
  if [ -z "$3$dropin_others" ]; then
    child rm -f -- "$1"
    return
  fi
  dropin_date=$(child date -u +%Y-%m-%dT%H:%M:%SZ) || return 1
  [ -n "$dropin_rest" ] || dropin_rest="# Kernel parameters that runbook was told to keep.$dropin_nl"
  [ -z "$3" ] || dropin_rest="$dropin_rest# $2: written by runbook at $dropin_date$dropin_nl$2 = $3$dropin_nl"
  ( umask 022; printf '%s' "$dropin_rest" >"$1.new" ) && child mv -f -- "$1.new" "$1" && return 0
  child rm -f -- "$1.new"
  printf '%s\\n' "$1 could not be written" >&2
  return 1
}
"""
"""Needs `child`."""


def name_in_files(key: str) -> str:
    """A parameter as files and the kernel spell it."""
    return path(key).removeprefix("/proc/sys/").replace("/", ".")


def kept(snapshot: Snapshot, key: str) -> str:
    """The value that our own file keeps for a parameter, empty for none; ask for `sysctl_files.files` first."""
    return _last([one for one in _settings(snapshot) if one.path == DROPIN and one.key == key])


def at_boot(snapshot: Snapshot, key: str) -> str:
    """The value that a parameter has after the next boot, as files say; empty where none of them sets it."""
    twin = KNOBS[key].twin
    counts = [one for one in _settings(snapshot) if one.key in (key, twin)]
    return _last(counts) if counts and counts[-1].key == key else ""


def warnings(snapshot: Snapshot, key: str, value: int) -> list[str]:
    """What sets the parameter, or the one that it excludes, to something else after our file has been read."""
    twin = KNOBS[key].twin
    later = [one for one in _settings(snapshot) if _is_later(one.path)]
    against = [one for one in later if one.key == twin or (one.key == key and one.value != str(value))]
    found = [f"{one.path} is read later at boot and sets {one.key} = {one.value}" for one in against]
    remediators = snapshot.value("host.remediators")
    if not isinstance(remediators, Unavailable) and "tuned" in remediators:
        found.append("tuned runs here, and its profile may set it again")
    return found


def _settings(snapshot: Snapshot) -> list[SysctlSetting]:
    found: list[SysctlSetting] = snapshot.value("sysctl_files.files")
    return found


def _last(settings: list[SysctlSetting]) -> str:
    return settings[-1].value if settings else ""


def _is_later(file: str) -> bool:
    return file == LAST or file.rpartition("/")[2] > DROPIN.rpartition("/")[2]
