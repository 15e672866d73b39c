"""The probe: one POSIX sh script for many questions, and the wire format of its answers, read and written.

Every line of ours begins with `@@NONCE `; host text cannot know the nonce, so it cannot forge a section:

    begin UPTIME    the host's uptime in seconds before the reads
    file PATH       the content follows, verbatim
    missing PATH    there is no such file
    denied PATH     it exists, this user may not read it
    failed PATH     it could not be read for another reason (written by recordings; a probe shows an empty `file`)
    walk NAME       what a walk or the details of one printed
    grep            lines `PATH:LINE` follow (only in recordings of version 1)
    command NAME    what the program printed, up to
    status N        its exit status; 127 means that there is no such program, 126 that it may not be run
    end UPTIME      the uptime after everything

Reads and walks come first and use shell built-ins only: they work while the host cannot fork.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator

from memrunbook.core.reading.fact import (
    NOT_ASKED,
    Answer,
    Command,
    Detail,
    Question,
    Read,
    Reason,
    Sample,
    Unavailable,
    Walk,
    Whole,
)
from memrunbook.core.reading.probe_text import (
    AWK,
    DETAIL,
    ITEMS,
    NEWEST,
    PATTERNS,
    PLAIN_FILES,
    PROGRAM,
    START,
    TRIED,
    UNLESS,
)

MARK = ": memrunbook probe"
"""The first line of every probe, by which the replay transport knows one."""
AGAIN = MARK + " again"
"""The first line of a later sample's probe."""
CASE = "case"
"""The nonce of recorded answers."""
BUNDLE = 2
"""The version of a recording: its first line is `@@case bundle VERSION`; without one it is of version 1."""

_PLAIN = re.compile(r"/[\w./:@+,=-]+")
_PATTERN = re.compile(r"/[\w./:@+,=*?\[\]!-]+")

_INDENT = re.compile(r"^ +", re.MULTILINE)
_ASKED = re.compile(
    r"^probe_read (/\S+) \d+$|^for probe_file in (/.*?); do|^probe_say (?:walk|command) (.+)$"
    r'|^print mark " walk (.+)"$',
    re.MULTILINE,
)

_PROBLEMS: dict[str, tuple[Reason, str]] = {
    "missing": ("absent", "no such file"),
    "denied": ("denied", "permission denied"),
    "failed": ("failed", "nothing could be read"),
    "status 127": ("absent", "no such program"),
    "status 126": ("denied", "may not be run"),
}


def quoted(words: Iterable[str]) -> str:
    """The words as shell text that yields exactly these words again: the one place that quotes for a shell."""
    return shlex.join(words)


def build_probe(asks: Iterable[Question], *, repeat: bool) -> str:
    """One script for all these questions; `$1` is the nonce. `repeat` asks only those that want each sample.

    The session must define `child`, which runs a program, and may define `shell_adj`, its `oom_score_adj`.
    Raises ValueError for a path that is no plain constant.
    """
    questions = [ask for ask in asks if not repeat or (isinstance(ask, Read | Walk) and ask.each)]
    parts = [f"{AGAIN if repeat else MARK}\n", _lean(START), "probe_uptime begin\n", *_reads(questions)]
    parts += [*_walks(questions, repeat=repeat), *_awk(questions), *_commands(questions)]
    return "".join([*parts, "probe_uptime end\n"])


def _lean(script: str) -> str:
    """Without its indentation: bash reads a script from a pipe byte by byte, with a system call each."""
    return _INDENT.sub("", script)


def _reads(questions: list[Question]) -> Iterator[str]:
    lines: dict[str, int] = {}
    for ask in questions:
        if isinstance(ask, Read):
            known = lines.get(ask.path, ask.lines)
            lines[ask.path] = max(known, ask.lines) if known and ask.lines else 0
    for path, count in lines.items():
        if _is_plain(path):
            yield f"probe_read {path} {count}\n"
        else:
            yield f'for probe_file in {path}; do [ -e "$probe_file" ] && probe_read "$probe_file" {count}; done\n'


def _walks(questions: list[Question], *, repeat: bool) -> Iterator[str]:
    walks = {ask.name: (repeat and ask.again) or ask.script for ask in questions if isinstance(ask, Walk)}
    for name, script in walks.items():
        yield f"probe_say walk {quoted([name])}\nprobe_walk() {{\n{_lean(script)}\n}}\n"
        yield "probe_walk </dev/null 2>/dev/null\ncd /\n"


