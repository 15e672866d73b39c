"""A run keeps its plan and the signatures of those who approved it: they are verified anywhere, without a server."""

from __future__ import annotations

import base64
import json
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.cli.agents import line, person
from tests.cli.books import act, book
from tests.cli.console import Ran, here
from tests.cli.test_approve import NEVER, Office
from tests.passkey import Passkey
from tests.sshd import Sshd

from memrunbook.state import chain, heads, ledger, signatures
from memrunbook.state.approvals import SignedApproval, add_approval
from memrunbook.state.chain import Link
from memrunbook.state.kept_approvals import proof_of
from memrunbook.state.ledger import LedgerEntry
from memrunbook.state.passkeys import signed_by_passkey
from memrunbook.state.run_directory import APPLIED_PLAN
from memrunbook.state.signatures import BEGIN, END, FaultySignatureError, to_sign

pytestmark = pytest.mark.usefixtures("machine")
GIVEN = "2026-11-22T09:41:07Z"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    (tmp_path / "config").mkdir()
    named = book(tmp_path, act("one", "touch", str(tmp_path / "done"), risk="medium"), resolved=NEVER)
    found = Office(tmp_path, tmp_path / "config", named, {"ada": person(tmp_path, "ada")})
    found.asks("  - {risk: medium, people: 2}\n")
    return found


@pytest.fixture
def passkey(office: Office) -> Passkey:
    found = Passkey()
    (office.config / "allowed_signers").write_text(line("ada", office.keys["ada"]) + found.line("pat"))
    return found


@pytest.fixture
def run(office: Office, passkey: Passkey, sshd: Sshd, state: Path) -> Path:
    """The directory of a run of a plan that ada approved with an SSH key, and pat with a passkey."""
    office.planned(host=tuple(sshd.arguments))
    office.signed("ada")
    approved_by_passkey(office, passkey)
    ran = office.applied(*sshd.arguments[1:])
    assert ran.code == 3, ran.said
    assert office.done.exists()
    [found] = (state / "runs").iterdir()
    return found


def approved_by_passkey(office: Office, passkey: Passkey) -> None:
    signature = signed_by_passkey(passkey.key, passkey.answers(to_sign(office.plan.read_bytes())))
    fingerprint = passkey.key.fingerprint
    add_approval(office.plan, SignedApproval(principal="pat", key=fingerprint, time=GIVEN, signature=signature))


def verified(state: Path, *words: str) -> Ran:
    return here("audit", "verify", "--state-dir", str(state), *words)


def told(ran: Ran) -> str:
    return " ".join(ran.said.split())


