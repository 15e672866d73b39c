from __future__ import annotations

import pytest

from memrunbook.core.reading.fact import Answer, Sample
from memrunbook.facts.sysctl_files import ALWAYS_THERE, LAST, SysctlFilesReading, parse


@pytest.mark.parametrize(
    ("early", "late", "pages"),
    [
        ("vm.nr_hugepages = 512", "", 512),
        ("vm.nr_hugepages = 512", "vm/nr_hugepages=64", 64),
        ("vm.nr_hugepages = 512", "vm.nr_hugepages = 0", 0),
        ("vm.nr_hugepages_mempolicy = 512", "", 0),
        ("vm.nr_hugepages = many", "", None),
        ("", "", 0),
    ],
)
def test_the_last_setting_of_huge_pages_counts(early: str, late: str, pages: int | None) -> None:
    texts = {ALWAYS_THERE: "60", "/etc/sysctl.d/10-database.conf": early, LAST: late}
    reading = parse((Sample(1.0, 1.0, {path: Answer(text) for path, text in texts.items()}),), {})
    assert isinstance(reading, SysctlFilesReading)
    assert reading.nr_hugepages == pages
