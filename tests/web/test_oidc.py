"""Signing in by a provider of OpenID Connect: by what it signed for this very browser, and by nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.testclient import TestClient
from tests.web.pages import Site
from tests.web.provider import CLIENT, SECRET, Claims, OidcProvider, by_public_key, running, unsigned

from memrunbook.documents.oidc import Oidc
from memrunbook.documents.roles import Roles
from memrunbook.documents.serving import Serving
from memrunbook.state.sign_ins import SignIn, read_sign_ins
from memrunbook.web import oidc_provider
from memrunbook.web.sessions import TRIES

HERE = "http://localhost:8642"


class _Stays(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def site_of(folder: Path, issuer: str, secret: str = SECRET) -> Site:
    oidc = Oidc(issuer, CLIENT)
    return Site(
        folder / "state", serving=Serving(roles=Roles({"ada@example.com": "operator"}), oidc=oidc), secret=secret
    )


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with running(OidcProvider()) as found:
        yield found


@pytest.fixture
def site(tmp_path: Path, provider: OidcProvider) -> Site:
    return site_of(tmp_path, provider.issuer)


def begun(site: Site, onward: str = "/runs") -> tuple[TestClient, str]:
    """A browser on its way, and where it was led."""
    client = site.client(HERE)
    answer = client.get(f"/sign-in/oidc?next={onward}")
    assert answer.status_code == 303, answer.text
    return client, answer.headers["location"]


def led_back(address: str) -> str:
    """The path at which the provider sends the browser back."""
    try:
        build_opener(_Stays).open(address, timeout=20)
    except OSError as error:
        back = urlsplit(error.headers["location"])  # type: ignore[attr-defined]
        return f"{back.path}?{back.query}"
    raise AssertionError(address)


def signed_in(site: Site, onward: str = "/runs") -> tuple[TestClient, Any]:
    client, address = begun(site, onward)
    return client, client.get(led_back(address))


def last(site: Site) -> SignIn:
    return read_sign_ins(site.state)[-1]


def test_whom_the_provider_names_is_signed_in_by_the_role_of_that_name(site: Site, provider: OidcProvider) -> None:
    client, address = begun(site)
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{HERE}/sign-in/oidc/callback"]
    assert asked["scope"] == ["openid email"]
    answer = client.get(led_back(address))
    assert answer.status_code == 200, answer.text
    assert answer.headers["refresh"] == "0;url=/runs"
    cookies = answer.headers.get_list("set-cookie")
    [session] = [one for one in cookies if one.startswith("runbook_session=")]
    assert "HttpOnly" in session
    assert "samesite=strict" in session.lower()
    assert "ada@example.com, operator" in client.get("/me").text
    assert (last(site).event, last(site).how, last(site).person) == ("in", "oidc", "ada@example.com")
    assert provider.asked == ["about", "token", "jwks"]


def test_the_page_to_sign_in_offers_it(site: Site, provider: OidcProvider) -> None:
    assert f"Sign in at 127.0.0.1:{provider.port}" in site.client(HERE).get("/sign-in").text


def change(**given: Any) -> Callable[[Claims], Claims]:
    return lambda claims: {name: value for name, value in {**claims, **given}.items() if value is not None}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (change(nonce="another"), "another question"),
        (change(nonce=None), "another question"),
        (change(aud="another-client"), "for somebody else"),
        (change(aud=[CLIENT, "another-client"]), "for several"),
        (change(aud=[CLIENT, "other"], azp="other"), "for somebody else"),
        (change(iss="https://evil.example"), "another provider"),
        (change(exp=int(time.time()) - 3600), "expired"),
        (change(exp=None), "expired"),
        (change(exp="never"), "expired"),
        (change(iat=int(time.time()) + 3600), "from the future"),
        (change(nbf=int(time.time()) + 3600), "not valid yet"),
        (change(email_verified=False), "not verified that email"),
        (change(email_verified=None), "not verified that email"),
        (change(email=None), "names nobody"),
        (change(email=["ada@example.com"]), "names nobody"),
        (change(email="ada@example.com\nx"), "names nobody"),
        (change(email="*"), "names nobody"),
        (change(email="mallory@example.com"), "no role"),
    ],
)
def test_a_token_that_does_not_hold_signs_nobody_in(
    site: Site, provider: OidcProvider, changed: Callable[[Claims], Claims], said: str
) -> None:
    provider.change = changed
    client, answer = signed_in(site)
    assert answer.status_code == 403
    assert said in answer.text
    assert client.get("/me").status_code == 303
    assert (last(site).event, last(site).how) == ("refused", "oidc")


def test_a_token_that_the_provider_did_not_sign_signs_nobody_in(site: Site, provider: OidcProvider) -> None:
    stranger = OidcProvider(port=provider.port)
    wrong: list[Callable[[Claims], str]] = [
        unsigned,
        lambda claims: by_public_key(provider, claims),
        lambda claims: provider.signed(claims, stranger.key, provider.key.as_dict()["kid"]),
        stranger.signed,
        lambda claims: provider.signed(claims)[:-8] + "AAAAAAAA",
        lambda _: "x.y.z",
        lambda _: "",
    ]
    for token in wrong:
        provider.token = token
        client, answer = signed_in(site)
        assert (answer.status_code, "not signed as it should be" in answer.text) == (403, True), answer.text
        assert client.get("/me").status_code == 303


def test_a_new_key_of_the_provider_is_asked_for(site: Site, provider: OidcProvider) -> None:
    assert signed_in(site)[1].status_code == 200
    provider.key = OidcProvider(port=provider.port).key
    assert signed_in(site)[1].status_code == 200


def test_keys_of_a_kind_that_is_unknown_here_are_passed_over(site: Site, provider: OidcProvider) -> None:
    ours = provider.key.as_dict(private=False)
    others = [{"kty": "AKP", "kid": "1", "alg": "ML-DSA-44"}, {"kty": "EC", "crv": "P-999", "kid": "2"}, 7]
    provider.answers["jwks"] = lambda: JSONResponse({"keys": [*others, ours]})
    assert signed_in(site)[1].status_code == 200


def test_only_the_browser_that_began_it_comes_back_and_once(site: Site) -> None:
    client, address = begun(site)
    back = led_back(address)
    assert site.client(HERE).get(back).status_code == 403, "a browser that began nothing: signed in as somebody else"
    other, _ = begun(site)
    assert other.get(back).status_code == 403, "one that began something else"
    cookie = client.cookies["runbook_before"]
    assert client.get(back).status_code == 200
    replay = site.client(HERE, cookies={"runbook_before": cookie}).get(back)
    assert (replay.status_code, "it is over" in replay.text) == (403, True)


def test_what_was_begun_ends_by_itself(site: Site) -> None:
    client, address = begun(site)
    back = led_back(address)
    site.now += 600
    assert client.get(back).status_code == 403


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x", "?error=access_denied&state=x", "?code=x&state=%00%ff"])
def test_garbage_at_the_way_back_is_refused(site: Site, query: str) -> None:
    client, _ = begun(site)
    assert client.get(f"/sign-in/oidc/callback{query}").status_code == 403
    assert site.defects == []


def test_what_the_provider_refuses_is_said_and_its_words_are_no_markup(site: Site) -> None:
    client, address = begun(site)
    state = parse_qs(urlsplit(address).query)["state"][0]
    answer = client.get(f"/sign-in/oidc/callback?state={state}&error=access_denied")
    assert "access_denied" in answer.text
    client, address = begun(site)
    state = parse_qs(urlsplit(address).query)["state"][0]
    answer = client.get(f"/sign-in/oidc/callback?state={state}&error=%3Cscript%3E")
    assert "script>" not in answer.text


@pytest.mark.parametrize(
    "onward", ["//evil.example/", "https://evil.example/", "/\\evil.example", "/sign-out", "javascript:1"]
)
def test_nobody_is_led_to_another_place(site: Site, onward: str) -> None:
    _, answer = signed_in(site, onward)
    assert answer.headers["refresh"] == "0;url=/"
    assert "evil" not in answer.text


def test_a_session_from_before_is_ended_and_none_is_taken_over(site: Site) -> None:
    client, address = begun(site)
    token, _ = site.sessions.begin("viewer", "link")
    client.cookies.set("runbook_session", token, domain="localhost.local")
    client.get(led_back(address))
    assert site.sessions.session(token) is None


def test_a_wrong_secret_of_the_client_is_said(tmp_path: Path, provider: OidcProvider) -> None:
    assert "invalid_client" in signed_in(site_of(tmp_path, provider.issuer, "wrong"))[1].text


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda: PlainTextResponse("<html>", 200), "none that is known"),
        (lambda: PlainTextResponse("{", 500), "answered 500"),
        (lambda: JSONResponse([]), "none that is known"),
        (lambda: JSONResponse({}), "calls itself otherwise"),
        (lambda: RedirectResponse("http://127.0.0.1:1/"), "leads elsewhere"),
        (lambda: PlainTextResponse("x" * (oidc_provider.LARGEST + 1)), "too long"),
    ],
)
def test_a_provider_that_answers_garbage_is_an_answer_of_ours(
    site: Site, provider: OidcProvider, answer: Callable[[], Any], said: str
) -> None:
    provider.answers["about"] = answer
    told = site.client(HERE).get("/sign-in/oidc")
    assert told.status_code == 502
    assert said in told.text
    assert site.defects == []
    provider.answers.clear()
    assert signed_in(site)[1].status_code == 200, "it is asked again"


@pytest.mark.parametrize("place", ["token", "jwks"])
def test_garbage_in_place_of_a_token_or_of_keys_too(site: Site, provider: OidcProvider, place: str) -> None:
    for content in (b"<html>", b"[]", b"{}", b'{"keys":[{}]}', b'{"keys":3,"id_token":7}', b"\xff\xfe", b""):
        provider.answers[place] = lambda: PlainTextResponse(content, 200, media_type="application/json")  # noqa: B023
        assert signed_in(site)[1].status_code == 403, content
    assert site.defects == []


def test_an_endpoint_without_tls_is_not_asked(site: Site, provider: OidcProvider) -> None:
    about = {"issuer": provider.issuer, "authorization_endpoint": f"{provider.issuer}/authorize"}
    about |= {"token_endpoint": "http://evil.example/token", "jwks_uri": f"{provider.issuer}/jwks"}
    provider.answers["about"] = lambda: JSONResponse(about)
    assert "not safe" in site.client(HERE).get("/sign-in/oidc").text


def test_a_provider_that_is_down_is_said_and_the_pages_go_on(tmp_path: Path) -> None:
    site = site_of(tmp_path, f"http://127.0.0.1:{OidcProvider().port}")
    answer = site.client(HERE).get("/sign-in/oidc")
    assert (answer.status_code, "cannot be reached" in answer.text) == (502, True)
    assert site.signed_in().get("/").status_code == 200


def test_a_provider_that_is_slow_is_not_waited_for(
    site: Site, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc_provider, "READ", 0.3)

    def slow() -> JSONResponse:
        time.sleep(1)
        return JSONResponse({})

    provider.answers["about"] = slow
    begin = time.monotonic()
    answer = site.client(HERE).get("/sign-in/oidc")
    assert (answer.status_code, "too slow" in answer.text) == (502, True)
    assert time.monotonic() - begin < 20


def test_what_anybody_may_ask_for_without_end_fills_no_disk(tmp_path: Path) -> None:
    site = site_of(tmp_path, "http://127.0.0.1:1")
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    client = site.client(HERE)
    asked = [client.get("/sign-in/oidc").status_code for _ in range(2 * TRIES)]
    posted = [client.post("/sign-in", data={"link": "x"}, headers=elsewhere).status_code for _ in range(2 * TRIES)]
    assert (asked, posted) == ([502] * TRIES + [429] * TRIES, [403] * TRIES + [429] * TRIES)
    assert len(read_sign_ins(site.state)) == 2 * TRIES
    assert site.signed_in().get("/").status_code == 200, "and keeps nobody out"
