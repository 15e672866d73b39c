"""Passkeys on the pages: registered by whom somebody invited, and by nobody else; signing in without a name."""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.passkey import Passkey
from tests.unit.ui.html.parsed import served
from tests.web.pages import Site, csrf
from webauthn.helpers import encode_cbor

from memrunbook.documents.roles import Roles
from memrunbook.documents.serving import Serving
from memrunbook.state.invites import LASTS, invite, invited
from memrunbook.state.known_passkeys import known_passkeys, remove_passkey
from memrunbook.state.sign_ins import SignIn, read_sign_ins
from memrunbook.web.passkey_answers import handle_of
from memrunbook.web.sessions import TRIES

HERE = "http://localhost:8642"
SERVING = Serving(roles=Roles({"ada": "approver", "grace": "operator"}))
KNOWN, HELD = 0x05, 0x45


def packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "state", serving=SERVING)


def challenge_of(page: str) -> bytes:
    [found] = re.findall(r'data-challenge="([\w-]+)"', page)
    return base64.urlsafe_b64decode(found + "=" * (-len(found) % 4))


def made(passkey: Passkey, challenge: bytes, credential: bytes = b"credential-1", algorithm: int = -7) -> str:
    """What a browser answers that made a passkey."""
    point = passkey.secret.public_key().public_numbers()
    x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
    key = encode_cbor({1: 2, 3: algorithm, -1: 1, -2: x, -3: y})
    signer = replace(passkey, flags=passkey.flags | 0x40)
    signed = signer.answers(challenge, "webauthn.create")
    passkey.counter = signer.counter
    data = signed.authenticator_data + bytes(16) + len(credential).to_bytes(2, "big") + credential + key
    attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
    response = {"clientDataJSON": packed(signed.client_data), "attestationObject": packed(attestation)}
    return json.dumps(
        {"id": packed(credential), "rawId": packed(credential), "type": "public-key", "response": response}
    )


def known(passkey: Passkey, challenge: bytes, credential: bytes = b"credential-1", person: str = "ada") -> str:
    """What a browser answers that has a passkey."""
    signed = passkey.answers(challenge)
    response = {
        "clientDataJSON": packed(signed.client_data),
        "authenticatorData": packed(signed.authenticator_data),
        "signature": packed(signed.signature),
        "userHandle": packed(handle_of(person)),
    }
    return json.dumps(
        {"id": packed(credential), "rawId": packed(credential), "type": "public-key", "response": response}
    )


def registered(site: Site, passkey: Passkey, person: str = "ada", **options: Any) -> tuple[TestClient, Any]:
    token = invite(site.state, person, time.time())
    client = site.client(HERE)
    page = client.get(f"/register?invite={token}")
    assert page.status_code == 200, page.text
    answer = made(passkey, challenge_of(page.text), **options)
    return client, client.post("/register", data={"invite": token, "answer": answer})


def sign_in(site: Site, passkey: Passkey, base: str = HERE, **options: Any) -> tuple[TestClient, Any]:
    client = site.client(base)
    challenge = challenge_of(client.get("/sign-in?next=/runs").text)
    return client, client.post(
        "/sign-in/passkey", data={"answer": known(passkey, challenge, **options), "next": "/runs"}
    )


def last(site: Site) -> SignIn:
    return read_sign_ins(site.state)[-1]


def test_who_is_invited_registers_once_and_signs_in_without_a_name(site: Site) -> None:
    passkey = Passkey()
    _, done = registered(site, passkey)
    assert done.status_code == 200
    [kept] = known_passkeys(site.state)
    assert (kept.person, kept.relying_party, kept.signing_key) == ("ada", "localhost", passkey.key)
    assert passkey.line("ada").strip() in done.text
    assert "count for nobody" in done.text
    assert (last(site).event, last(site).person) == ("registered", "ada")
    client, entered = sign_in(site, passkey)
    assert (entered.status_code, entered.headers["location"]) == (303, "/runs")
    assert "HttpOnly" in entered.headers["set-cookie"]
    page = client.get("/me").text
    assert "ada, approver" in page
    assert "approve and decline plans that wait" in page
    assert (last(site).event, last(site).how, last(site).person, last(site).role) == (
        "in",
        "passkey",
        "ada",
        "approver",
    )


def test_an_invitation_is_used_up_by_registering_and_not_by_looking(site: Site) -> None:
    token = invite(site.state, "ada", time.time())
    client = site.client(HERE)
    pages = [client.get(f"/register?invite={token}").text for _ in range(3)]
    answer = made(Passkey(), challenge_of(pages[0]))
    assert client.post("/register", data={"invite": token, "answer": answer}).status_code == 200
    again = made(Passkey(), challenge_of(pages[1]), b"credential-2")
    refused = client.post("/register", data={"invite": token, "answer": again})
    assert refused.status_code == 403
    assert "used already" in refused.text
    assert client.get(f"/register?invite={token}").status_code == 403
    assert len(known_passkeys(site.state)) == 1


