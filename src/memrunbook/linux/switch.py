"""The kill switch on the host itself: while one of these files is there, whatever it holds, nothing is changed there.

Only root can put them there, as only root may write to /etc and /run; whoever owns the file, it is heeded: what stops
changes is believed from anybody. The one below /run is gone with a reboot. Its first line says who, since when and why.
"""

from __future__ import annotations

FILES = ("/etc/memrunbook/off", "/run/memrunbook/off")
SWITCHED_OFF = 98
"""The exit status of a script that found the switch off before it did anything."""
# Built-ins alone; a pipe, a device or a folder of that name is heeded and not read.
LOOK = f"""
for mrb_off in {" ".join(FILES)}; do
  [ -e "$mrb_off" ] || [ -L "$mrb_off" ] || continue
  mrb_why=
  [ ! -f "$mrb_off" ] || IFS= read -r mrb_why 2>/dev/null <"$mrb_off"
  printf '%s says: %s\\n' "$mrb_off" "${{mrb_why:-nothing}}"
  return {SWITCHED_OFF}
done
"""
"""In front of every script that changes something: in the same instant as the change itself."""
