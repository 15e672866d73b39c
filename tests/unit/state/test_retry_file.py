"""Who is left of a run: what says "nobody" is never there by accident."""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memrunbook.core.errors import UsageError
from memrunbook.state.retry_file import write_retry_file

NOBODY = 65534


@contextmanager
def full_disk(most_bytes: int) -> Iterator[None]:
    """No file grows beyond this meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [0, 3])
def test_what_cannot_be_written_whole_leaves_the_file_as_it_was(tmp_path: Path, room: int) -> None:
    file = tmp_path / "left"
    file.write_text("web1\nweb2\n")
    with full_disk(room), pytest.raises(UsageError, match="cannot be written: File too large"):
        write_retry_file(file, "web2\n")
    assert file.read_text() == "web1\nweb2\n"
    assert [path.name for path in tmp_path.iterdir()] == ["left"]


def test_whoever_reads_the_old_file_reads_it_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "left"
    file.write_text("web1\nweb2\n")
    with file.open() as opened:
        write_retry_file(file, "")
        assert opened.read() == "web1\nweb2\n"
    assert not file.read_text()


def test_the_new_file_has_the_mode_of_the_old_one_and_else_what_the_umask_says(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch(mode=0o600)
    before = os.umask(0o027)
    try:
        write_retry_file(old, "web1\n")
        write_retry_file(new, "web1\n")
    finally:
        os.umask(before)
    assert [file.stat().st_mode & 0o777 for file in (old, new)] == [0o600, 0o640]


def test_a_link_stays_one_and_so_does_a_second_name(tmp_path: Path) -> None:
    link, target, second = tmp_path / "link", tmp_path / "target", tmp_path / "second"
    link.symlink_to(target)
    write_retry_file(link, "web1\n")
    assert (link.is_symlink(), target.read_text()) == (True, "web1\n")
    second.hardlink_to(target)
    write_retry_file(second, "web2\n")
    assert target.read_text() == "web2\n"


def test_a_pipe_gets_the_names(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_retry_file(pipe, "web1\n")
        assert os.read(reader, 100) == b"web1\n"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_where_no_file_can_be_made_beside_it_the_file_itself_is_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, file = Path(name), Path(name) / "left"
        file.write_text("web1\nweb2\n")
        file.chmod(0o666)
        folder.chmod(0o555)
        assert _as_nobody(file, "web2\n") == 0
        assert file.read_text() == "web2\n"
        assert _as_nobody(folder / "new", "web2\n") == 1
        folder.chmod(0o700)


def _as_nobody(file: Path, text: str) -> int:
    """0 where somebody who is not root can write it, 1 where that is refused."""
    child = os.fork()
    if not child:
        code = 2
        try:
            if os.getuid() == 0:
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            write_retry_file(file, text)
            code = 0
        except UsageError:
            code = 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