def document(state: Path, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(verified(state, "--json", *words).out)
    return found


def errors(state: Path, *words: str) -> list[str]:
    return [one["message"] for one in document(state, *words)["findings"] if one["level"] == "error"]


def resealed(state: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """As whoever has the key of the state directory can: one record changed, every chain and the ledger sealed anew."""
    entries, renamed, hashes = ledger.read(state), dict[str, str](), dict[str, list[str]]()
    [folder] = (state / "runs").iterdir()
    for path in sorted(folder.glob("*.jsonl"), key=lambda one: one.name != "run.jsonl"):
        link, lines, known = Link(), [], [Link().head]
        for number, text in enumerate(path.read_bytes().splitlines()):
            record = json.loads(text)
            old = record.pop("hash")
            del record["seq"], record["prev"]
            if path.name == "run.jsonl" and number == 0:
                change(record)
            if "invocation" in record:
                record["invocation"] = renamed[record["invocation"]]
            sealed, link = chain.seal(link, record)
            renamed[old] = link.head
            known.append(link.head)
            lines.append(sealed)
        path.write_bytes(b"".join(lines))
        hashes[path.name] = known
    for file in (ledger.ledger_file(state), heads.seen_file(state)):
        file.unlink()
    for one in entries:
        anew = LedgerEntry(one.run, one.file, one.event, hashes[one.file][one.count], one.count)
        ledger.append(state, [anew], one.at)


def test_an_auditor_needs_no_private_key(office: Office, run: Path, state: Path, tmp_path: Path) -> None:
    copy, signers = tmp_path / "copy", str(office.config / "allowed_signers")
    shutil.copytree(state, copy, ignore=shutil.ignore_patterns("*.key", "*.sqlite*"))
    ran = verified(copy, "--allowed-signers", signers)
    assert ran.code == 0, ran.said
    assert "it is the key of pat" in told(ran)
    assert "hint" not in told(ran)
    (copy / "runs" / run.name / APPLIED_PLAN).unlink()
    ran = verified(copy, "--allowed-signers", signers)
    assert ran.code == 6
    assert "whose keys they are is said with" not in told(ran)


def flips(armoured: str) -> Iterator[str]:
    """The signature with one bit flipped, for each of its bits."""
    bare = base64.b64decode("".join(armoured.removeprefix(BEGIN).strip().removesuffix(END).split()))
    for place in range(len(bare)):
        for bit in range(8):
            other = bytes([*bare[:place], bare[place] ^ 1 << bit, *bare[place + 1 :]])
            yield f"{BEGIN}\n{base64.b64encode(other).decode()}\n{END}\n"


def test_the_signatures_of_a_run_are_verified_without_its_control_node(
    run: Path, office: Office, passkey: Passkey, state: Path, tmp_path: Path
) -> None:
    kept = run / APPLIED_PLAN
    assert kept.read_bytes() == office.plan.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == stat.S_IMODE((run / "run.jsonl").stat().st_mode) == 0o600
    nobody = verified(state)
    assert nobody.code == 0, nobody.said
    assert "approved by ada (SHA256:" in told(nobody)
    by_passkey = f"approved by pat ({passkey.key.fingerprint}, passkey), the signature holds"
    assert f"{by_passkey}; nobody here vouches for whose key it is" in told(nobody)
    vouched = verified(state, "--allowed-signers", str(office.config / "allowed_signers"))
    assert vouched.code == 0, vouched.said
    assert f"{by_passkey}; it is the key of pat" in told(vouched)
    for page in (here("report", "last"), here("audit", "show", "last")):
        assert f"pat ({passkey.key.fingerprint}, passkey)" in told(page)
        assert ", SSH key)" in told(page)
    [listed] = json.loads(here("runs", "--json").out)["runs"]
    assert [one["kind"] for one in listed["invoked"]["applied"]["signatures"]] == ["SSH key", "passkey"]

    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(run, elsewhere / "runs" / run.name)
    office.plan.unlink()
    alone = document(elsewhere, "--allowed-signers", str(office.config / "allowed_signers"))
    assert [(one["principal"], one["kind"], one["holds"], one["vouched"]) for one in alone["approvals"]] == [
        ("ada", "SSH key", True, True),
        ("pat", "passkey", True, True),
    ]
    assert {one["message"] for one in alone["findings"]} == {
        "the ledger does not know this journal",
        "the run was interrupted: it has no end, and nobody vouches for what its journals say",
    }


def test_whoever_seals_anew_cannot_change_a_signature_nor_who_gave_it(run: Path, state: Path) -> None:
    def nothing(_record: dict[str, Any]) -> None:
        pass

    def another_bit(record: dict[str, Any]) -> None:
        one = record["applied"]["signatures"][1]
        one["signature"] = list(flips(one["signature"]))[-1]

    def another_key(record: dict[str, Any]) -> None:
        record["applied"]["signatures"][1]["key"] = "SHA256:other"

    def another_word(record: dict[str, Any]) -> None:
        record["applied"]["approvals"][0] = "eve (SHA256:other, SSH key)"

    def another_person(record: dict[str, Any]) -> None:
        record["applied"]["signatures"].pop()

    def none_at_all(record: dict[str, Any]) -> None:
        del record["applied"]["signatures"]

    said = {
        nothing: "",
        another_bit: "the approval by pat does not hold",
        another_key: "is signed by another key",
        another_word: "it says that eve",
        another_person: "keeps the signature of ada",
        none_at_all: "were taken out",
    }
    for change, words in said.items():
        copy = state.with_name(change.__name__)
        shutil.copytree(state, copy)
        resealed(copy, change)
        found = errors(copy)
        assert bool(found) == bool(words), (change, found)
        assert any(words in one for one in found or [""]), found
        assert verified(copy).code == (6 if words else 0)
    journal = run / "run.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"BEGIN SSH SIGNATURE", b"BEGIN SSH SIGNATURF", 1))
    assert verified(state).code == 6


def test_no_bit_of_a_signature_can_be_flipped(run: Path) -> None:
    first = json.loads((run / "run.jsonl").read_bytes().splitlines()[0])
    plan = (run / APPLIED_PLAN).read_bytes()
    for one in first["applied"]["signatures"]:
        whole = one["signature"]
        assert signatures.verified(whole, plan).fingerprint == one["key"]
        for number, flipped in enumerate(flips(whole)):
            with suppress(FaultySignatureError):
                signatures.verified(flipped, plan)
                raise AssertionError(f"bit {number} of the {one['kind']}")
        one["signature"] = flipped
        assert proof_of(run, json.dumps(first, separators=(",", ":")).encode()).findings
        one["signature"] = whole
    assert proof_of(run, json.dumps(first, separators=(",", ":")).encode()).findings == ()


def test_the_plan_must_be_the_one_that_was_carried_out(run: Path, state: Path) -> None:
    plan = run / APPLIED_PLAN
    content = plan.read_bytes()
    plan.write_bytes(content + b"\n")
    assert errors(state) == ["this is not the plan that was carried out: its SHA-256 is not that of the journal"]
    assert verified(state).code == 6
    assert here("report", "last").code == 6
    plan.unlink()
    assert errors(state) == ["the plan that was carried out is missing: its approvals are signatures of it"]
    assert [one["holds"] for one in document(state)["approvals"]] == [False, False]
    plan.mkdir()
    assert verified(state).code == 6
    plan.rmdir()
    plan.write_bytes(content)
    assert verified(state).code == 0


def test_the_list_says_whose_keys_they_were(
    run: Path, office: Office, passkey: Passkey, state: Path, tmp_path: Path
) -> None:
    del run
    allowed, revoked = tmp_path / "allowed", tmp_path / "revoked"
    words = ["--allowed-signers", str(allowed)]
    verified(state, *words).refused(2, "the file cannot be read", hint="mend or move it")
    verified(state, "--revoked-keys", str(allowed)).refused(2, "a list of revoked keys alone", hint="--allowed-signers")
    ada, pat = line("ada", office.keys["ada"]), passkey.line("pat")
    allowed.write_text(ada + pat)
    assert verified(state, *words).code == 0
    revoked.write_text(" ".join(pat.split()[1:]) + "\n")
    since = verified(state, *words, "--revoked-keys", str(revoked))
    assert since.code == 0, since.said
    assert "it is the key of pat" in told(since)
    assert "since then: the key is revoked by now" in told(since)
    kind = passkey.key.kind
    allowed.write_text(ada + pat.replace(f" {kind}", f' valid-before="20261123Z" {kind}'))
    since = verified(state, *words)
    assert since.code == 0, since.said
    assert "since then: the key has expired" in told(since)
    allowed.write_text(ada + pat.replace(f" {kind}", f' valid-before="20261121Z" {kind}'))
    assert verified(state, *words).code == 6
    for other, why in ((ada, "is not in"), (ada + passkey.line("eve"), "the key is eve's")):
        allowed.write_text(other)
        [error] = errors(state, *words)
        assert "approved by pat" in error
        assert f"it is not known as the key of pat: the key {why}" in error or why in error
        assert verified(state, *words).code == 6


def test_what_did_not_count_is_kept_apart_and_is_no_fault(
    office: Office, passkey: Passkey, sshd: Sshd, state: Path
) -> None:
    office.planned(host=tuple(sshd.arguments))
    office.signed("ada", principal="ada")
    office.plan.write_bytes(office.plan.read_bytes() + b"\n")
    approved_by_passkey(office, passkey)
    ran = office.applied(*sshd.arguments[1:])
    ran.refused(5, "the approval by ada is not for this file")
    found = document(state)
    assert [(one["principal"], one["judged"], one["holds"]) for one in found["approvals"]] == [
        ("ada", "faulty", False),
        ("pat", "counted", True),
    ]
    assert found["intact"], found["findings"]


def test_a_journal_of_an_earlier_version_has_no_signatures(run: Path) -> None:
    first = json.loads((run / "run.jsonl").read_bytes().splitlines()[0])
    del first["applied"]["signatures"]
    (run / APPLIED_PLAN).unlink()
    [(level, _, why)] = proof_of(run, json.dumps(first, separators=(",", ":")).encode()).findings
    assert level == "note"
    assert "keeps no signature: an earlier version wrote it" in why
