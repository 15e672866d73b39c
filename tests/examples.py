"""The blocks of code that the documentation shows, and what each of them claims to be.

A block is the content of a file (its fence names a language, or `text title="its name"`), commands without their
output, or a session: commands with what they print. A session says in a comment above it how that is kept true:

    <!-- example: run -->                                        its commands are run, and print this
    <!-- example: run; case.txt = tests/hosts/swap-thrash.txt --> with copies of these files (or folders) in the folder
    <!-- example: as in tests/golden/in-flight.terminal-80.txt -->  these lines stand in a file that a test keeps true

or in a line below it, for people too, where it comes from: "Transcript: …", with a date or the file that tells more.
A line `...` stands for any number of lines, `…` within a line for any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FENCE = re.compile(r"^( *)(`{3,})(.*)$")
MARK = re.compile(r"<!-- example: (.*?) -->")
PROMPT = re.compile(r"[$#] ")
WRITTEN = re.compile(r"<!-- (?:Generated|Written) by ")
"""The head of a page that tools write: they are tested instead."""


@dataclass(frozen=True)
class Block:
    """One block of code: its page and line, what its fence says (None: indented), its lines, what is around it."""

    page: Path
    number: int
    info: str | None
    lines: tuple[str, ...]
    above: str = ""
    below: str = ""

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.number}"

    @property
    def language(self) -> str:
        return (self.info or "").partition(" ")[0]

    @property
    def mark(self) -> str:
        """What the comment above says of it."""
        found = MARK.fullmatch(self.above)
        return found[1] if found else ""

    @property
    def transcript(self) -> str:
        """Where it comes from, as the line below it says."""
        return self.below.strip("*").partition("Transcript: ")[2] if self.below.startswith("*Transcript: ") else ""

    @property
    def session(self) -> bool:
        """Whether something is shown as printed."""
        printed = self.language == "text" and "title=" not in (self.info or "")
        return printed or (self.language == "console" and any(output for _, output in self.turns()))

    def turns(self) -> list[tuple[str, tuple[str, ...]]]:
        """Each command behind a prompt, with the lines below it; a command goes on behind a backslash or `> `."""
        found: list[tuple[str, list[str]]] = []
        going_on = False
        for line in self.lines:
            if going_on:
                found[-1] = (f"{found[-1][0]}\n{line}", [])
            elif PROMPT.match(line):
                found.append((line[2:], []))
            elif found:
                found[-1][1].append(line)
            going_on = line.endswith("\\") and (going_on or bool(PROMPT.match(line)))
        return [(command, tuple(output)) for command, output in found]


def pages() -> list[Path]:
    """Every page that people read and write."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


def blocks() -> Iterator[Block]:
    """Every block of the pages that are written by people."""
    for page in pages():
        text = page.read_text("utf-8")
        if not WRITTEN.match(text):
            yield from blocks_of(page, text)


def blocks_of(page: Path, text: str) -> Iterator[Block]:
    """Every block of one page."""
    lines = [*text.splitlines(), ""]
    at = 0
    while at < len(lines):
        found, end = FENCE.match(lines[at]), at + 1
        if found:
            while lines[end].strip() != found[2]:
                end += 1
            inner, end, info, margin = lines[at + 1 : end], end + 1, found[3].strip(), len(found[1])
        elif _indented(lines, at):
            while end < len(lines) and (lines[end].startswith("    ") or _goes_on(lines, end)):
                end += 1
            inner, info, margin = lines[at:end], None, 4
        else:
            at = end
            continue
        around = _above(lines, at), next((line for line in lines[end:] if line.strip()), "")
        yield Block(page, at + 1, info, tuple(line[margin:] for line in inner), *around)
        at = end


def _above(lines: list[str], at: int) -> str:
    return next((line for line in reversed(lines[:at]) if line.strip()), "")


def _indented(lines: list[str], at: int) -> bool:
    """Whether an indented block begins here: not a line that belongs to an entry of a list."""
    return (
        lines[at].startswith("    ") and at > 0 and not lines[at - 1].strip() and not _above(lines, at).startswith(" ")
    )


def _goes_on(lines: list[str], at: int) -> bool:
    return not lines[at].strip() and at + 1 < len(lines) and lines[at + 1].startswith("    ")


def alike(shown: tuple[str, ...], printed: list[str]) -> bool:
    """Whether what is shown is what was printed, with its `...` and `…`."""
    parts = [r"(?:.*\n)*?" if line == "..." else f"{_line(line)}\n" for line in shown]
    return bool(re.fullmatch("".join(parts), "".join(f"{line.rstrip()}\n" for line in printed)))


def _line(shown: str) -> str:
    return ".*?".join(map(re.escape, shown.rstrip().split("…")))