def _awk(questions: list[Question]) -> Iterator[str]:
    paths = dict.fromkeys(ask.path for ask in questions if isinstance(ask, Whole))
    details = {ask.name: ask for ask in questions if isinstance(ask, Detail)}
    if not paths and not details:
        return
    yield TRIED
    if plain := [path for path in paths if _is_plain(path)]:
        yield PLAIN_FILES.format(plain=" ".join(plain))
    if patterns := [path for path in paths if path not in plain]:
        yield PATTERNS.format(patterns=" ".join(patterns))
    for ask in details.values():
        yield ITEMS.format(items=ask.items)
    more = [DETAIL.replace("NAME", ask.name).replace("PROGRAM", ask.program) for ask in details.values()]
    yield AWK.format(least=len(details), program=quoted([_lean("".join([PROGRAM, *more, "}"]))]))


def _commands(questions: list[Question]) -> Iterator[str]:
    commands = {ask.name: ask for ask in questions if isinstance(ask, Command)}
    for name, ask in commands.items():
        command = quoted(ask.argv)
        plain = f"child {command} </dev/null 2>&1\nprobe_say status $?\n"
        run = NEWEST.format(command=command, newest=ask.newest) if ask.newest else plain
        if ask.unless:
            run = UNLESS.format(condition=ask.unless, said=quoted([NOT_ASKED]), command=command)
        yield f"probe_say command {quoted([name])}\n{run}"


def asked(script: str) -> list[str]:
    """The keys, paths and patterns that a probe asks for, read out of its script."""
    found = [next(filter(None, words)) for words in _ASKED.findall(script)]
    return list(dict.fromkeys(key for words in found for key in shlex.split(words)))


def is_pattern(path: str) -> bool:
    """True for a shell pattern: without an answer there is no such file."""
    return any(sign in path for sign in "*?[")


def _is_plain(path: str) -> bool:
    if _PLAIN.fullmatch(path):
        return True
    if not _PATTERN.fullmatch(path):
        raise ValueError(f"no path that a probe can ask for: {path!r}")
    return False


def read_sample(text: str, nonce: str) -> Sample:
    """The answers in what a probe printed. Without `end` the sample is not complete and a section cut short is dropped.

    An empty file is `failed`: built-ins cannot tell it from one whose read fails (pressure files, EOPNOTSUPP).
    """
    _, *sections = text.split(f"@@{nonce} ")
    before = after = 0.0
    complete = False
    answers: dict[str, Answer] = {}
    for place, section in enumerate(sections, start=1):
        head, newline, body = section.partition("\n")
        word, _, key = head.partition(" ")
        if word == "begin":
            before = after = _seconds(key)
        elif word == "end" and newline:
            after, complete = max(before, _seconds(key)), True  # an unreadable uptime is no time that runs backwards
        elif place < len(sections):
            following = sections[place].partition("\n")[0]
            answers.update(_answers(word, key, body, following))
    return Sample(before=before, after=after, answers=answers, complete=complete)


def _answers(word: str, key: str, body: str, following: str) -> dict[str, Answer]:
    if word == "file":
        return {key: Answer(body) if body else _problem("failed", key)}
    if word == "walk":
        return {key: Answer(body)}
    if word == "grep":
        return _grepped(body)
    if word == "command":
        return {key: _problem(following, key) if following in _PROBLEMS else Answer(body)}
    return {key: _problem(word, key)} if word in _PROBLEMS else {}


def _grepped(body: str) -> dict[str, Answer]:
    found: dict[str, list[str]] = {}
    for line in body.split("\n"):
        path, colon, content = line.partition(":")
        if colon and path.startswith("/"):
            found.setdefault(path, []).append(content + "\n")
    return {path: Answer("".join(lines)) for path, lines in found.items()}


def _problem(word: str, key: str) -> Answer:
    reason, why = _PROBLEMS[word]
    return Answer(problem=Unavailable(reason, f"{key}: {why}"))


def _seconds(text: str) -> float:
    return float(text) if re.fullmatch(r"\d{1,12}(\.\d{1,9})?", text, re.ASCII) else 0.0


def write_sample(sample: Sample, nonce: str) -> str:
    """The sample in the wire format, so that `read_sample` gives it back (timeouts are left out: no answer came)."""
    mark = f"@@{nonce} "
    parts = [f"{mark}begin {sample.before}\n"]
    for key, answer in sample.answers.items():
        parts += _written(key, answer, mark)
    parts.append(f"{mark}end {sample.after}\n" if sample.complete else f"{mark}cut\n")
    return "".join(parts)


def _written(key: str, answer: Answer, mark: str) -> list[str]:
    is_file = key.startswith("/")
    if answer.problem is None:
        kind = "file" if is_file else "walk"
        return [f"{mark}{kind} {key}\n", answer.text.replace(mark, mark[:-1] + "_")]
    for word, (reason, _) in _PROBLEMS.items():
        if reason == answer.problem.reason and word.startswith("status") != is_file:
            return [f"{mark}{word} {key}\n"] if is_file else [f"{mark}command {key}\n{mark}{word}\n"]
    return []
