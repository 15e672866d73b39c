# What a careful engineer would send to read the same files as `runbook diagnose`: POSIX sh, built-ins for what
# built-ins can read, then one grep, one systemctl, one dmesg. The yardstick of bench/fleet.py.
LC_ALL=C; export LC_ALL
show() {
  for file in "$@"; do
    [ -r "$file" ] || continue
    printf '@@%s\n' "$file"
    { while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done; } <"$file"
  done
}
{
  show /proc/uptime /proc/meminfo /proc/vmstat /proc/pressure/memory /proc/pressure/io /proc/swaps /proc/buddyinfo
  show /proc/self/status /proc/self/statm /etc/machine-id /proc/sys/kernel/random/boot_id /proc/1/cgroup
  show /sys/devices/system/cpu/online /sys/kernel/mm/hugepages/hugepages-*kB/*_hugepages
  show /sys/block/zram*/mm_stat /sys/block/zram*/disksize /sys/block/*/queue/rotational
  for unit in /sys/fs/cgroup/*.slice/*.service; do
    show "$unit/memory.current" "$unit/memory.swap.current"
    { read -r anon; read -r file; } <"$unit/memory.stat"
    printf '%s\n%s\n' "$anon" "$file"
  done
  for unit in /sys/fs/cgroup/memory/*.slice/*.service; do
    [ -d "$unit" ] || continue
    show "$unit/memory.usage_in_bytes" "$unit/memory.memsw.usage_in_bytes"
    { read -r cache; read -r rss; } <"$unit/memory.stat"
    printf '%s\n%s\n' "$cache" "$rss"
  done
  IFS=' ' read -r word total unit </proc/meminfo
  least=$((total / 1000 / 4)); [ "$least" -lt 256 ] && least=256
  for process in /proc/[0-9]*; do
    read -r size rss rest <"$process/statm" || continue
    [ "$rss" -ge "$least" ] || continue
    show "$process/stat" "$process/cgroup" "$process/oom_score" "$process/oom_score_adj"
    { while IFS= read -r line; do
        case $line in
          Uid:* | VmRSS:* | Rss*) printf '%s\n' "$line" ;;
          VmSwap:*) printf '%s\n' "$line"; break ;;
        esac
      done; } <"$process/status"
  done
  show /proc/uptime
  grep -s -H '' /proc/zoneinfo /proc/sys/vm/swappiness /proc/sys/vm/min_free_kbytes /proc/sys/vm/watermark_scale_factor \
    /proc/sys/vm/watermark_boost_factor /proc/sys/vm/dirty_ratio /proc/sys/vm/dirty_background_ratio /proc/sys/vm/dirty_bytes \
    /proc/sys/vm/dirty_background_bytes /proc/sys/vm/overcommit_memory /proc/sys/vm/overcommit_ratio \
    /proc/sys/vm/overcommit_kbytes /proc/sys/vm/max_map_count /proc/sys/vm/compaction_proactiveness \
    /proc/sys/vm/extfrag_threshold /proc/sys/vm/vfs_cache_pressure /proc/sys/vm/zone_reclaim_mode /proc/sys/vm/page-cluster \
    /proc/sys/vm/panic_on_oom /proc/sys/vm/oom_kill_allocating_task /proc/sys/vm/oom_dump_tasks \
    /proc/sys/vm/admin_reserve_kbytes /proc/sys/vm/user_reserve_kbytes /proc/sys/vm/nr_hugepages \
    /proc/sys/vm/nr_overcommit_hugepages /proc/sys/vm/laptop_mode /proc/sys/vm/dirty_expire_centisecs \
    /proc/sys/vm/dirty_writeback_centisecs /proc/sys/kernel/pid_max /proc/sys/kernel/threads-max
  systemctl show --no-pager --property=Id,ActiveState,SubState,Result,MainPID,NRestarts,ControlGroup,MemoryMax '*.service'
  dmesg
} 2>/dev/null
