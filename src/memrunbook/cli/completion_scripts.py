"""What shells read to complete the command: each asks the command itself, which says what fits by `completing`."""

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
         [[ $value == */ ]] && compopt -o nospace
         COMPREPLY+=("$value") ;;
    esac
  done < <(env COMP_WORDS="${words[*]}" COMP_CWORD=$((${#words[@]} - 1)) _RUNBOOK_COMPLETE=bash_complete "$1")
}
complete -o nosort -F _runbook_completion runbook
"""
# Of click's own scripts these differ in that a value may have a comma, that --name=VALUE is completed, and that zsh
# completes more than once: a file of $fpath is run anew each time that its function is called.
ZSH = """\
#compdef runbook
_runbook_completion() {
  local kind value help kept=
  local -a described
  (( $+commands[runbook] )) || return 1
  local -a answer=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT - 1)) \\
    _RUNBOOK_COMPLETE=zsh_complete runbook)}")
  [[ $PREFIX == --*=* ]] && kept="${PREFIX%%=*}="
  for kind value help in "${answer[@]}"; do
    case $kind in
      dir) _path_files -/ ;;
      file) _path_files ;;
      plain)
        if [[ $help != _ ]]; then
          described+=("$value:$help")
        elif [[ $value == */ ]]; then
          compadd -U -V runbook -S '' -- "$kept$value"
        else
          compadd -U -V runbook -- "$kept$value"
        fi ;;
    esac
  done
  (( $#described )) && _describe -V runbook described -U
}
if [[ $funcstack[1] == _runbook ]]; then
  _runbook_completion "$@"
else
  compdef _runbook_completion runbook
fi
"""
FISH = """\
function _runbook_completion
  set -l word (commandline -ct)
  set -l kept (string match -r -- '^--[^=]*=' $word)
  for line in (env _RUNBOOK_COMPLETE=fish_complete COMP_WORDS=(commandline -cp) COMP_CWORD=$word runbook)
    set -l parts (string split -m 1 , -- $line)
    switch $parts[1]
      case dir
        __fish_complete_directories $parts[2]
      case file
        __fish_complete_path $parts[2]
      case plain
        printf '%s%s\\n' "$kept" $parts[2]
    end
  end
end
complete --no-files --command runbook --arguments '(_runbook_completion)'
"""
