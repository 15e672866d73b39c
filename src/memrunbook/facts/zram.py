"""Compressed RAM disks (zram): what they hold and how much RAM that takes."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Answer, Doc, Fact, Read, Reading, Samples, Unavailable
from memrunbook.core.units import Unit
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import Readings

BLOCK = "/sys/block/zram"
STAT = "/mm_stat"
SOURCE = "/sys/block/zramN/mm_stat"
FULL_PERCENT = 95.0


class ZramDevice(Struct, frozen=True):
    """One zram device that is set up."""

    name: Annotated[str, Doc("name of the device", source=SOURCE)]
    disk_bytes: Annotated[int | None, Doc("how much it can hold", Unit.BYTES, "/sys/block/zramN/disksize")]
    original_bytes: Annotated[int, Doc("what it holds", Unit.BYTES, f"{SOURCE} orig_data_size")]
    compressed_bytes: Annotated[int, Doc("that, compressed", Unit.BYTES, f"{SOURCE} compr_data_size")]
    memory_used_bytes: Annotated[int, Doc("RAM it takes", Unit.BYTES, f"{SOURCE} mem_used_total")]
    ratio: Annotated[float | None, Doc("original by RAM taken", Unit.RATIO, SOURCE)]
    limit_bytes: Annotated[int | None, Doc("RAM that it may take at most", Unit.BYTES, f"{SOURCE} mem_limit")] = None
    limit_percent: Annotated[
        float | None, Doc("RAM it takes, of that", Unit.PERCENT, f"{SOURCE} mem_used_total / mem_limit")
    ] = None


class ZramReading(Reading, frozen=True, kw_only=True):
    """All zram devices, and their sums."""

    devices: Annotated[list[ZramDevice], Doc("the devices that are set up", Unit.COUNT, SOURCE)]
    memory_used_bytes: Annotated[int, Doc("RAM that all take", Unit.BYTES, f"{SOURCE} mem_used_total")]
    original_bytes: Annotated[int, Doc("what all hold", Unit.BYTES, f"{SOURCE} orig_data_size")]
    ratio: Annotated[float | None, Doc("original by RAM taken", Unit.RATIO, SOURCE)] = None
    full: Annotated[
        bool,
        Doc("a device takes 95 % of the RAM that it may: what is written to it fails", source=f"{SOURCE} mem_limit"),
    ] = False


def parse(samples: Samples, _readings: Readings) -> ZramReading | Unavailable:
    """Reads mm_stat of every device; a host without zram is `absent`."""
    first = samples[0]
    stats = first.matching(BLOCK, STAT)
    if not stats:
        absent = Unavailable("absent", "no zram device with mm_stat")
        return absent if first.complete else Unavailable("failed", "the sample ended early")
    sizes = {path: numbers.whole(first.get(path.removesuffix(STAT) + "/disksize").text) for path in stats}
    found = [_device(path, answer, sizes[path]) for path, answer in stats.items() if sizes[path] != 0]
    devices = [device for device in found if device]
    used = min(sum(device.memory_used_bytes for device in devices), numbers.MOST)
    original = min(sum(device.original_bytes for device in devices), numbers.MOST)
    return ZramReading(
        devices=devices,
        memory_used_bytes=used,
        original_bytes=original,
        ratio=original / used if used else None,
        full=any((device.limit_percent or 0.0) >= FULL_PERCENT for device in devices),
    )


def _device(path: str, answer: Answer, size: int | None) -> ZramDevice | None:
    columns = [numbers.whole(word) for word in answer.text.split()[:4]]
    match columns:
        case [int(original), int(compressed), int(used), *limits]:
            name = path.removeprefix("/sys/block/").removesuffix(STAT)
            limit = next(iter(limits), None) or None
            ratio, share = original / used if used else None, numbers.share(used, limit)
            return ZramDevice(name, size, original, compressed, used, ratio, limit, share)
    return None


FACT = Fact(
    reading=ZramReading,
    parse=parse,
    asks=(Read("/sys/block/zram*/mm_stat", lines=1), Read("/sys/block/zram*/disksize", lines=1)),
    meaning="compressed RAM disks",
)
