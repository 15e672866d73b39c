"""The probe in every shell this machine has, and its wire format."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.reading.fact import (
    NOT_ASKED,
    Answer,
    Command,
    Detail,
    Question,
    Read,
    Sample,
    Unavailable,
    Walk,
    Whole,
)
from memrunbook.core.reading.probe import AGAIN, MARK, asked, build_probe, quoted, read_sample, write_sample

NONCE = "0f1e2d"
CHILD = 'child() { ( exec "$@" ); }\n'
SHELLS = {"dash": ["dash"], "bash": ["bash"], "busybox": ["busybox", "sh"]}

each_shell = pytest.mark.parametrize(
    "shell",
    [
        pytest.param(words, id=name, marks=pytest.mark.skipif(not shutil.which(words[0]), reason=f"no {name} here"))
        for name, words in SHELLS.items()
    ],
)


def ask(shell: list[str], *questions: Question, repeat: bool = False, as_nobody: bool = False) -> Sample:
    who = {"user": 65534, "group": 65534, "extra_groups": []} if as_nobody else {}
    script = CHILD + build_probe(questions, repeat=repeat)
    done = subprocess.run([*shell, "-c", script, "sh", NONCE], capture_output=True, check=True, timeout=60, **who)  # type: ignore[call-overload]  # the words of `who` are known to subprocess
    assert done.stderr == b""
    return read_sample(done.stdout.decode(errors="backslashreplace"), NONCE)


@each_shell
def test_files_come_back_verbatim(shell: list[str], tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.write_bytes(b"  lead\\x2d \\040 tail \n\n@@case end 3\n$(reboot) `x` %s\t\x1b[31m\xff\nno newline")
    sample = ask(shell, Read(str(odd)))
    assert sample.text(str(odd)) == (
        "  lead\\x2d \\040 tail \n\n@@case end 3\n$(reboot) `x` %s\t\x1b[31m\\xff\nno newline\n"
    )
    assert sample.complete


@each_shell
def test_a_program_that_need_not_be_asked_is_not_started(shell: list[str], tmp_path: Path) -> None:
    started = tmp_path / "started"
    tool = ("touch", str(started))
    sample = ask(shell, Command("tool", tool, unless="[ -d / ]"))
    assert sample.text("tool") == f"{NOT_ASKED}\n"
    assert sample.complete
    assert not started.exists()
    assert ask(shell, Command("tool", tool, unless="[ -f / ]")).text("tool") == ""
    assert started.exists()


@each_shell
def test_a_condition_knows_whether_a_program_has_answered_in_this_shell(shell: list[str]) -> None:
    told = '[ -n "${probe_told-}" ]'
    names = ("first", "second", "third")
    sample = ask(shell, *(Command(name, ("echo", name), unless=told) for name in names))
    assert [sample.text(name) for name in names] == ["first\n", f"{NOT_ASKED}\n", f"{NOT_ASKED}\n"]
    sample = ask(shell, Command("bad", ("false",), unless=told), Command("good", ("echo", "x"), unless=told))
    assert sample.text("good") == "x\n", "one that failed has not answered"


@each_shell
def test_what_is_long_comes_whole_and_in_its_order(shell: list[str], tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b", "c")]
    for file, line in zip(files, ("x" * 9000, "short", "0123456789\n" * 2000), strict=True):
        file.write_text(f"{line}\n")
    sample = ask(shell, *(Read(str(file)) for file in files), Walk("w", "printf 'walked\\n'"), Read(f"{files[2]}", 3))
    assert [sample.text(str(file)) for file in files] == [file.read_text() for file in files]
    assert sample.text("w") == "walked\n"


@each_shell
def test_a_nul_byte_does_not_end_the_reading(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "nul").write_bytes(b"a\0b\nrest\n")
    assert ask(shell, Read(f"{tmp_path}/nul")).text(f"{tmp_path}/nul") == "ab\nrest\n"


@each_shell
def test_real_kernel_files(shell: list[str]) -> None:
    sample = ask(
        shell, Read("/proc/meminfo", each=True), Read("/proc/zoneinfo", lines=2), Whole("/proc/sys/vm/swappiness")
    )
    assert (sample.text("/proc/meminfo") or "").startswith("MemTotal:")
    assert (sample.text("/proc/zoneinfo") or "").count("\n") == 2
    real = Path("/proc/sys/vm/swappiness").read_text(encoding="ascii")
    assert sample.text("/proc/sys/vm/swappiness") == real
    assert 0 < sample.before <= sample.after


@pytest.fixture
def open_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@each_shell
def test_missing_is_not_denied(shell: list[str], open_folder: Path) -> None:
    (open_folder / "secret").touch(mode=0o000)
    (open_folder / "closed").mkdir(mode=0o000)
    sample = ask(
        shell,
        Read(f"{open_folder}/none/at/all"),
        Read(f"{open_folder}/secret"),
        Read(f"{open_folder}/closed/inside"),
        Whole(f"{open_folder}/nothing"),
        Whole(f"{open_folder}/sec*"),
        as_nobody=os.geteuid() == 0,
    )
    assert {Path(key).name: answer.problem.reason for key, answer in sample.answers.items() if answer.problem} == {
        "all": "absent",
        "secret": "denied",
        "inside": "denied",
        "nothing": "absent",
    }


@each_shell
def test_an_empty_file_and_a_folder_are_failed(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    sample = ask(shell, Read(f"{tmp_path}/empty"), Read(str(tmp_path)))
    assert [answer.problem.reason for answer in sample.answers.values() if answer.problem] == ["failed", "failed"]


@each_shell
def test_patterns_answer_under_each_path_and_not_at_all_where_nothing_matches(shell: list[str], tmp_path: Path) -> None:
    for name in ("a 1", "b", "c"):
        (tmp_path / name).write_text(f"of {name}\n", encoding="ascii")
    sample = ask(
        shell, Read(f"{tmp_path}/[ab]*"), Read(f"{tmp_path}/z*"), Whole(f"{tmp_path}/c*"), Whole(f"{tmp_path}/y*")
    )
    assert {Path(key).name: answer.text for key, answer in sample.answers.items()} == {
        "a 1": "of a 1\n",
        "b": "of b\n",
        "c": "of c\n",
    }


@each_shell
def test_every_line_of_a_whole_file_is_kept(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "slabinfo").write_text("# a:b\n\nline : 2\n", encoding="ascii")
    assert ask(shell, Whole(f"{tmp_path}/slabinfo")).text(f"{tmp_path}/slabinfo") == "# a:b\n\nline : 2\n"


@each_shell
def test_a_whole_file_that_cannot_be_read_ends_no_other(shell: list[str], tmp_path: Path) -> None:
    """A folder can be opened, one's own memory too, and mawk ends where a read fails."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").touch()
    (tmp_path / "c").write_text("no newline", encoding="ascii")
    sample = ask(shell, Whole("/proc/self/mem"), Whole(f"{tmp_path}/*"), Whole("/none"))
    assert {key: answer.text for key, answer in sample.answers.items()} == {
        f"{tmp_path}/c": "no newline\n",
        "/none": "",
    }
    assert ask(shell, Whole("/none")).answers.keys() == {"/none"}


