"""What is asked of control groups: usage and limits of all, the rest of those that matter, later only what moves.

Built-ins read the first part, so that it is there where the host cannot fork; awk reads the many small files behind it.
"""

from __future__ import annotations

from memrunbook.facts.shared.group import ROOT

MOST_SEEN, MOST_SHOWN = 10_000, 200
LEVELS = 6
"""Below the root; groups below those are not looked for."""

# A name holds no line feed: the kernel refuses to make such a group. 19 digits and more are no limit (v1). A group may
# vanish between two reads, and arithmetic on an empty text would end the shell.
# Listing a folder is what costs. cgroup.stat begins with the number of groups below (4.14): 0 need no listing; v1 has
# no such file, and hardly ever groups below a service or scope. A small service or scope holds no large group.
# The lists that `PROGRAM` and `AGAIN` go on with hold a line for each group: one with a limit has its lower limit, hard
# limit, limit of throttling, usage and folder; behind the @ usage and folder. They grow without quotes: with them bash
# takes three times as long. `c_kind` is the version, and p where pressure can be read: without PSI the file is there,
# but reading it fails.
SCRIPT = f"""\
c_root={ROOT} c_usage=memory.current c_max=memory.max c_version=2 c_value= c_head=
if [ -e "$c_root/cgroup.controllers" ]; then
  read -r c_value <"$c_root/cgroup.controllers"
elif [ -d "$c_root/memory" ]; then
  c_root=$c_root/memory c_usage=memory.usage_in_bytes c_max=memory.limit_in_bytes c_version=1 c_high=max
else
  return 0
fi
c_head="version $c_version $c_value" c_small=0
read -r c_key c_small c_value </proc/meminfo
c_small=$((${{c_small:-0}} / 1000 * 1024))
[ "$c_small" -lt 1048576 ] && c_small=1048576
printf '%s\\nsmall %s\\n' "$c_head" "$c_small"
c_seen=0 c_near= c_near_count=0 c_limited= c_limited_count=0 c_named= c_named_count=0 c_plain= c_plain_count=0
c_line='
'
cgroups_limited() {{
  case $c_top in '' | *[!0-9]* | ???????????????????*) c_least=max ;; *) c_least=$c_top ;; esac
  case $c_high in '' | *[!0-9]*) ;; *)
    if [ "$c_least" = max ] || [ "$c_high" -lt "$c_least" ]; then c_least=$c_high; fi ;;
  esac
  [ "$c_least" = max ] && return 1
  c_item="$c_least ${{c_top:--}} ${{c_high:--}} $c_now $1"
  if [ "$c_now" -ge $((c_least / 100 * 85)) ]; then
    [ "$c_near_count" -lt {MOST_SHOWN} ] && c_near=$c_near$c_item$c_line c_near_count=$((c_near_count + 1))
  elif [ "$c_limited_count" -lt {MOST_SHOWN} ]; then
    c_limited=$c_limited$c_item$c_line c_limited_count=$((c_limited_count + 1))
  fi
  return 0
}}
cgroups_sort() {{
  c_now= c_top=
  read -r c_now <"$1/$c_usage"
  case $c_now in '' | *[!0-9]*) return 1 ;; esac
  read -r c_top <"$1/$c_max"
  case $c_version in 2) c_high=; read -r c_high <"$1/memory.high" ;; esac
  case $c_top$c_high in maxmax) ;; *) cgroups_limited "$1" && c_seen=$((c_seen + 1)) && return 0 ;; esac
  [ "$1" = "$c_root" ] && return 0
  c_seen=$((c_seen + 1)) c_item="$c_now $1"
  case ${{1#"$c_root"}} in
    *.scope | *.slice | */kubepods* | /docker/* | /lxc/* | */lxc.payload* | */libpod* | /machine*)
      [ "$c_named_count" -lt {MOST_SHOWN} ] &&
        c_named=$c_named$c_item$c_line c_named_count=$((c_named_count + 1)) ;;
    *)
      [ "$c_now" -lt "$c_small" ] && return 0
      [ "$c_plain_count" -lt {MOST_SHOWN} ] &&
        c_plain=$c_plain$c_item$c_line c_plain_count=$((c_plain_count + 1)) ;;
  esac
  return 0
}}
cgroups_walk() {{
  cgroups_sort "$1" || [ "$2" = 0 ] || return 0
  [ "$2" -ge {LEVELS} ] && return 0
  case $1 in *.service | *.scope)
    if [ "$c_version" = 1 ] || [ "$c_now" -lt "$c_small" ]; then return 0; fi ;;
  esac
  if [ "$c_version" = 2 ]; then
    c_key= c_value=
    read -r c_key c_value <"$1/cgroup.stat"
    [ "$c_key $c_value" = "nr_descendants 0" ] && return 0
  fi
  for c_dir in "$1"/*/; do
    case $c_dir in *'/*/') continue ;; esac
    [ "$c_seen" -ge {MOST_SEEN} ] && return 0
    cgroups_walk "${{c_dir%/}}" $(($2 + 1))
  done
}}
cgroups_host() {{
  c_key= c_value=
  read -r c_key c_value c_value c_value c_value </proc/pressure/memory
}}
cgroups_shown() {{
  c_shown=0 c_class=l c_pressure=$c_kind IFS=$c_line
  set -f
  for c_item in $c_near $c_limited @ $c_named $c_plain; do
    unset IFS
    if [ "$c_item" = @ ]; then c_class=o c_least=max; continue; fi
    [ "$c_shown" -ge {MOST_SHOWN} ] && break
    c_shown=$((c_shown + 1))
    if [ "$c_class" = l ]; then
      c_least=${{c_item%% *}} c_item=${{c_item#* }}
      c_limits=${{c_item%" ${{c_item#* * }}"}} c_item=${{c_item#* * }}
    fi
    c_dir=${{c_item#* }}
    $1
  done
  unset IFS
  set +f
  printf 'seen %s\\n' "$c_seen"
}}
cgroups_first() {{
  [ "$c_class" = o ] && c_limits='max max'
  printf 'group %s\\nusage %s\\nlimit %s\\nhigh_limit %s\\n' \\
    "${{c_dir#"$c_root"}}" "${{c_item%% *}}" "${{c_limits%% *}}" "${{c_limits##* }}"
  if [ "$c_shown" = 1 ]; then
    c_kind=$c_version
    read -r c_value <"$c_dir/memory.pressure" && c_kind=${{c_version}}p
  fi
}}
cgroups_walk "$c_root" 0
cgroups_host
c_stalled=$c_value c_kind=$c_version
cgroups_shown cgroups_first
cgroups_add() {{ c_text="$c_text$1 $2$c_line"; }}
cgroups_held() {{
  while read -r c_key c_value; do
    case $c_key in
      anon | file | kernel | kernel_stack | pagetables | percpu | sock | shmem | slab_reclaimable | slab_unreclaimable)
        cgroups_add "$c_key" "$c_value" ;;
      file_dirty | file_writeback | inactive_file) cgroups_add "$c_key" "$c_value" ;;
      total_cache | total_rss | total_shmem | total_dirty | total_writeback | total_swap | total_inactive_file)
        cgroups_add "$c_key" "$c_value" ;;
      workingset_restore_file | workingset_restore) cgroups_add restored "$c_value"; break ;;
    esac
  done
}}
cgroups_pick() {{
  while read -r c_key c_value; do
    case " $1 " in *" $c_key "*) cgroups_add "$c_key" "$c_value" ;; esac
    [ "$c_key" = "$2" ] && break
  done
}}
cgroups_again() {{
  [ -n "$c_head" ] || return 0
  printf '%s\\n' "$c_head"
  cgroups_host
  c_quiet=
  [ -n "$c_value" ] && [ "$c_value" = "$c_stalled" ] && c_quiet=q
  cgroups_shown cgroups_more
}}
cgroups_more() {{
  c_now= c_text=
  read -r c_now <"$c_dir/$c_usage" || return 0
  case $c_kind$c_quiet in 2p)
    {{ while read -r c_key c_value c_value c_value c_value; do cgroups_add "$c_key" "${{c_value#total=}}"; done; }} \\
      <"$c_dir/memory.pressure" ;;
  esac
  case $c_class$c_version in
    l2)
      c_value=$c_dir/memory.events.local
      [ -e "$c_value" ] || c_value=$c_dir/memory.events
      cgroups_pick 'high max' max <"$c_value"
      cgroups_pick oom_kill oom_kill <"$c_dir/memory.events" ;;
    l1)
      read -r c_value <"$c_dir/memory.failcnt" && cgroups_add max "$c_value"
      cgroups_pick oom_kill oom_kill <"$c_dir/memory.oom_control" ;;
  esac
  [ "$c_least" != max ] && [ "$c_now" -ge $((c_least / 100 * 85)) ] && cgroups_held <"$c_dir/memory.stat"
  printf 'group %s\\nusage %s\\n%s' "${{c_dir#"$c_root"}}" "$c_now" "$c_text"
}}
"""
AGAIN = "cgroups_again"
"""Usage, pressure and, of groups with a limit, hits and kills; near it also what they hold.

While no task on the host has waited for memory (the total of /proc/pressure/memory stands), none in a group has.
Groups that are new since the first sample are not looked for: their counters have no first value, and the next full
read finds them.
"""

