"""`runbook passkey`: a link for whom config.yaml gives a role, a list that says what counts, and taking one away."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from tests.cli.console import here
from tests.passkey import Passkey

from memrunbook.state.invites import invited
from memrunbook.state.known_passkeys import KnownPasskey, add_passkey, known_passkeys
from memrunbook.state.paths import prepare
from memrunbook.state.sign_ins import read_sign_ins


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    config(tmp_path, "serve: {roles: {approver: [ada]}}")
    prepare(tmp_path / "state")
    return tmp_path / "state"


def config(folder: Path, text: str) -> None:
    (folder / "config" / "config.yaml").write_text(f"{text}\n")


def words(state: Path) -> tuple[str, ...]:
    return ("--state-dir", str(state), "--config-dir", str(state.parent / "config"))


def known(state: Path, passkey: Passkey, credential: str) -> KnownPasskey:
    one = KnownPasskey(
        person="ada", credential=credential, key=base64.b64encode(passkey.key.blob).decode(),
        relying_party="localhost", at="2026-11-30T03:00:00+00:00",
    )  # fmt: skip
    add_passkey(state, one)
    return one


def test_an_invitation_is_a_link_whose_token_is_kept_as_its_hash_alone(state: Path) -> None:
    ran = here("passkey", "invite", "ada", *words(state))
    assert ran.code == 0
    link = ran.out.split()[-1]
    assert link.startswith("http://localhost:8642/register?invite=")
    token = link.partition("invite=")[2]
    assert invited(state, token, 0.0) == "ada"
    assert all(token not in file.read_text() + file.name for file in (state / "passkey-invites").iterdir())
    [told] = read_sign_ins(state)
    assert (told.event, told.person) == ("invited", "ada")
    assert told.why.startswith("by ")


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("names: [runbook.example.com], trusted_proxies: [10.0.0.7]", "https://runbook.example.com"),
        ("names: [runbook.example.com]", "https://runbook.example.com:8642"),
    ],
)
def test_the_link_is_where_config_yaml_says_that_the_pages_are(state: Path, text: str, base: str) -> None:
    config(state.parent, f"serve: {{{text}, roles: {{viewer: ['*']}}}}")
    assert f" {base}/register?" in here("passkey", "invite", "bob", *words(state)).out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("mallory",), "config.yaml gives mallory no role"),
        (("a b",), "is no name of a person"),
        (("*",), "is no name of a person"),
        (("ada", "--url", "localhost"), "is no address of these pages"),
        (("ada", "--url", "http://localhost/x"), "is no address of these pages"),
    ],
)
def test_who_could_not_sign_in_is_not_invited(state: Path, given: tuple[str, ...], said: str) -> None:
    here("passkey", "invite", *given, *words(state)).refused(2, said)
    assert not (state / "passkey-invites").exists()


def test_the_list_says_whether_approvals_count_and_shows_the_line_to_write(state: Path) -> None:
    assert "No passkey is registered" in here("passkey", "list", *words(state)).out
    one = known(state, Passkey(), "AAAA")
    told = here("passkey", "list", *words(state)).out
    assert "approvals do not count: config.yaml names no allowed_signers" in told
    assert f"\n  {one.allowed}\n" in told
    folder = state.parent / "config"
    (folder / "signers").write_text("")
    config(state.parent, "allowed_signers: signers")
    assert "approvals do not count: the key" in here("passkey", "list", *words(state)).out
    (folder / "signers").write_text(f"{one.allowed}\n")
    assert "; approvals count\n" in here("passkey", "list", *words(state)).out


def test_one_is_removed_by_the_beginning_of_its_id_where_that_is_one(state: Path) -> None:
    known(state, Passkey(), "AAAA")
    known(state, Passkey(), "AABB")
    where = ("--state-dir", str(state))
    here("passkey", "remove", "AA", *where).refused(2, "several passkeys", hint="runbook passkey list")
    here("passkey", "remove", "x", *where).refused(2, "no passkey has this id")
    assert "Removed: AABB: ada at localhost" in here("passkey", "remove", "AAB", *where).out
    assert [one.credential for one in known_passkeys(state)] == ["AAAA"]
    assert read_sign_ins(state)[-1].event == "removed"
