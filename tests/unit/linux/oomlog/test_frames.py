"""What frames must not do, and what they do at their edges."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.unit.linux.oomlog.framing import FRAMES, Record, cloud, each, iso, journal, lines, soft, stamp
from tests.unit.linux.oomlog.test_every_frame import LOG, WANTED, shape, told

from memrunbook.linux.oomlog.frames import document, mail
from memrunbook.linux.oomlog.source import plain

KILL = "Out of memory: Killed process 20 (app) total-vm:4000kB, anon-rss:100kB, file-rss:20kB, shmem-rss:0kB"
QUIET = [Record(5_100_000 + at, "kernel", f"eth{at}: link is up, and the cable is well") for at in range(9)]
PROSE = "Dear all,\nthe machine was slow again on Monday.\nWhat can we do about it?\n\nYours\n"


def bare(content: bytes, size: int = 1 << 18) -> bytes:
    return b"".join(plain(content[at : at + size] for at in range(0, len(content), size)))


@pytest.mark.parametrize(
    "text",
    [
        "[    1.000000] a\n[    2.000000] b = 3D\n[    3.000000] c=3D and d=\n",
        'Nov 22 09:43:52 host app[7]: {"message": "Killed process 5 (x)"}\nNov 22 09:43:53 host app[7]: b\n',
        '[    1.000000] a\n{"level": 3, "where": "Killed nobody"}\n[    2.000000] b\n',
        "[    1.000000] a\n{\n  not: json\n}\n[    2.000000] b\n",
        "[    1.000000] a\n> one line alone\n[    2.000000] b\n",
        "[    1.000000] x=3123 order=0, =3D\n",
        "[    1.000000] <TASK>\n[    1.000001] a &gt b & c\n[    1.000002] [/usr/bin/code] [b]\n",
        "[    1.000000] C:\\new\\table\\nothing\n[    1.000001] a\\\n[    1.000002] b\\\n",
        "12 monkeys\n7 dwarves\n3 wishes\n",
        "Mem-Info:\nNode 0 DMA free:4kB min:60kB low:72kB hi...\nlowmem_reserve[]: 0 994\nOut of memory: \n",
        '{"open": "and never closed\n[    1.000000] a\n',
        '[1, 2, {"a": 3}]\n',
        "timestamp, colour\n1,2\n",
        "Note: a log follows\n\n[    1.000000] a\n",
    ],
)
def test_a_text_that_only_looks_wrapped_stays_as_it_is(text: str) -> None:
    assert bare(text.encode()) == text.encode()


@pytest.mark.parametrize("size", [1, 7, 50, 4096])
@pytest.mark.parametrize("name", ["journal json", "dmesg --json", "loki", "quoted-printable", "utf-16", "csv", "page"])
def test_a_frame_in_pieces_is_the_same_frame(name: str, size: int) -> None:
    content = FRAMES[name](QUIET)
    assert bare(content, size) == bare(content)


@pytest.mark.parametrize("name", sorted(FRAMES.keys() - {"gzip", "bzip2", "xz", "lzma"}))
def test_a_log_without_an_event_is_a_kernel_log_in_every_frame(name: str) -> None:
    log = told(FRAMES[name](QUIET))
    assert (log.events, log.failures, log.kernel) == ((), (), True)


PLAIN = ("quoted", "fenced", "page", "bbcode", "utf-16", "base64", "quoted-printable", "cat -n", "crlf", "docker")


@pytest.mark.parametrize("name", PLAIN)
def test_prose_is_no_kernel_log_in_any_frame(name: str) -> None:
    def prose(content: bytes) -> bytes:
        text = content.decode("utf-16" if name == "utf-16" else "utf-8")
        return text.replace("[    0.000000] ", "").encode("utf-16" if name == "utf-16" else "utf-8")

    records = [Record(0, "kernel", line) for line in PROSE.splitlines()]
    if name in {"base64", "quoted-printable"}:
        content = b"Subject: slow\nContent-Type: text/plain\n\n" + PROSE.encode()
    else:
        content = prose(FRAMES[name](records))
    log = told(content)
    assert (log.events, log.kernel) == ((), False)


@pytest.mark.parametrize("program", ["app", "containerd", "sshd"])
@pytest.mark.parametrize("name", ["journal json", "journal json-pretty", "journal export", "cloud logging", "fluentd"])
def test_what_another_program_says_is_not_the_kernel_s(name: str, program: str) -> None:
    assert told(FRAMES[name]([Record(1_000_000, program, KILL), *QUIET])).events == ()


def test_an_export_that_is_newest_first_is_turned() -> None:
    newest = [cloud(one) for one in reversed(LOG)]
    for content in (lines(list(newest)), json.dumps(newest).encode(), json.dumps({"entries": newest}).encode()):
        (first, second, third) = told(content).events
        assert [len(first.kills), len(second.kills), third.killer] == [1, 1, "systemd-oomd"]
        assert (first.tasks, second.tasks, first.trigger) == (4, 2, "sql-worker")


def test_streams_of_one_log_are_put_together_again() -> None:
    loud = [one for one in LOG if "ill" in one.text]
    streams = [
        {
            "stream": {"level": level},
            "values": [[str(iso_ns(one)), f"{stamp(one)} {one.text}"] for one in some if one.program == "kernel"],
        }
        for level, some in (("error", loud), ("info", [one for one in LOG if one not in loud]))
    ]
    events = told(json.dumps({"data": {"result": streams}}).encode()).events
    assert [(event.tasks, len(event.kills)) for event in events] == [(4, 1), (2, 1)]


def iso_ns(one: Record) -> int:
    from tests.unit.linux.oomlog.framing import BOOT

    return (BOOT + one.micro) * 1000


def test_dates_and_uptimes_of_records_are_kept() -> None:
    one = Record(139_201_482, "kernel", KILL)
    (event,) = told(lines([journal(one)])).events
    assert (event.stamp, event.date) == (139.201482, iso(one))
    for name, value in (("ts", 1763804771.201482), ("timestamp", 1763804771201), ("time", "2025-11-22 09:46:11 UTC")):
        (event,) = told(lines([{name: value, "message": KILL}])).events
        assert event.stamp is None
        assert event.date.startswith("2025-11-22T09:46:11")
    (event,) = told(lines([{"time": 139.201482, "caller": "T20", "msg": KILL}])).events
    assert (event.stamp, event.date) == (139.201482, "")
    (event,) = told(lines([{"time": "never", "log": {"no": "text"}, "line": KILL}])).events
    assert (event.stamp, event.date, event.kills[0].pid) == (None, "", 20)


def test_records_of_unusual_kinds() -> None:
    assert told(lines([{"MESSAGE": None}, {"MESSAGE": [300]}, {"MESSAGE": []}, {"message": ["a", "b"]}])).events == ()
    assert told(lines([{"message": [KILL]}])).events[0].kills[0].pid == 20
    assert told(lines([{"log": "{" + KILL}])).events[0].kills[0].pid == 20
    deep: object = {"msg": KILL}
    for _ in range(60):
        deep = {"in": deep}
    assert told(json.dumps(deep).encode()).events[0].kills[0].pid == 20  # read as the text that it is
    assert told(b'{"a":' * 3000).events == ()


def test_a_document_that_is_too_long_is_read_by_its_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "LONGEST", 2000)
    monkeypatch.setattr(document, "KEPT", 20)
    for name in ("dmesg --json in one line", "loki", "cloud logging, an array", "elasticsearch"):
        log = told(FRAMES[name](LOG))
        assert [len(event.kills) for event in log.events] == [1, 1, 0], name
        assert len(log.failures) == 1


def test_a_value_that_never_ends_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "LONGEST", 500)
    content = b'{"a": [' * 300 + f"\n[   50.000000] {KILL}\n".encode()
    assert len(told(content).events) == 1


def test_a_very_long_mail_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "LONGEST", 500)
    content = b"Subject: x\nContent-Type: text/plain\n\n" + FRAMES["dmesg"](LOG)
    box = b"From a Sat Nov 22 09:43:52 2025\n" + content + b"\nFrom a Sat Nov 22 09:43:52 2025\n" + b"Subject: y\n\nz\n"

    def pieces() -> Iterator[bytes]:
        yield from (box[at : at + 300] for at in range(0, len(box), 300))

    assert b"".join(plain(pieces())).count(b"invoked oom-killer") == 2


def test_a_mail_whose_header_does_not_hold() -> None:
    content = b"Subject: x\nContent-Transfer-Encoding: quoted-printable\n\n" + FRAMES["dmesg"](LOG)
    assert shape(told(content)) == WANTED


OUTER: dict[str, Callable[[str], str]] = {
    "quoted": lambda text: each(text, lambda line: f"> {line}"),
    "quoted twice": lambda text: each(text, lambda line: f">> {line}"),
    "barred": lambda text: each(text, lambda line: f"| {line}"),
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "fenced": lambda text: f"It died:\n\n```\n{text}```\n",
    "coded": lambda text: f"[code]\n{text}[/code]\n",
    "coloured": lambda text: each(text, lambda line: f"\x1b[33m{line}\x1b[0m"),
    "numbered": lambda text: "".join(f"{at:6}\t{line}\n" for at, line in enumerate(text.splitlines(), 1)),
    "mailed": lambda text: f"Subject: x\nMIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n\n{text}",
    "wrapped": lambda text: soft(text, 72),
}
INNER = (
    "dmesg", "syslog", "cri", "journal json", "journal json-pretty", "cloud logging", "dmesg --json", "docker", "loki",
    "cloud logging, an array", "elasticsearch", "json in json", "cloudwatch events", "logcli",
)  # fmt: skip
NESTED = st.lists(st.sampled_from(sorted(OUTER.keys() - {"wrapped"})), min_size=1, max_size=2)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(inner=st.sampled_from(INNER), outer=NESTED, wrapped=st.booleans())
@example(inner="cloud logging, an array", outer=["quoted"], wrapped=False)
@example(inner="dmesg", outer=["fenced", "crlf"], wrapped=True)
@example(inner="cloudwatch events", outer=["barred", "coded"], wrapped=False)
@example(inner="cloudwatch events", outer=["quoted", "fenced"], wrapped=False)
def test_frames_in_frames(inner: str, outer: list[str], wrapped: bool) -> None:  # noqa: FBT001 - Hypothesis fills it
    """JSON in a quoted mail, a fence with CRLF; a mail wraps what it quotes before it quotes."""
    text = FRAMES[inner](LOG).decode()
    if wrapped and inner in {"dmesg", "syslog"}:
        text = OUTER["wrapped"](text)
    inside_out = sorted(outer, key=["mailed", "crlf"].index if set(outer) <= {"mailed", "crlf"} else outer.index)
    for name in inside_out:
        if name == "mailed" and name != inside_out[-1]:
            continue  # what stands around a mail's headers makes them text
        text = OUTER[name](text)
    found, wanted = shape(told(text.encode())), shape(told(FRAMES[inner](LOG)))
    assert found == wanted


SHREDS = (
    b'{"log":"', b"[", b"]", b"}", b'"', b"\n", b",", b"\\", b"data: ", b"> ", b"=3D", b"=\n", b"\x1e", b"\xff",
    b"<pre>", b"Subject: a\n\n", b"[code]", b"__CURSOR=a\n", b"MESSAGE\n", b"\0", b'{"msg":1}', KILL.encode(),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(SHREDS), max_size=40), st.integers(1, 40))
def test_any_bytes_are_survived(parts: list[bytes], size: int) -> None:
    content = b"".join(parts)
    bare(content, size)


def test_an_event_whose_header_was_cut_off_begins_at_the_usage_of_its_group() -> None:
    begins = next(at for at, one in enumerate(LOG) if one.text.startswith("memory: usage"))
    for name in ("quoted-printable", "cloud logging", "terminal of 80 columns", "page"):
        (event,) = told(FRAMES[name](LOG[begins : begins + 10])).events
        assert (event.usage_kib, event.limit_kib, event.kills[0].pid) == (524288, 524288, 20877)
