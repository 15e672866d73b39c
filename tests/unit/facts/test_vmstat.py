from __future__ import annotations

import pytest

from memrunbook.facts import vmstat

TABLE = vmstat.RATES | vmstat.BYTE_RATES


@pytest.mark.parametrize("other", ["pgscan_direct_throttle", "pgscan_anon", "pgsteal_file", "pgskip_normal"])
def test_counters_of_a_like_name_are_not_added(other: str) -> None:
    every = {name for rate in TABLE.values() for name in rate.names} | {*vmstat.SCANS, *vmstat.STEALS}
    assert other not in every


@pytest.mark.parametrize("field", sorted(TABLE))
def test_only_fields_that_say_so_are_the_lowest_interval(field: str) -> None:
    assert field in vmstat.VmstatReading.__struct_fields__
    assert TABLE[field].lowest == field.endswith("_min")


@pytest.mark.parametrize("zone", vmstat.ZONES)
def test_stalls_of_every_zone_count(zone: str) -> None:
    assert f"allocstall_{zone}" in TABLE["allocstalls_per_second"].names