@each_shell
def test_details_are_asked_of_what_a_walk_found(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "a b*").write_text("first\nsecond\n", encoding="ascii")
    walk = Walk("found", f"list='x {tmp_path}/a b*\ny {tmp_path}/none\n' more=z none=")
    program = 'print "item " item; if (item != "z") show("line", substr(item, 3))'
    sample = ask(shell, walk, Detail("more of it", "$list $more", program), Detail("empty", "$none", "print item"))
    assert sample.text("more of it") == f"item x {tmp_path}/a b*\nline first\nitem y {tmp_path}/none\nitem z\n"
    assert (sample.text("empty"), sample.complete) == ("", True)
    nothing = ask(shell, walk, Detail("empty", "$none", "print item"))
    assert "empty" not in nothing.answers


@each_shell
def test_whole_files_and_details_take_one_process(shell: list[str], tmp_path: Path) -> None:
    """A sysctl is read in one piece and the process is `awk`, which runs as the login does."""
    (tmp_path / "awk").write_text('#!/bin/sh\necho "$$" >>"$0.log"\nexec /usr/bin/awk "$@"\n', encoding="ascii")
    (tmp_path / "awk").chmod(0o755)
    walk = Walk("found", "list='x\ny'")
    asks: list[Question] = [
        walk,
        Whole("/proc/sys/vm/swappiness"),
        Whole("/proc/sys/kernel/pid_max"),
        Detail("d", "$list", "print item"),
    ]
    script = f"PATH={tmp_path}:$PATH\n{CHILD}{build_probe(asks, repeat=False)}"
    done = subprocess.run([*shell, "-c", script, "sh", NONCE], capture_output=True, check=True, timeout=60, text=True)
    sample = read_sample(done.stdout, NONCE)
    assert len((tmp_path / "awk.log").read_text(encoding="ascii").split()) == 1
    assert sample.text("/proc/sys/kernel/pid_max") == Path("/proc/sys/kernel/pid_max").read_text(encoding="ascii")
    assert sample.text("d") == "x\ny\n"


