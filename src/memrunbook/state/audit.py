"""Says whether the journals of a state directory are what was written, and where they are not."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast

from msgspec import Struct

from memrunbook.core.errors import JournalError
from memrunbook.core.run.record import Invoked, Resumed
from memrunbook.state import chain, disk, heads, keys, ledger
from memrunbook.state.chain import Broken, Link, Torn, Verified
from memrunbook.state.kept_approvals import ProvenApproval, proof_of
from memrunbook.state.ledger import SealedEntry
from memrunbook.state.lines import decoded
from memrunbook.state.ownership import is_shared, user_name
from memrunbook.state.run_directory import EVIDENCE, RUN, SavedFile
from memrunbook.state.runs import running

Level = Literal["error", "note"]
Known = Mapping[str, Mapping[str, list[SealedEntry]]]


class AuditFinding(Struct, frozen=True):
    """One thing found. An `error` means that something was changed; a `note` is what a crash leaves behind.

    `unended`: it is a run without an end, so nobody knows what it wrote last.
    """

    level: Level
    where: str
    message: str
    unended: bool = False


class VerifiedRun(Struct, frozen=True):
    """The journals of a run by their names, and how many records of each the ledger vouches for."""

    files: Mapping[str, bytes]
    sealed: Mapping[str, int]


class _Begun(Struct, frozen=True):
    hash: str
    invocation: str = ""


class Ledger(Struct, frozen=True):
    """The ledger as it was read: its bytes, its entries, those of each run's files, the heads that were seen before.

    `owners` are the uids of the members of a team by their keys; none where there is no team.
    """

    state: Path
    content: bytes
    entries: list[SealedEntry]
    known: Known
    seen: Sequence[Link] = ()
    owners: Mapping[str, int] = MappingProxyType({})
    doubt: tuple[AuditFinding, ...] = ()

    def of(self, run: str) -> Mapping[str, list[SealedEntry]]:
        """The entries of a run, by file."""
        return self.known.get(run, {})


def verify(state: Path, expect: str = "", approvals: list[ProvenApproval] | None = None) -> list[AuditFinding]:
    """Everything that is wrong in a state directory, the ledger first; no `error` means that nothing was found.

    `expect` is a head of the ledger that was kept elsewhere: it must still be in it. On this machine alone two things
    are not found: newest runs that were removed with all that tells of them, and a re-seal by whoever has the key.
    `approvals` gets those that the runs keep, in the order of the runs.
    """
    runs = _directories(state)
    book = _read(state)
    found = [*_ledger(book, every=True)]
    if expect and expect not in {entry.hash for entry in book.entries}:
        cut = f"the expected head {expect} is not in the ledger: its end was cut, or it was sealed again"
        found.append(AuditFinding("error", str(ledger.ledger_file(state)), cut))
    for run in sorted(book.known.keys() | runs):
        found += _run(book, run, approvals=approvals)
    return found


def verify_runs(state: Path, runs: Iterable[str]) -> list[AuditFinding]:
    """What is wrong with these runs: their journals and evidence, and the chain of the ledger that vouches for them."""
    book = _read(state)
    return [*_ledger(book, every=False), *(found for run in runs for found in _run(book, run))]


def read_verified(state: Path, run: str) -> tuple[list[AuditFinding], VerifiedRun]:
    """What is wrong with a run, and the very bytes of its journals that this was said of."""
    book, kept = _read(state), dict[str, bytes]()
    findings = [*_ledger(book, every=False), *_run(book, run, kept)]
    entries = [entry for known in book.of(run).values() for entry in known]
    return findings, VerifiedRun(kept, ledger.vouched(entries))


def removed(state: Path) -> list[str]:
    """The runs that the ledger knows and of which nothing is here any more."""
    there = _directories(state)
    return [run for run in dict.fromkeys(entry.run for entry in ledger.read(state)) if run not in there]


def verify_listed(state: Path) -> list[AuditFinding]:
    """What is wrong with what a list of runs shows: the ledger, each run's own journal, all of a run without an end."""
    runs = _directories(state)
    book = _read(state)
    found = [*_ledger(book, every=False)]
    for run in sorted(book.known.keys() | runs):
        path, known = state / "runs" / run, book.of(run)
        if not path.is_dir():
            found += _run(book, run)
        elif _has_ended(known):
            found += _journal(book, path / RUN, known[RUN], disk.contents(path / RUN), alive=False)
        else:
            found += _run(book, run)
    return found


def _directories(state: Path) -> set[str]:
    folder = state / "runs"
    with disk.explained(folder, "be read"):
        there = folder.iterdir() if folder.is_dir() else ()
        return {path.name for path in there if path.is_dir() and not path.name.startswith(".")}