def test_an_invitation_ends_by_itself_and_opens_nothing_by_its_file(site: Site) -> None:
    token = invite(site.state, "ada", 1000.0)
    assert invited(site.state, token, 1000.0 + LASTS - 1) == "ada"
    assert invited(site.state, token, 1000.0 + LASTS) == ""
    [file] = (site.state / "passkey-invites").iterdir()
    assert token not in file.name + file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert invited(site.state, file.stem, 1000.0) == ""
    invite(site.state, "grace", 1000.0 + LASTS)
    assert not file.exists(), "what nobody used is removed by the next"


@pytest.mark.parametrize(
    ("passkey", "options", "said"),
    [
        (Passkey(flags=0x01), {}, "did not ask whose hand"),
        (Passkey(origin="https://evil.example"), {}, "another address"),
        (Passkey(relying_party="evil.example"), {}, "another host"),
        (Passkey(), {"algorithm": -35}, "ES256"),
    ],
    ids=["nobody verified", "origin", "relying party", "algorithm"],
)
def test_what_is_no_passkey_for_here_is_not_registered(
    site: Site, passkey: Passkey, options: dict[str, Any], said: str
) -> None:
    _, answer = registered(site, passkey, **options)
    assert answer.status_code == 403
    assert said in answer.text
    assert list(known_passkeys(site.state)) == []
    assert last(site).event == "refused"


@pytest.mark.parametrize(
    "answer", ["", "{}", "[]", "null", "{" * 5000, '{"id":1,"response":{"clientDataJSON":"e30"}}', "x" * 13000]
)
def test_garbage_is_refused_at_both_places(site: Site, answer: str) -> None:
    token = invite(site.state, "ada", time.time())
    client = site.client(HERE)
    for place, fields in (("/register", {"invite": token}), ("/sign-in/passkey", {})):
        told = client.post(place, data={**fields, "answer": answer})
        assert told.status_code == 403, told.text
        assert "passkey" in told.text
    assert site.defects == []


def test_a_challenge_is_for_one_answer_of_its_kind_in_time(site: Site) -> None:
    passkey = Passkey()
    registered(site, passkey)
    client = site.client(HERE)
    challenge = challenge_of(client.get("/sign-in").text)
    assert client.post("/sign-in/passkey", data={"answer": known(passkey, challenge)}).status_code == 303
    replayed = site.client(HERE).post("/sign-in/passkey", data={"answer": known(passkey, challenge)})
    assert (replayed.status_code, "second time" in replayed.text) == (403, True)
    late = challenge_of(site.client(HERE).get("/sign-in").text)
    site.now += 300
    assert "too late" in site.client(HERE).post("/sign-in/passkey", data={"answer": known(passkey, late)}).text
    token = invite(site.state, "ada", time.time())
    other = challenge_of(site.client(HERE).get(f"/register?invite={token}").text)
    wrong = site.client(HERE).post("/sign-in/passkey", data={"answer": known(passkey, other)})
    assert wrong.status_code == 403, "a challenge to register signs nobody in"
    own = site.client(HERE).post("/sign-in/passkey", data={"answer": known(passkey, b"chosen by somebody else")})
    assert own.status_code == 403


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"flags": 0x01}, "did not ask whose hand"),
        ({"origin": "https://evil.example"}, "another address"),
        ({"relying_party": "evil.example"}, "another host"),
        ({"secret": Passkey().secret}, "signature does not match"),
        ({"counter": 0}, "counter went back"),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else "",
)
def test_who_answers_otherwise_is_not_signed_in_and_it_is_written_down(
    site: Site, change: dict[str, Any], said: str
) -> None:
    passkey = Passkey(counter=4)
    registered(site, passkey)
    assert sign_in(site, passkey)[1].status_code == 303
    client, answer = sign_in(site, replace(passkey, **change))
    assert answer.status_code == 403
    assert said in answer.text
    assert client.get("/me").status_code == 303
    assert (last(site).event, last(site).person, said in last(site).why) == ("refused", "ada", True)


def test_a_passkey_without_a_counter_signs_in_again_and_again(site: Site) -> None:
    passkey = Passkey()
    registered(site, replace(passkey, counter=-1))
    for _ in range(3):
        assert sign_in(site, replace(passkey, counter=-1))[1].status_code == 303


def test_another_persons_passkey_and_an_unknown_one_sign_nobody_in(site: Site) -> None:
    passkey = Passkey()
    registered(site, passkey)
    assert "somebody else" in sign_in(site, passkey, person="grace")[1].text
    assert "nobody here knows" in sign_in(site, Passkey(), credential=b"another")[1].text


def test_without_a_role_a_passkey_opens_nothing(site: Site) -> None:
    passkey = Passkey()
    registered(site, passkey, "mallory")
    _, answer = sign_in(site, passkey, person="mallory")
    assert answer.status_code == 403
    assert "no role" in answer.text