ITEMS = "$c_kind $c_near $c_limited @ $c_named $c_plain"
PROGRAM = f"""\
    if (item ~ /^[12]p?$/) {{ version = substr(item, 1, 1); pressure = item ~ /p/; shown = others = 0; continue }}
    if (item == "@") {{ others = 1; continue }}
    if (++shown > {MOST_SHOWN}) continue
    split(item, words, " "); near = !others && words[4] >= words[1] / 100 * 85
    if (!others) sub(/^[^ ]* [^ ]* [^ ]* /, "", item)
    sub(/^[^ ]* /, "", item)
    path = substr(item, length(version == 2 ? "{ROOT}" : "{ROOT}/memory") + 1)
    print "group " path
    stat = item "/memory.stat"
    pids = version == 2 ? item : "{ROOT}/pids" path
    show("pids", pids "/pids.current")
    show("pids_limit", pids "/pids.max")
    if (version == 2) {{
      show("swap", item "/memory.swap.current")
      show("swap_limit", item "/memory.swap.max")
      show("oom_group", item "/memory.oom.group")
      local = 0; file = item "/memory.events.local"
      while ((getline line < file) > 0) {{ local = 1; if (line ~ /^(high|max) /) print line }}
      close(file); file = item "/memory.events"
      while ((getline line < file) > 0) if (line ~ /^oom_kill / || !local && line ~ /^(high|max) /) print line
      close(file); file = item "/memory.pressure"
      if (pressure) while ((getline line < file) > 0) {{
        split(line, words, " ")
        print words[1] " " substr(words[5], 7)
      }}
      close(file)
      if (!known["anon"]) {{
        count = split("anon file kernel kernel_stack pagetables percpu sock shmem slab_reclaimable " \\
          "slab_unreclaimable file_dirty file_writeback inactive_file", words, " ")
        for (word = 1; word <= count; word++) known[words[word]] = 1
      }}
      while ((getline line < stat) > 0) {{
        split(line, words, " ")
        if (words[1] in known) print line
        if (words[1] == "slab_unreclaimable" && !near) break
        if (words[1] ~ /^workingset_restore(_file)?$/) {{ print "restored " words[2]; break }}
      }}
    }} else {{
      show("memsw_limit", item "/memory.memsw.limit_in_bytes")
      show("max", item "/memory.failcnt")
      show("kernel", item "/memory.kmem.usage_in_bytes")
      show("kernel_limit", item "/memory.kmem.limit_in_bytes")
      show("kernel_failures", item "/memory.kmem.failcnt")
      file = item "/memory.oom_control"
      while ((getline line < file) > 0) if (line ~ /^oom_kill /) print line
      close(file)
      while ((getline line < stat) > 0)
        if (line ~ /^total_(cache|rss|shmem|dirty|writeback|swap|inactive_file) /) print line
    }}
    close(stat)"""
"""What `SCRIPT` kept of each group, and with it a line each of what it holds, its limits and its counters."""