def _read(state: Path) -> Ledger:
    """Reads the heads that were seen before the ledger that must hold them: a run may be writing meanwhile."""
    doubt: tuple[AuditFinding, ...] = ()
    try:
        seen = heads.seen(state)
    except JournalError as error:
        seen, doubt = [], (AuditFinding("error", error.where, error.message),)
    content = disk.contents(ledger.ledger_file(state))
    entries = list(decoded(content, SealedEntry))
    known: dict[str, dict[str, list[SealedEntry]]] = {}
    for entry in entries:
        known.setdefault(entry.run, {}).setdefault(entry.file, []).append(entry)
    return Ledger(state, content, entries, known, seen, keys.known(state).owners if is_shared(state) else {}, doubt)


def _ledger(book: Ledger, *, every: bool) -> Iterator[AuditFinding]:
    """What is wrong with the ledger; each seal with `every`, else the last, whose entry follows from all before it."""
    path = ledger.ledger_file(book.state)
    end, hashes = _walk(book.content)
    if isinstance(end, Broken):
        yield AuditFinding("error", f"{path}:{end.line}", end.why)
    else:
        yield from _lost(book, path, hashes)
    if isinstance(end, Torn):
        yield AuditFinding("note", f"{path}:{end.count + 1}", "the last entry was cut off while it was written")
    yield from book.doubt
    if book.entries:
        yield from _seals(book, book.entries if every else book.entries[-1:])


def _lost(book: Ledger, path: Path, hashes: list[str]) -> Iterator[AuditFinding]:
    """What the ledger no longer holds, by the heads that it had when it was last written (by each of a team)."""
    count, most = len(hashes) - 1, max((seen.count for seen in book.seen), default=0)
    if most > count:
        lost = f"{most - count} of the {most} entries that were written are missing at its end: it was cut"
        yield AuditFinding("error", str(path), lost)
        return
    for seen in book.seen:
        if hashes[seen.count] != seen.head:
            changed = "this is not the entry that was written: the ledger was sealed again"
            yield AuditFinding("error", f"{path}:{seen.count}", changed)
            return
    if not count and any(one(book.state).exists() for one in (keys.key_file, keys.public_file)):
        gone = "there is a key and no entry sealed by it: the ledger was removed, or the very first run was cut off"
        yield AuditFinding("error", str(path), gone)


def _seals(book: Ledger, checked: Iterable[SealedEntry]) -> Iterator[AuditFinding]:
    path = ledger.ledger_file(book.state)
    try:
        ours = keys.known(book.state)
    except JournalError as error:
        yield AuditFinding("error", error.where, error.message)
        return
    yield from (AuditFinding("error", str(file), why) for file, why in ours.faults.items())
    for entry in book.entries:
        if entry.key not in ours.owners:
            other = "the entry is sealed by another key than this state directory's"
            yield AuditFinding("error", f"{path}:{entry.seq}", other)
    for entry in checked:
        if entry.key in ours.owners and not entry.signed:
            yield AuditFinding("error", f"{path}:{entry.seq}", "the entry's seal is not that of the key")


def _has_ended(known: Mapping[str, list[SealedEntry]]) -> bool:
    return any(entry.event == "end" for entry in known.get(RUN, [])[-1:])


def _run(
    book: Ledger,
    run: str,
    kept: dict[str, bytes] | None = None,
    approvals: list[ProvenApproval] | None = None,
) -> Iterator[AuditFinding]:
    """What is wrong with one run; one that may not be read is not intact as far as anybody here can say.

    `kept` gets what was read of each of its journals, `approvals` those of its plan.
    """
    kept = {} if kept is None else kept
    try:
        yield from _readable_run(book, run, kept)
        proof = proof_of(book.state / "runs" / run, kept.get(RUN, b""))
        yield from (AuditFinding(level, where, why) for level, where, why in proof.findings)
        if approvals is not None:
            approvals += proof.approvals
    except JournalError as error:
        yield AuditFinding("error", error.where, error.message)


def _readable_run(book: Ledger, run: str, kept: dict[str, bytes]) -> Iterator[AuditFinding]:
    path, known = book.state / "runs" / run, book.of(run)
    if not path.is_dir():
        yield AuditFinding("error", str(path), "the run is in the ledger, its directory is missing")
        return
    ended = _has_ended(known)
    alive = not ended and running(path)
    with disk.explained(path, "be read"):
        names = {one.name for one in path.iterdir() if one.name.endswith(".jsonl")}
    for name in sorted(known.keys() | names):
        kept[name] = disk.contents(path / name)
        yield from _journal(book, path / name, known.get(name, []), kept[name], alive=alive)
    yield from _invocations(path, kept)
    yield from _evidence(path, kept.get(EVIDENCE, b""))
    yield from _by_others(book, path, kept.get(RUN, b""), known.get(RUN, []))
    if not alive and not ended:
        cut_off = f"the run was interrupted: it has no end{_unsealed(known, kept)}"
        yield AuditFinding("note", str(path), cut_off, unended=True)


