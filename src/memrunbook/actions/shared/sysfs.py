"""Sets files of the kernel that hold a number or show a choice in brackets, and takes them back: shared by actions."""

from __future__ import annotations

from collections.abc import Mapping

from memrunbook.actions.shared.scripts import LOOK_ONLY, OWN_CHILD
from memrunbook.core.action.action import Undo

SHOWN = """\
shown() { # FILE: shown_now is its value, the word in brackets where it shows several
  shown_now=$(child cat "$1") || return 1
  case $shown_now in
    *'['*']'*) shown_now=${shown_now#*'['}; shown_now=${shown_now%%']'*} ;;
  esac
}
"""
SCRIPT = (
    SHOWN
    + """\
act() { # FILE VALUE ...
  while [ "$#" -ge 2 ]; do
    printf '%s\\n' "$2" >"$1" && shown "$1" || return 1
    if [ "$shown_now" != "$2" ]; then
      printf '%s\\n' "$1 is $shown_now after $2 was written" >&2
      return 1
    fi
    shift 2
  done
}
act "$@"
"""
)
UNDO = (
    OWN_CHILD
    + SHOWN
    + """\
ours() { # FILE OURS OLD ...: 0 while each is ours, or the old one already
  while [ "$#" -ge 3 ]; do
    shown "$1" || return 1
    if [ "$shown_now" != "$2" ] && [ "$shown_now" != "$3" ]; then
      printf '%s\\n' "$1 is $shown_now, not $2 as we left it: somebody else has changed it" >&2
      return 4
    fi
    shift 3
  done
}
are_back() { # FILE OURS OLD ...: 0 where each is the old one already
  while [ "$#" -ge 3 ]; do
    shown "$1" && [ "$shown_now" = "$3" ] || return 1
    shift 3
  done
}
take_back() { # FILE OURS OLD ...: all are looked at before one is written
  ours "$@" || return
  are_back "$@" && return 0
  """
    + LOOK_ONLY
    + """\
  while [ "$#" -ge 3 ]; do
    printf '%s\\n' "$3" >"$1" && shown "$1" && [ "$shown_now" = "$3" ] || return 1
    shift 3
  done
}
take_back "$@"
"""
)


def arguments(new: Mapping[str, str]) -> tuple[str, ...]:
    """What the script is given: each file with its new value."""
    return tuple(word for pair in new.items() for word in pair)


def undo(new: Mapping[str, str], old: Mapping[str, str]) -> Undo:
    """Brings the old values back, unless somebody else has set others meanwhile."""
    words = " and ".join(f"{file} back to {value}" for file, value in old.items())
    return Undo(words, UNDO, tuple(word for file in new for word in (file, new[file], old[file])))