@each_shell
def test_a_later_sample_goes_on_with_what_the_first_left(shell: list[str]) -> None:
    asks: list[Question] = [
        Walk("w", "more() { printf '%s' \"$kept\"; }\nkept=7", each=True, again="more"),
        Detail("d", "$kept", "print"),
    ]
    probes = (build_probe(asks, repeat=repeat) for repeat in (False, True))
    script = CHILD + "".join(f"probe() {{\n{probe}\n}}\nprobe {NONCE}\n" for probe in probes)
    done = subprocess.run([*shell, "-c", script, "sh", NONCE], capture_output=True, check=True, timeout=60, text=True)
    _, first, later = done.stdout.split(f"@@{NONCE} begin ")
    assert read_sample(f"@@{NONCE} begin {first}", NONCE).text("w") == ""
    assert read_sample(f"@@{NONCE} begin {later}", NONCE).answers == {"w": Answer("7")}


def test_a_script_tells_what_it_asks_for() -> None:
    asks: list[Question] = [
        Read("/a", each=True), Read("/b*", lines=2), Walk("w", "for probe_line in x; do :; done", each=True),
        Whole("/c"), Whole("/d/*.conf"), Detail("more", "$x", "print item"),
        Command("it's", ("true",)), Command("log", ("dmesg",), newest=3),
    ]  # fmt: skip
    full, later = (build_probe(asks, repeat=repeat) for repeat in (False, True))
    assert asked(full) == ["/a", "/b*", "w", "/c", "/d/*.conf", "more", "it's", "log"]
    assert asked(later) == ["/a", "w"]
    assert asked(build_probe([], repeat=False)) == []
    assert later.startswith(AGAIN)
    assert not full.startswith(AGAIN)


@each_shell
def test_commands_keep_their_text_unless_there_is_no_such_program(shell: list[str]) -> None:
    sample = ask(
        shell,
        Command("good", ("printf", "%s|", "a b", "*", "it's")),
        Command("bad", ("sh", "-c", "echo denied >&2; exit 3")),
        Command("none", ("no-such-program",)),
    )
    assert sample.text("good") == "a b|*|it's|"
    assert sample.text("bad") == "denied\n"
    assert sample.answers["none"].problem == Unavailable("absent", "none: no such program")


@each_shell
def test_a_program_that_may_not_be_run_is_denied(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "tool").touch(mode=0o644)
    sample = ask(shell, Command("tool", (f"{tmp_path}/tool",)))
    assert sample.answers["tool"].problem == Unavailable("denied", "tool: may not be run")


@each_shell
def test_the_newest_lines_of_a_command(shell: list[str], open_folder: Path) -> None:
    log = "i=0; while [ $i -lt 9 ]; do echo line $i; i=$((i + 1)); done; echo why >&2; exit 3"
    (open_folder / "tool").touch(mode=0o644)
    sample = ask(
        shell,
        Command("log", ("sh", "-c", log), newest=3),
        Command("short", ("printf", "%s|", "a b", "it's"), newest=3),
        Command("none", ("no-such-program",), newest=3),
        Command("tool", (f"{open_folder}/tool",), newest=3),
    )
    assert sample.complete
    assert sample.text("log") == "line 7\nline 8\nwhy\n"
    assert sample.text("short") == "a b|it's|"
    assert sample.answers["none"].problem == Unavailable("absent", "none: no such program")
    assert sample.answers["tool"].problem == Unavailable("denied", "tool: may not be run")


@each_shell
def test_the_newest_lines_take_two_processes_with_the_logins_oom_score_adj(shell: list[str]) -> None:
    own = int(Path("/proc/self/oom_score_adj").read_text(encoding="ascii"))
    wanted = min(own + 7, 1000)
    about = "echo $PPID $(cat /proc/self/oom_score_adj)"
    who = Command("who", ("sh", "-c", about), newest=2)
    script = f"shell_adj={wanted}\necho $$\n" + build_probe([who], repeat=False)
    done = subprocess.run([*shell, "-c", script, "sh", NONCE], capture_output=True, check=True, timeout=60, text=True)
    session = done.stdout.partition("\n")[0]
    assert read_sample(done.stdout, NONCE).text("who") == f"{session} {wanted}\n"
    assert done.stderr == ""


@each_shell
def test_walks_run_without_forks_and_leave_the_folder_alone(shell: list[str]) -> None:
    script = 'cd /proc && for pid in [1-9]*; do printf "%s\\n" "$pid"; done; printf partial'
    sample = ask(shell, Walk("pids", script), Walk("where", "pwd"), Walk("nothing", ":"))
    assert str(os.getpid()) in (sample.text("pids") or "").split()
    assert (sample.text("pids") or "").endswith("partial")
    assert sample.text("where") == "/\n"
    assert sample.answers["nothing"] == Answer("")


@each_shell
def test_a_repeat_asks_only_what_changes(shell: list[str]) -> None:
    asks = (
        Read("/proc/vmstat", each=True),
        Read("/proc/version"),
        Walk("w", "echo w", each=True),
        Walk("v", "echo v"),
        Whole("/proc/sys/vm/swappiness"),
        Command("id", ("id",)),
    )
    assert set(ask(shell, *asks, repeat=True).answers) == {"/proc/vmstat", "w"}