def _invocations(path: Path, kept: Mapping[str, bytes]) -> Iterator[AuditFinding]:
    """Journals of hosts that were begun by another invocation than the one that the run's own journal tells of."""
    known = {line.hash for line in decoded(kept.get(RUN, b""), _Begun)}
    for name, content in kept.items():
        said = {line.invocation for line in decoded(content, _Begun, having=b'"invocation"')} - {""}
        if name != RUN and not said <= known:
            other = "it was begun by another invocation than the one in run.jsonl"
            yield AuditFinding("error", str(path / name), f"{other}: who asked, why or who approved was changed")


def _unsealed(known: Mapping[str, list[SealedEntry]], kept: Mapping[str, bytes]) -> str:
    """What of a run without an end nobody vouches for, in words behind that it has none."""
    sealed = ledger.vouched(entry for entries in known.values() for entry in entries)
    if not sealed:
        return ", and nobody vouches for what its journals say"
    more = {name: content.count(b"\n") - sealed.get(name, 0) for name, content in kept.items()}
    told = [f"{count} of {name}" for name, count in more.items() if count > 0]
    return f"; of its last records nobody vouches for {', '.join(told)}" if told else ""


def _by_others(book: Ledger, path: Path, content: bytes, known: Sequence[SealedEntry]) -> Iterator[AuditFinding]:
    """A run of a team that was begun or ended by somebody who, as it says, did not work on it.

    Whoever goes on with a run of another seals that before the run says so: that alone is no fault.
    """
    told = decoded(content, cast("type[Invoked | Resumed]", Invoked | Resumed)) if book.owners else ()
    actors = {one.actor.uid: one.actor.user for one in told}
    for number, entry in enumerate(known):
        owner = book.owners.get(entry.key)
        if actors and owner is not None and str(owner) not in actors and (number == 0 or entry.event == "end"):
            names = ", ".join(f"{name} (uid {uid})" for uid, name in actors.items())
            said = f"the run says that {names} made it, and its entry {entry.seq} is sealed by {user_name(owner)}"
            yield AuditFinding("error", str(path / RUN), f"{said}: it is not what it says")


def _journal(
    book: Ledger, path: Path, known: list[SealedEntry], content: bytes, *, alive: bool
) -> Iterator[AuditFinding]:
    if not content and not path.exists():
        yield AuditFinding("error", str(path), "the journal is in the ledger, the file is missing")
        return
    end, hashes = _walk(content)
    if isinstance(end, Broken):
        yield AuditFinding("error", f"{path}:{end.line}", end.why)
        return
    if not known and end.count and not _known_by_now(book.state, path):
        yield AuditFinding("error", str(path), "the ledger does not know this journal")
    for entry in known:
        if entry.count >= len(hashes):
            missing = f"{entry.count - len(hashes) + 1} of the {entry.count} records that the ledger knows are missing"
            yield AuditFinding("error", str(path), f"{missing} at its end")
            break
        elif hashes[entry.count] != entry.head:
            yield AuditFinding("error", f"{path}:{entry.count}", "this is not the record that the ledger knows")
            break  # what follows from it is other too
    if not alive:
        yield from _behind(path, end, known[-1:])


def _known_by_now(state: Path, path: Path) -> bool:
    """A journal may have been begun after the ledger was read."""
    return any((entry.run, entry.file) == (path.parent.name, path.name) for entry in ledger.read(state))


def _behind(path: Path, end: Verified | Torn, latest: list[SealedEntry]) -> Iterator[AuditFinding]:
    ended = [entry.count for entry in latest if entry.event == "end"]
    if isinstance(end, Torn) and not ended:
        yield AuditFinding("note", f"{path}:{end.count + 1}", "the last record was cut off while it was written")
    elif ended and (end.count > ended[0] or isinstance(end, Torn)):
        added = "something was added behind the end that the ledger knows"
        yield AuditFinding("error", f"{path}:{ended[0] + 1}", added)


def _evidence(path: Path, content: bytes) -> Iterator[AuditFinding]:
    for said in decoded(content, SavedFile):
        file = path / said.path
        there = file.exists()
        saved = disk.contents(file)
        if not there:
            yield AuditFinding("error", str(file), "the evidence is in the journal, the file is missing")
        elif hashlib.sha256(saved).hexdigest() != said.sha256:
            yield AuditFinding("error", str(file), "the evidence is not what was saved")


def _walk(content: bytes) -> tuple[Verified | Torn | Broken, list[str]]:
    """How a chain ends, and the hash of each of its records behind that of nothing."""
    end: Verified | Torn | Broken = Verified()
    hashes = [Link().head]
    for state in chain.walk(io.BytesIO(content)):
        end = state
        if isinstance(state, Verified):
            hashes.append(state.head)
    return end, hashes
