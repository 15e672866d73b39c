# apart.sh HOME COMMAND…: becomes COMMAND as on a machine of its own; for a farm whose hosts are changed. Run it by
# `unshare --mount`. It sees this machine's files but for marks of a container, and has for itself: /run, the ids of the
# machine and of the boot, and two kernel parameters, which are files here: whoever writes them changes nothing else.
set -e
home=$1; shift
root=$home/root
mkdir "$root"
mount -t tmpfs tmpfs "$root"
for place in /bin /dev /etc /home /lib* /opt /proc /root /sbin /sys /tmp /usr /var; do
  if [ -L "$place" ]; then cp -P "$place" "$root/"
  elif [ -d "$place" ]; then
    mkdir "$root$place"
    case $place in
      /dev | /proc | /sys) mount --rbind "$place" "$root$place" ;;
      *) mount --bind "$place" "$root$place" ;;
    esac
  fi
done
mkdir -p "$root/run/sshd" "$root/run/lock"
own() { # FILE COMMAND…: what COMMAND prints is this machine's FILE
  file=$1; shift
  [ -e "$file" ] || return 0
  "$@" >"$home/${file##*/}"
  mount --bind "$home/${file##*/}" "$root$file"
}
own /etc/machine-id tr -d '\n-' </proc/sys/kernel/random/uuid
own /proc/sys/kernel/random/boot_id cat /proc/sys/kernel/random/uuid
own /proc/sys/vm/page-cluster cat /proc/sys/vm/page-cluster
own /proc/sys/vm/watermark_boost_factor cat /proc/sys/vm/watermark_boost_factor
exec chroot "$root" "$@"