def test_a_form_of_another_site_signs_nobody_in_nor_registers_anything(site: Site) -> None:
    passkey = Passkey()
    registered(site, passkey)
    client = site.client(HERE)
    challenge = challenge_of(client.get("/sign-in").text)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    answer = client.post("/sign-in/passkey", data={"answer": known(passkey, challenge)}, headers=elsewhere)
    assert answer.status_code == 403
    token = invite(site.state, "grace", time.time())
    new = made(Passkey(), challenge_of(client.get(f"/register?invite={token}").text), b"credential-2")
    refused = client.post("/register", data={"invite": token, "answer": new}, headers=elsewhere)
    assert refused.status_code == 403
    assert len(known_passkeys(site.state)) == 1


def test_too_many_tries_are_not_looked_at(site: Site) -> None:
    client = site.client(HERE)
    tried = [client.post("/sign-in/passkey", data={"answer": "x"}).status_code for _ in range(TRIES + 2)]
    assert tried[-2:] == [429, 429]


def test_who_tries_wrong_passkeys_keeps_out_nobody_who_has_a_right_one(site: Site) -> None:
    passkey, client = Passkey(), site.client(HERE)
    for place in ("/sign-in/passkey", "/register"):
        assert [client.post(place, data={"answer": "x"}).status_code for _ in range(TRIES + 1)][-1] == 429
    assert registered(site, passkey)[1].status_code == 200
    assert sign_in(site, passkey)[1].status_code == 303


def test_when_a_passkey_is_removed_its_sessions_end(site: Site) -> None:
    passkey = Passkey()
    registered(site, passkey)
    client, _ = sign_in(site, passkey)
    assert client.get("/me").status_code == 200
    [kept] = known_passkeys(site.state)
    remove_passkey(site.state, kept.credential, kept.at)
    assert client.get("/me").status_code == 303


def test_signing_out_everywhere_ends_all_sessions_of_that_person_alone(site: Site) -> None:
    passkey = Passkey()
    registered(site, passkey)
    one, other = sign_in(site, passkey)[0], sign_in(site, passkey)[0]
    grace, _ = site.as_person("operator", "grace")
    page = one.get("/me").text
    proof = csrf(page[: page.index("</header>")])
    assert one.post("/sign-out", data={"csrf": "x", "everywhere": "yes"}).status_code == 403
    assert other.get("/me").status_code == 200
    said = one.post("/sign-out", data={"csrf": proof, "everywhere": "yes"})
    assert "signed out everywhere" in said.text
    assert [client.get("/me").status_code for client in (one, other, grace)] == [303, 303, 200]
    assert [each.event for each in read_sign_ins(site.state)][-2:] == ["out", "out"]


def test_who_came_by_the_provider_registers_their_own_and_who_came_by_a_link_or_a_passkey_does_not(site: Site) -> None:
    token, session = site.sessions.begin("approver", "oidc", "ada")
    client = site.client(HERE)
    client.cookies.set(site.desk.cookie, token, domain="localhost.local")
    page = client.get("/me").text
    passkey = Passkey()
    fields = {"csrf": session.csrf, "answer": made(passkey, challenge_of(page))}
    assert client.post("/register", data={**fields, "csrf": "x"}).status_code == 403
    assert client.post("/register", data=fields).status_code == 200
    assert [one.person for one in known_passkeys(site.state)] == ["ada"]
    for how, person in (("link", ""), ("passkey", "ada")):
        other, with_it = site.as_person("viewer", person, how)
        assert "data-ceremony" not in other.get("/me").text
        answer = other.post("/register", data={"csrf": with_it.csrf, "answer": "x"})
        assert answer.status_code == 403


def test_by_a_number_no_passkey_is_offered_and_the_page_says_where(site: Site) -> None:
    registered(site, Passkey())
    page = site.client("http://127.0.0.1:8642").get("/sign-in").text
    assert "data-ceremony" not in page
    assert 'href="http://localhost:8642/"' in page
    token = invite(site.state, "ada", time.time())
    assert "http://localhost:8642" in site.client("http://127.0.0.1:8642").get(f"/register?invite={token}").text


def test_each_of_these_pages_is_valid_and_made_of_what_pages_of_ours_are_made_of(site: Site) -> None:
    token = invite(site.state, "ada", time.time())
    client = site.client(HERE)
    pages = [client.get(f"/register?invite={token}"), client.get("/register?invite=none"), client.get("/sign-in")]
    pages.append(registered(site, Passkey())[1])
    person, _ = site.as_person("approver", "ada", "oidc")
    pages += [client.get("/sign-in"), person.get("/me"), sign_in(site, Passkey())[1]]
    for page in pages:
        served(page.text)
        assert "style=" not in page.text
        assert "<script>" not in page.text
