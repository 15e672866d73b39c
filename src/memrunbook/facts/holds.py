"""What holds a host in a state that will not last: frozen groups, whoever froze them, and what we changed for a while.

A frozen service keeps its memory and does nothing, so that pressure and traffic fall: the host looks healthy while its
incident is only held back. Who froze a group the kernel does not tell; ours have a mark (linux/hold.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Struct

from memrunbook.core.reading.fact import Answer, Doc, Fact, Read, Reading, Samples, Unavailable, Walk
from memrunbook.core.units import Unit
from memrunbook.linux.attribution import owner_of, shown_name
from memrunbook.linux.hold import MARKS, Mark, read_mark
from memrunbook.linux.service import Service

WALK = "holds"
MOST_GROUPS = 4000
FREEZING = "freeze_unit"
FROZEN, LOST = "frozen", "lost"
SYSTEMD_FROZEN = frozenset({"frozen", "freezing"})

# Only who was asked to freeze is named, not the groups below: cgroup.freeze and freezer.self_freezing tell that.
SCRIPT = f"""\
h_root=/sys/fs/cgroup h_count=0
[ -e "$h_root/cgroup.controllers" ] || h_root=$h_root/unified
for h_dir in "$h_root"/*/ "$h_root"/*/*/ "$h_root"/*/*/*/ "$h_root"/*/*/*/*/ "$h_root"/*/*/*/*/*/; do
  [ -r "$h_dir/cgroup.freeze" ] || continue
  [ "$h_count" -lt {MOST_GROUPS} ] || break
  h_count=$((h_count + 1)) h_value=
  read -r h_value <"$h_dir/cgroup.freeze"
  h_dir=${{h_dir%/}}
  [ "$h_value" = 1 ] && printf 'frozen %s\\n' "${{h_dir#"$h_root"}}"
done
h_root=/sys/fs/cgroup/freezer
for h_dir in "$h_root"/*/ "$h_root"/*/*/ "$h_root"/*/*/*/ "$h_root"/*/*/*/*/; do
  [ -r "$h_dir/freezer.self_freezing" ] || continue
  [ "$h_count" -lt {MOST_GROUPS} ] || break
  h_count=$((h_count + 1)) h_value=
  read -r h_value <"$h_dir/freezer.self_freezing"
  h_dir=${{h_dir%/}}
  [ "$h_value" = 1 ] && printf 'frozen %s\\n' "${{h_dir#"$h_root"}}"
done
printf 'seen %s\\n' "$h_count"
h_started() {{ h_start=${{20-}}; }}
for h_mark in {MARKS}/*; do
  [ -r "$h_mark" ] || continue
  h_pid= h_start=
  while read -r h_key h_value h_ticks; do
    [ "$h_key" = sleeper ] && h_pid=$h_value && break
  done <"$h_mark"
  [ -n "$h_pid" ] || continue
  h_stat=
  {{ IFS= read -r h_stat; }} 2>/dev/null <"/proc/$h_pid/stat"
  h_started ${{h_stat##*) }}
  [ "$h_start" = "$h_ticks" ] || printf 'lost %s\\n' "$h_mark"
done"""


class Hold(Struct, frozen=True, kw_only=True):
    """One state that is held."""

    name: Annotated[str, Doc("service, container, group or parameter", source="cgroup.freeze, marks")]
    kind: Annotated[str, Doc("frozen, or changed for a while", source="cgroup.freeze, marks")]
    action: Annotated[str, Doc("the action of ours that did it", source="marks")] = ""
    what: Annotated[str, Doc("what was done, in words", source="marks")] = ""
    ours: Annotated[bool, Doc("a run of ours did it; else somebody froze it", source=MARKS)] = False
    run: Annotated[str, Doc("the run", source=MARKS)] = ""
    runbook: Annotated[str, Doc("its runbook", source=MARKS)] = ""
    since_seconds: Annotated[float | None, Doc("since then", Unit.SECONDS, MARKS)] = None
    left_seconds: Annotated[
        float | None, Doc("until the host itself takes it back; 0 when that is overdue", Unit.SECONDS, MARKS)
    ] = None
    lost: Annotated[bool, Doc("the process that was to take it back is gone", source=MARKS)] = False
    own_bytes: Annotated[int | None, Doc("what only the service can give back", Unit.BYTES, "memory.stat")] = None
    memory_percent: Annotated[float | None, Doc("that, of the host's RAM", Unit.PERCENT, "memory.stat")] = None


class Holds(Reading, frozen=True, kw_only=True):
    """All that is held, what is frozen first."""

    all: Annotated[list[Hold], Doc("states that are held", source="cgroup.freeze, FreezerState, marks")]


def parse(samples: Samples, readings: Mapping[str, Reading | Unavailable]) -> Holds | Unavailable:
    """Joins the frozen groups with the marks. A recording from before this fact knows what systemd says at most."""
    sample = samples[0]
    walk, known = sample.get(WALK), _marks(sample.matching(f"{MARKS}/"))
    marks = list(known.values())
    units = {one.name: one for one in getattr(readings.get("units"), "all", [])}
    if walk.problem is not None and not units:
        return walk.problem
    lost = {id(known[path]) for path in _told(walk.text, LOST) if path in known}
    paths = _told(walk.text, FROZEN)
    frozen = dict.fromkeys([*map(_named, paths), *(name for name, one in units.items() if _is_frozen(one))])
    by_target = {mark.target: mark for mark in marks if mark.action == FREEZING}
    held = [_hold(name, by_target.get(name), sample.before, units.get(name)) for name in frozen]
    changed = [
        msgspec.structs.replace(_hold(one.target, one, sample.before, None), lost=id(one) in lost)
        for one in marks
        if one.action != FREEZING
    ]
    return Holds(all=[*held, *changed])


def _told(text: str, word: str) -> list[str]:
    return [rest for first, _, rest in (line.partition(" ") for line in text.split("\n")) if first == word]


def _marks(answers: Mapping[str, Answer]) -> dict[str, Mark]:
    return {path: mark for path, answer in answers.items() if (mark := read_mark(answer.text)) is not None}


def _is_frozen(unit: Service) -> bool:
    return unit.freezer_state in SYSTEMD_FROZEN


def _named(path: str) -> str:
    """A container by its identifier, a service or scope by its name, another group by the last part of its path."""
    owner, name = owner_of(path), path.rpartition("/")[2]
    if owner.container:
        return owner.container
    return name if name == owner.unit else shown_name(path)


def _hold(name: str, mark: Mark | None, uptime: float, unit: Service | None) -> Hold:
    frozen = mark is None or mark.action == FREEZING
    age = None if mark is None else max(0.0, uptime - mark.since)
    return Hold(
        name=name,
        kind=FROZEN if frozen else "changed",
        action=mark.action if mark else "",
        what=FROZEN if mark is None else mark.what,
        ours=mark is not None,
        run=mark.run if mark else "",
        runbook=mark.runbook if mark else "",
        since_seconds=age,
        left_seconds=None if mark is None or age is None else max(0.0, mark.seconds - age),
        own_bytes=unit.own_bytes if unit else None,
        memory_percent=unit.memory_percent if unit else None,
    )


FACT = Fact(
    reading=Holds,
    parse=parse,
    asks=(Walk(WALK, SCRIPT), Read(f"{MARKS}/*", lines=20)),
    needs=("units",),
    meaning="what is frozen or changed for a while, and by whom",
)
