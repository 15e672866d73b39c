"""The pieces of POSIX sh that a probe is made of; what is formatted in is quoted by whoever puts them together.

Shell built-ins read files, and print what they have read some kilobytes at a time: each line for itself would be a
packet on its way. Before anything else prints, `probe_say` lets go of what is held back.
"""

from __future__ import annotations

# A change ran in the same shell before: what it did to IFS must not decide how lines are split here.
# After each line bash seeks back to its end, and the kernel writes the file anew: bash takes whole files instead.
START = """\
unset IFS
probe_mark="@@$1"
probe_end='
'
probe_text=
probe_flush() { [ -z "$probe_text" ] || { printf '%s' "$probe_text"; probe_text=; }; }
probe_put() {
  probe_text=$probe_text$1
  [ ${#probe_text} -lt 4000 ] || probe_flush
}
probe_note() { probe_put "$probe_mark $1 $2$probe_end"; }
probe_say() { probe_flush; printf '%s %s %s\\n' "$probe_mark" "$1" "$2"; }
probe_uptime() {
  probe_line=
  { read -r probe_line probe_rest; } 2>/dev/null </proc/uptime
  probe_say "$1" "$probe_line"
}
probe_lack() {
  if [ -e "$1" ]; then probe_note denied "$1"; return 0; fi
  probe_line=${1%/*}
  while [ -n "$probe_line" ] && [ ! -e "$probe_line" ]; do probe_line=${probe_line%/*}; done
  if [ -x "${probe_line:-/}" ]; then probe_note missing "$1"; else probe_note denied "$1"; fi
}
probe_read() {
  if [ ! -r "$1" ]; then probe_lack "$1"; return 0; fi
  probe_note file "$1"
  probe_count=0
  { if [ "$2" = 0 ]; then probe_print; else probe_head "$2"; fi; } 2>/dev/null <"$1"
}
probe_head() {
  while IFS= read -r probe_line || [ -n "$probe_line" ]; do
    probe_put "$probe_line$probe_end"
    probe_count=$((probe_count + 1))
    [ "$probe_count" = "$1" ] && break
  done
}
probe_print() {
  while IFS= read -r probe_line || [ -n "$probe_line" ]; do probe_put "$probe_line$probe_end"; done
}
if [ -n "${BASH_VERSION-}" ]; then
  probe_print() {
    probe_last=
    while IFS= read -r -d '' probe_line || [ -n "$probe_line" ]; do
      probe_put "$probe_line"
      probe_last=$probe_line
    done
    case $probe_last in '' | *"$probe_end") ;; *) probe_put "$probe_end" ;; esac
  }
fi
"""

# The parts of a pipe are processes already: each becomes its program, as `child` would run it but without another
# one. A trap says the status of a failed `exec`, at which shells end; where bash forgets it, PIPESTATUS knows.
NEWEST = """\
probe_exec() {{
  trap 'probe_say status $?' 0
  {{ [ -n "${{shell_adj-}}" ] && printf '%s\\n' "$shell_adj" >/proc/self/oom_score_adj; }} 2>/dev/null
  exec "$@"
}}
( probe_exec {command} ) </dev/null 2>&1 | ( probe_exec tail -n {newest} ) 2>&1
probe_say status "${{PIPESTATUS:-$?}}"
"""
UNLESS = """\
if {condition}; then
printf '%s\\n' {said}
probe_say status 0
else
child {command} </dev/null 2>&1
probe_status=$?
probe_say status $probe_status
[ $probe_status != 0 ] || probe_told=yes
fi
"""
# mawk ends where a read fails, so each file is tried first: a folder, one that may only be written, an empty one.
TRIED = """\
probe_try() {
  probe_line=
  { read -r probe_line || [ -n "$probe_line" ]; } 2>/dev/null <"$1"
}
set --
"""
PLAIN_FILES = """\
for probe_file in {plain}; do
  if [ ! -r "$probe_file" ]; then probe_lack "$probe_file"
  elif probe_try "$probe_file"; then set -- "$@" "$probe_file"; fi
done
"""
PATTERNS = """\
for probe_file in {patterns}; do
  if [ ! -r "$probe_file" ]; then [ -e "$probe_file" ] && probe_lack "$probe_file"
  elif probe_try "$probe_file"; then set -- "$@" "$probe_file"; fi
done
"""
ITEMS = """\
set -f
IFS=$probe_end
set -- "$@" '' {items}
unset IFS
set +f
"""
AWK = """\
if [ $# -gt {least} ]; then
  probe_say awk ''
  child awk -v mark="$probe_mark" {program} "$@" </dev/null
fi
"""
PROGRAM = """\
function show(word, file) {
  if ((getline line < file) > 0) print word " " line
  close(file)
}
BEGIN {
  for (i = 1; i < ARGC && ARGV[i] != ""; i++) {
    file = ARGV[i]; head = mark " file " file
    while ((getline line < file) > 0) { if (head) print head; head = ""; print line }
    close(file)
  }
"""
DETAIL = """\
  print mark " walk NAME"
  for (i++; i < ARGC && ARGV[i] != ""; i++) {
    item = ARGV[i]
PROGRAM
  }
"""
