# Two kernel parameters are set, checked, and set back: each step looks first, writes only what is needed, and proves it.
step() { # KNOB VALUE
  [ "$(cat "/proc/sys/vm/$1")" = "$2" ] || printf '%s\n' "$2" >"/proc/sys/vm/$1"
  [ "$(cat "/proc/sys/vm/$1")" = "$2" ] || { printf '%s is not %s\n' "$1" "$2" >&2; exit 1; }
}
step page-cluster 2
step watermark_boost_factor 0
step page-cluster 1
step watermark_boost_factor 15000
step page-cluster 3
echo five steps proven
