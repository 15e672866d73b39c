"""`--html FILE`: one page beside the answer, whatever names a host has; where it is written and where it is not."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.books import act, book, look
from tests.cli.conftest import arguments
from tests.cli.console import here
from tests.hostile.test_names import NAMES
from tests.ssh.servers import USER, Server
from tests.sshd import free_port
from tests.unit.ui.html.parsed import bare, each, parsed, words

ROOT = Path(__file__).parents[2]
OOM = str(ROOT / "tests" / "hosts" / "leaking-service.txt")
SIGNALS = "[memory.shared_bytes, memory.total_bytes]"
"""One that the second step moves, and one that never moves."""
SPELLED = ["<img src=x onerror=y>"]
SPELLED += [one for one in NAMES if one.isprintable() and one.strip() and not one.startswith("@@")]
"""Names that can stand in a recording as they are."""
TITLES = ["Signals over time", "Readings", "Memory", "Plan", "Approvals", "Identity", "Journal"]
"""What a report to send has beside the page of the terminal."""


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def titles(page: str) -> list[str]:
    return [re.split("[:,]", words(one))[0] for one in each(parsed(page), "h3")]


@pytest.fixture
def run(tmp_path: Path, machine: object) -> Iterator[None]:
    """A run with a step that moves a signal and one that fails."""
    held = Path("/dev/shm") / f"{tmp_path.name}-{os.getpid()}"
    fill = act("fill", "sh", "-c", f"head -c 60M /dev/zero > {held}")
    path = Path(book(tmp_path, look("look", "uname"), fill, act("bad", "false"), resolved="false"))
    path.write_text(path.read_text("utf-8").replace("[memory.available_percent]", SIGNALS), "utf-8")
    ran = here("run", str(path), "--host", "local", "--yes", "--allow", "run_command", "--reason", "<b>why</b>")
    assert ran.code == 3, ran.said
    yield
    held.unlink()


@pytest.mark.usefixtures("run")
def test_a_report_is_a_page_beside_the_answer_that_says_all_that_the_terminal_says(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    plain, verbose, sent = (
        here("report", "last"),
        here("report", "last", "-v"),
        here("report", "last", "--html", str(file)),
    )
    assert (sent.code, sent.out) == (plain.code, plain.out)
    assert f"The page to send: {file}" in sent.err
    assert file.stat().st_mode & 0o777 == 0o600
    root = parsed(file.read_text("utf-8"))
    said = squeezed(words(root))
    assert [line for line in verbose.out.splitlines() if squeezed(line) not in said] == []
    found = [one for one in titles(file.read_text("utf-8")) if one in TITLES]
    assert found == TITLES
    charts = [one for one in each(root, "figure") if one.get("class") == "chart"]
    assert [words(one) for one in each(charts[0], "text", "mark")] == ["1", "2", "3"]
    assert "memory shared, bytes" in [words(one) for one in each(root, "figcaption")]
    assert "Didnotmove:memorytotal" in said
    digests = re.findall(r"digest: ([0-9a-f]{64})", words(root))
    assert len(digests) == 3
    assert "<b>why</b>" in words(root)
    assert re.search(r"runbook audit verify --expect [0-9a-f]{64}", words(root))


@pytest.mark.usefixtures("run")
def test_the_command_that_verifies_it_does(tmp_path: Path) -> None:
    page = here("report", "last", "--html", "-").out
    [command] = [words(one) for one in each(parsed(page), "code", "command") if "--expect" in words(one)]
    assert here(*command.split()[1:]).code == 0
    assert not list(tmp_path.glob("*.html"))


@pytest.mark.usefixtures("run")
def test_on_stdout_it_is_alone_and_beside_json_it_needs_a_file(tmp_path: Path) -> None:
    alone = here("report", "last", "--html", "-")
    assert alone.out.startswith("<!DOCTYPE html>\n")
    assert alone.out.endswith("</html>\n")
    assert alone.code == here("report", "last").code
    here("report", "last", "--html", "-", "--json").refused(2, "two answers cannot share stdout", hint="name a file")
    both = here("report", "last", "--json", "--html", str(tmp_path / "r.html"))
    assert both.out == here("report", "last", "--json").out
    parsed((tmp_path / "r.html").read_text("utf-8"))


def test_where_no_page_can_be_written_nothing_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    for name, why in (("", "is a folder"), ("none/x.html", "no such folder"), ("mine", "another file is there")):
        ran = here("diagnose", "--replay", OOM, "--html", str(tmp_path / name))
        ran.refused(2, "the report cannot be written", why, hint="")
        assert ran.out == ""
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_stdout_is_told_and_never_0() -> None:
    ran = here("diagnose", "--replay", OOM, "--html", "/dev/full")
    ran.refused(2, "is no file", hint="name a file")


def test_a_diagnosis_shows_where_the_memory_was_when_the_kernel_killed(tmp_path: Path) -> None:
    file = tmp_path / "d.html"
    plain, sent = here("diagnose", "--replay", OOM), here("diagnose", "--replay", OOM, "--html", str(file))
    assert (sent.code, sent.out.splitlines()[0]) == (8, plain.out.splitlines()[0])
    root = parsed(file.read_text("utf-8"))
    captions = [words(one) for one in each(root, "figcaption")]
    assert captions[:2] == ["Where the memory was when the OOM killer came: 469.8 MiB, RAM", "Who held it"]
    assert captions[2:] == ["Where the memory is by this reading: 469.8 MiB, RAM"]
    [event, who, _] = each(root, "figure")
    assert "anonymous426.5 MiB90.8 %" in words(event)
    assert "leak, pid 371415.2 MiBkilled" in words(who)
    verbose = here("diagnose", "-v", "--replay", OOM).out
    said = squeezed(words(root))
    assert [one for one in verbose.splitlines() if squeezed(one) not in said and "read, " not in one] == []


def test_several_hosts_have_one_page_with_a_link_to_each_and_the_terminal_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "hosts"
    folder.mkdir()
    for name in ("idle-healthy", "swap-thrash", "leaking-service"):
        (folder / f"{name}.txt").symlink_to(ROOT / "tests" / "hosts" / f"{name}.txt")
    plain, sent = (
        here("diagnose", "--replay", str(folder)),
        here("diagnose", "--replay", str(folder), "--html", str(tmp_path / "x")),
    )
    assert (sent.code, sent.out) == (plain.code, plain.out)
    root = parsed((tmp_path / "x").read_text("utf-8"))
    assert [words(one) for one in each(next(each(root, "nav")), "li")] == [
        "leaking-service: CRITICAL", "swap-thrash: CRITICAL", "idle-healthy: OK",
    ]  # fmt: skip
    assert len(list(each(root, "section"))) == 3


@pytest.mark.usefixtures("machine")
def test_a_run_on_several_hosts_begins_with_all_of_them_and_ends_with_each(server: Server, tmp_path: Path) -> None:
    ports = {"web1": server.port, "web2": server.port, "db7": free_port()}
    lines = [f"Host {name}\n HostName 127.0.0.1\n Port {port}\n User {USER}\n" for name, port in ports.items()]
    (server.folder / "config").write_text("".join(lines), encoding="ascii")
    path = book(tmp_path, look("look", "uname"), resolved="false")
    here("run", path, *arguments(server)[1:], "--host=web[1:2],db7", "--yes")
    page = here("report", "last", "--html", str(tmp_path / "several.html"))
    assert page.code == here("report", "last").code
    root = parsed((tmp_path / "several.html").read_text("utf-8"))
    named = [words(one) for one in each(next(each(root, "nav")), "li")]
    assert sorted(one.partition(":")[0] for one in named) == ["db7", "web1", "web2"]
    assert "db7: UNREACHABLE" in named
    sections = {words(next(each(one, "h2"))): words(one) for one in each(root, "section")}
    assert list(sections) == [one.partition(":")[0] for one in named], "the worst first, as in the table"
    for name, said in sections.items():
        assert said.endswith("To the top")
        assert f"{name}.jsonl" in said
    said = squeezed(words(root))
    for shown in here("report", "last", "-v").out.splitlines():
        assert squeezed(shown) in said


@pytest.mark.parametrize("name", SPELLED)
def test_no_element_arises_from_the_name_of_a_process(name: str, tmp_path: Path) -> None:
    text = Path(OOM).read_text("utf-8")
    assert "leak" in text
    (tmp_path / "host.txt").write_text(re.sub(r"\bleak\b", name[:15].replace("\\", r"\\"), text), "utf-8")
    ran = here("diagnose", "--replay", str(tmp_path / "host.txt"), "--html", "-")
    root = parsed(ran.out)
    assert {bare(one) for one in root.iter()} >= {"html", "svg"}
    assert name[:15].strip().split("(")[0][:3] in words(root)


def test_a_page_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "d.html"
    here("diagnose", "--replay", OOM, "--html", str(file))
    before = file.read_text("utf-8")

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("memrunbook.state.disk.os.fsync", full)
    ran = here("diagnose", "--replay", OOM, "--html", str(file))
    assert ran.code == 2, "never 0; the answer was shown"
    assert "the report cannot be written: no space left on device" in ran.err
    assert file.read_text("utf-8") == before
    assert [path.name for path in tmp_path.iterdir() if path.suffix in (".new", ".html")] == ["d.html"]
