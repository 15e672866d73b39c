"""What is asked of processes: the size of all, the details of the largest, those of the others, later only faults.

Built-ins read the first part and the largest, so that they are there where the host cannot fork; awk reads the many
small files of the others.
"""

from __future__ import annotations

MOST_SHOWN, MOST_LISTED = 120, 200
"""Read by built-ins and later once more; listed in all: each more costs the host 0.1 ms."""
MOST_LOOKED = 300

# Most processes are sorted out by how many digits their size has, which costs less than comparing numbers. Before 4.5
# `statm` alone tells anonymous memory. What is swapped out shows only in `status`: VmData is what a process could hold.
# `least` says how much a process must hold to be in the list for sure, with the details and without: 0 where nobody is
# left out, and twice as much where a part of it may be in swap, which the word `swapped` says. `pids` and `none` (of
# those without memory: kernel threads and processes that ended) tell of which pid nobody was left out.
SCRIPT = f"""\
p_total=0 p_swap=0 p_free=0 p_pages=0 p_page=4 p_wait= p_again=
p_end='
'
{{ while read -r p_key p_value p_rest; do
    case $p_key in
      MemTotal:) p_total=$p_value ;;
      SwapTotal:) p_swap=$p_value ;;
      SwapFree:) p_free=$p_value; break ;;
    esac
  done; }} </proc/meminfo
read -r p_pages p_rest </proc/$$/statm
{{ while read -r p_key p_value p_rest; do
    case $p_key in VmSize:) [ "$p_pages" -gt 0 ] && p_page=$((p_value / p_pages)); break ;; esac
  done; }} </proc/$$/status
[ "$p_page" -gt 0 ] || p_page=4
printf 'page %s\\n' "$p_page"
p_big=$((p_total / 100 / p_page)) p_middle=$((p_total / 400 / p_page)) p_small=$((p_total / 1000))
[ "$p_small" -lt 1024 ] && p_small=1024
p_small=$((p_small / p_page))
[ "$p_middle" -lt "$p_small" ] && p_middle=$p_small
[ "$p_big" -lt "$p_middle" ] && p_big=$p_middle
p_first= p_second= p_third= p_fourth= p_hiding= p_maybe= p_looked=0 p_shown=0 p_none= p_wide='*' p_line=$p_small
p_ones=0 p_twos=0 p_threes=0 p_fours=0
while [ -n "$p_line" ]; do p_wide="[0-9]$p_wide" p_line=${{p_line%?}}; done
processes_place() {{
  if [ "$1" -ge "$p_big" ]; then p_first="$p_first $p_pid" p_ones=$((p_ones + 1))
  elif [ "$1" -ge "$p_middle" ]; then p_second="$p_second $p_pid" p_twos=$((p_twos + 1))
  elif [ "$1" -ge "$p_small" ]; then p_third="$p_third $p_pid" p_threes=$((p_threes + 1))
  else processes_little
  fi
}}
processes_little() {{
  p_fours=$((p_fours + 1))
  [ "$p_fours" -le {MOST_LISTED} ] && p_fourth="$p_fourth $p_pid"
}}
processes_sort() {{
  if [ "$p_rss" -ge "$p_big" ]; then processes_place "$p_rss"
  elif [ "$p_data" -ge "$p_big" ]; then p_hiding="$p_hiding $p_pid"
  elif [ "$p_data" -ge "$p_small" ]; then p_maybe="$p_maybe $p_pid"
  else processes_place "$p_rss"
  fi
}}
cd /proc || return 0
set -- [0-9]*
p_seen=$#
printf 'pids %s\\n' "$*"
if [ "$p_free" -lt "$p_swap" ]; then
  for p_pid; do
    read -r p_size p_rss p_shared p_text p_lib p_data p_rest <"$p_pid/statm" || p_size= p_rss= p_data=
    case $p_rss in $p_wide) processes_sort ;; *)
      case $p_data in $p_wide) processes_sort ;; *)
        case $p_size in '' | 0) p_none="$p_none $p_pid" ;; *) processes_little ;; esac ;;
      esac ;;
    esac
  done
else
  for p_pid; do
    p_line=
    read -r p_line <"$p_pid/statm"
    p_rss=${{p_line#* }}
    case $p_rss in
      $p_wide) processes_place "${{p_rss%% *}}" ;;
      *) case $p_line in '' | '0 '*) p_none="$p_none $p_pid" ;; *) processes_little ;; esac ;;
    esac
  done
fi
set -- $p_none
p_seen=$((p_seen - $#))
printf 'none %s\\n' "$*"
set --
for p_pid in $p_hiding $p_maybe; do
  p_looked=$((p_looked + 1))
  if [ "$p_looked" -gt {MOST_LOOKED} ]; then processes_place "$p_small"; continue; fi
  p_size=0
  {{ while read -r p_key p_value p_rest; do
      case $p_key in
        VmRSS:) p_size=$p_value ;;
        VmSwap:) p_size=$((p_size + p_value)); break ;;
      esac
    done; }} <"/proc/$p_pid/status" || continue
  processes_place $((p_size / p_page))
done
processes_wait() {{ p_shown=$((p_shown + 1)) p_wait=$p_wait$p_pid$p_end; }}
for p_pid in $p_first $p_second; do
  if [ "$p_shown" -ge {MOST_SHOWN} ]; then
    [ "$p_shown" -lt {MOST_LISTED} ] && processes_wait
    continue
  fi
  p_shown=$((p_shown + 1)) p_again="$p_again $p_pid"
  cd "/proc/$p_pid" || continue
  printf 'pid %s\\n' "$p_pid"
  {{ while IFS= read -r p_line || [ -n "$p_line" ]; do printf 'stat %s\\n' "$p_line"; done; }} <stat
  p_rest=
  {{ while IFS= read -r p_line; do
      case $p_line in
        VmSwap:*) printf 'status %s\\n' "$p_line"; break ;;
        Uid:* | VmRSS:*) printf 'status %s\\n' "$p_line" ;;
        Rss*) printf 'status %s\\n' "$p_line"; p_rest=split ;;
      esac
    done; }} <status
  [ -n "$p_rest" ] || {{ read -r p_line <statm && printf 'statm %s\\n' "$p_line"; }}
  {{ while IFS= read -r p_line || [ -n "$p_line" ]; do
      case $p_line in
        0::* | *:name=systemd:* | *:memory:* | *,memory:* | *:memory,* | *,memory,*) printf 'cgroup %s\\n' "$p_line" ;;
      esac
    done; }} <cgroup
  read -r p_line <oom_score && printf 'score %s\\n' "$p_line"
  read -r p_line <oom_score_adj && printf 'adjustment %s\\n' "$p_line"
done
for p_pid in $p_third; do
  [ "$p_shown" -ge {MOST_LISTED} ] && break
  [ "$p_shown" -lt {MOST_SHOWN} ] && p_again="$p_again $p_pid"
  processes_wait
done
for p_pid in $p_fourth; do
  [ "$p_shown" -ge {MOST_LISTED} ] && break
  processes_wait
done
p_line=
if [ $((p_ones + p_twos + p_threes + p_fours)) -le {MOST_LISTED} ]; then p_line=0
elif [ $((p_ones + p_twos + p_threes)) -le {MOST_LISTED} ]; then p_line=$p_small
elif [ "$p_looked" -gt {MOST_LOOKED} ]; then :
elif [ $((p_ones + p_twos)) -le {MOST_LISTED} ]; then p_line=$p_middle
elif [ "$p_ones" -le {MOST_LISTED} ]; then p_line=$p_big
fi
p_rest=
if [ "$p_looked" -gt {MOST_LOOKED} ]; then :
elif [ $((p_ones + p_twos)) -le {MOST_SHOWN} ]; then p_rest=$p_middle
elif [ "$p_ones" -le {MOST_SHOWN} ]; then p_rest=$p_big
fi
p_value=$p_page p_data=
[ "$p_free" -lt "$p_swap" ] && p_value=$((p_page * 2)) p_data=' swapped'
[ -n "$p_line" ] && p_line=$((p_line * p_value))
[ -n "$p_rest" ] && p_rest=$((p_rest * p_value))
[ -n "$p_line$p_rest" ] && printf 'least %s %s%s\\n' "$p_line" "$p_rest" "$p_data"
printf 'seen %s\\n' "$p_seen"
processes_again() {{
  for p_pid in $p_again; do
    p_line=
    read -r p_line <"/proc/$p_pid/stat" && printf 'pid %s\\nstat %s\\n' "$p_pid" "$p_line"
  done
}}
"""
AGAIN = "processes_again"
"""The faults of the largest, in the first line of `stat`: where a name holds a line feed, there are none."""

LISTED = "listed"
ITEMS = "$p_wait ."
PROGRAM = f"""\
    if (item == ".") {{ print "{LISTED}"; continue }}
    folder = "/proc/" item
    file = folder "/stat"; head = "pid " item
    while ((getline line < file) > 0) {{ if (head) print head; head = ""; print "stat " line }}
    close(file)
    if (head) continue
    file = folder "/status"; split_up = 0
    while ((getline line < file) > 0) {{
      if (line ~ /^(Uid:|VmRSS:|Rss|VmSwap:)/) print "status " line
      if (line ~ /^Rss/) split_up = 1
      if (line ~ /^VmSwap:/) break
    }}
    close(file)
    if (!split_up) show("statm", folder "/statm")
    file = folder "/cgroup"
    while ((getline line < file) > 0) if (line ~ /^0::|:name=systemd:|[:,]memory[:,]/) print "cgroup " line
    close(file)
    show("score", folder "/oom_score")
    show("adjustment", folder "/oom_score_adj")
"""
