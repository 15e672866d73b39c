from __future__ import annotations

import pytest

from memrunbook.linux.oomlog import reader
from memrunbook.linux.oomlog.reader import read_log, read_text

KILL = "[  100.000000] Out of memory: Killed process 7 (web) total-vm:9kB, anon-rss:8kB, file-rss:0kB, shmem-rss:0kB"


@pytest.mark.parametrize(
    "text", ["", "\n", KILL, f"noise\n{KILL}\n", f"{KILL}\n\n\udc80\n{KILL.replace('100', '200')}"]
)
@pytest.mark.parametrize("block", [reader.BLOCK, 64])
def test_a_text_is_read_as_its_lines_are(text: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "BLOCK", block)
    assert read_text(text) == read_log(text.split("\n"))
    assert len(read_text(text).events) == text.count("Killed")
