from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from memrunbook.runtime import named_file
from memrunbook.runtime.named_file import read_named, read_named_text

MOST = 100_000


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_bytes(b"web1\r\nweb2\rweb3\n")
    assert read_named(file, MOST) == b"web1\r\nweb2\rweb3\n"
    assert read_named_text(file, MOST) == "web1\nweb2\nweb3\n"
    assert read_named(Path("/proc/self/status"), MOST).startswith(b"Name:"), "its size is told as 0"


def test_what_is_larger_is_refused_however_it_comes(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (MOST + 1))
    (tmp_path / "fits").write_bytes(b"x" * MOST)
    assert len(read_named(tmp_path / "fits", MOST)) == MOST
    with pytest.raises(OSError, match="larger than 97 KiB"):
        read_named(tmp_path / "large", MOST)
    with pytest.raises(OSError, match="larger than 97 KiB"), written_into(b"x" * MOST * 2) as pipe:
        read_named(Path(f"/dev/fd/{pipe}"), MOST)


def test_a_pipe_is_read_until_its_writer_has_ended() -> None:
    with written_into(b"web1\n") as pipe:
        assert read_named(Path(f"/dev/fd/{pipe}"), MOST) == b"web1\n"


def test_a_pipe_that_nobody_writes_into_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(named_file, "PATIENCE", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TimeoutError, match="nothing came out of this pipe"):
        read_named(tmp_path / "pipe", MOST)


def test_a_device_has_no_end_and_no_file_is_none(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="neither a file nor a pipe"):
        read_named(Path("/dev/zero"), MOST)
    with pytest.raises(IsADirectoryError):
        read_named(tmp_path, MOST)
    assert read_named(Path("/dev/null"), MOST) == b""


@contextmanager
def written_into(content: bytes) -> Iterator[int]:
    """The number of a pipe into which another thread writes this, and ends."""
    pipe, end = os.pipe()

    def write() -> None:
        with suppress(BrokenPipeError), os.fdopen(end, "wb", buffering=0) as file:
            file.write(content)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield pipe
    finally:
        os.close(pipe)
        thread.join()
