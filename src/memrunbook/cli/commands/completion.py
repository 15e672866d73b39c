"""runbook completion: what a shell reads to complete commands, hosts, groups and runbooks."""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class

from memrunbook.cli import exit_codes
from memrunbook.cli.streams import tell

VARIABLE = "_RUNBOOK_COMPLETE"
# readline ends words at : = @ and others, and takes what is offered for the end of such a part: the words are those
# between blanks here, and of what is offered the part that readline leaves alone is cut off.
BASH = """\
_runbook_completion() {
  local IFS=$' \\t\\n' line=${COMP_LINE:0:COMP_POINT} words kind value part kept=
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  local word=${words[${#words[@]}-1]}
  if [[ $word == --*=* ]]; then
    kept=${word%%=*}=
    word=${word#*=}
    words=("${words[@]:0:${#words[@]}-1}" "${kept%=}" "$word")
  fi
  part=${word#[\\"\\']}
  if [[ $part == "$word" ]]; then
    part=${word##*[$COMP_WORDBREAKS]}
    kept=${word%"$part"} kept=${kept//\\\\/}
  else
    kept=
  fi
  COMPREPLY=()
  while IFS=, read -r kind value; do
    case $kind in
      dir) compopt -o dirnames ;;
      file) compopt -o default ;;
      *) value=${value#"$kept"}
         [[ $word == [\\"\\']* ]] || value=${value//\\!/\\\\!} value=${value//&/\\\\&}
         COMPREPLY+=("$value") ;;
    esac
  done < <(env COMP_WORDS="${words[*]}" COMP_CWORD=$((${#words[@]} - 1)) _RUNBOOK_COMPLETE=bash_complete "$1")
}
complete -o nosort -F _runbook_completion runbook
"""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print what a shell completes this command by, as in: runbook completion bash >>~/.bash_completion .

    Hosts and groups are those of -i, $RUNBOOK_INVENTORY or config.yaml; an inventory that is a program is not run. The
    ids of runs are those of the state directory.
    """
    if shell == "bash":
        return tell(exit_codes.OK, lambda: sys.stdout.write(BASH))
    kind = get_completion_class(shell)
    if kind is None:  # click knows them
        raise LookupError(shell)
    source = kind(click.get_current_context().find_root().command, {}, "runbook", VARIABLE).source()
    return tell(exit_codes.OK, lambda: sys.stdout.write(f"{source}\n"))