def test_a_file_asked_twice_is_read_once_and_whole() -> None:
    script = build_probe([Read("/a", lines=2), Read("/a", lines=5), Read("/b", lines=3), Read("/b")], repeat=False)
    assert [line for line in script.splitlines() if line.startswith("probe_read /")] == [
        "probe_read /a 5",
        "probe_read /b 0",
    ]


def test_the_order_is_reads_walks_grep_commands() -> None:
    asks: list[Question] = [Command("c", ("true",)), Whole("/g"), Walk("w", ":"), Read("/r")]
    script = build_probe(asks, repeat=False)
    places = [script.index(part) for part in ("probe_read /r", "say walk w", "in /g;", "say command c", "uptime end")]
    assert places == sorted(places)
    assert script.startswith(MARK)


@pytest.mark.parametrize("path", ["relative", "/a b", "/a;reboot", "/$(x)", "/a'b", "", "/a\nb"])
def test_a_path_that_is_no_plain_constant_is_a_defect(path: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        build_probe([Read(path)], repeat=False)


def test_a_sample_that_was_cut_keeps_what_is_whole() -> None:
    text = "motd\n@@n begin 5.5\n@@n file /a\n1\n@@n missing /b\n@@n command c\nhalf a li"
    sample = read_sample(text, "n")
    assert (sample.before, sample.after, sample.complete) == (5.5, 5.5, False)
    assert sample.answers == {"/a": Answer("1\n"), "/b": Answer(problem=Unavailable("absent", "/b: no such file"))}
    assert not read_sample(text + "\n@@n status 0\n@@n end 6", "n").complete


def test_nothing_at_all_is_an_empty_sample() -> None:
    assert read_sample("", "n") == Sample(before=0.0, after=0.0, answers={}, complete=False)


def test_damaged_lines_are_passed_over() -> None:
    sample = read_sample("@@n begin ?\n@@n riddle x\n@@n grep \nno path\n/g no colon\n/g:1\n@@n end 7\n", "n")
    assert (sample.before, sample.after) == (0.0, 7.0)
    assert sample.answers == {"/g": Answer("1\n")}


_FILES = st.sampled_from(["/proc/a", "/sys/b c", "/x"])
_NAMES = st.sampled_from(["units", "dmesg"])
_PROBLEMS = {
    "/": [("absent", "no such file"), ("denied", "permission denied"), ("failed", "nothing could be read")],
    "": [("absent", "no such program"), ("denied", "may not be run")],
}


@st.composite
def _answers(draw: st.DrawFn) -> dict[str, Answer]:
    answers = {}
    for key in draw(st.sets(st.one_of(_FILES, _NAMES))):
        kinds = _PROBLEMS["/" if key.startswith("/") else ""]
        reason, why = draw(st.sampled_from(kinds))
        text = draw(st.text(min_size=1 if key.startswith("/") else 0).filter(lambda text: "@@case " not in text))
        problem = Unavailable(reason, f"{key}: {why}")  # type: ignore[arg-type]  # a literal out of the table above
        answers[key] = Answer(text) if draw(st.booleans()) else Answer(problem=problem)
    return answers


@given(_answers(), st.booleans())
def test_what_is_written_is_read_back(answers: dict[str, Answer], complete: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
    sample = Sample(before=10.25, after=11.5 if complete else 10.25, answers=answers, complete=complete)
    assert read_sample(write_sample(sample, "case"), "case") == sample


def test_a_recording_cannot_be_forged_by_host_text_and_leaves_timeouts_out() -> None:
    hostile = Sample(1.0, 2.0, {"w": Answer("x\n@@case end 9\n"), "/t": Answer(problem=Unavailable("timeout", "late"))})
    assert read_sample(write_sample(hostile, "case"), "case").answers == {"w": Answer("x\n@@case_end 9\n")}


@given(st.text())
def test_the_reader_survives_any_text(text: str) -> None:
    sample = read_sample(text.replace("\x00", "@@n "), "n")
    assert sample.before >= 0


@given(st.lists(st.text().filter(lambda text: "\0" not in text), max_size=4))
def test_quoted_words_are_one_word_each(words: list[str]) -> None:
    assert shlex.split(quoted(words)) == words


@pytest.mark.parametrize("end", ["", "later", "99.0", "100.12345678901", "-3.0"])
def test_time_does_not_run_backwards_where_the_uptime_after_the_answers_cannot_be_read(end: str) -> None:
    """The wait for the next sample counts from when the host began to answer: that would have been in the future."""
    sample = read_sample(f"@@{NONCE} begin 100.0\n@@{NONCE} end {end}\n", NONCE)
    assert (sample.before, sample.after, sample.complete) == (100.0, 100.0, True)
