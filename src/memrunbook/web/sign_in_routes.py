"""The addresses at which people sign in and out, and look at what is known of them."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import Route

from memrunbook.web.account import OwnPage
from memrunbook.web.entrance import SignInPages
from memrunbook.web.passkey_desk import PasskeyDesk
from memrunbook.web.signing import SignInDesk


def sign_in_routes(desk: SignInDesk) -> Sequence[Route]:
    """All of them."""
    entrance, passkeys = SignInPages(desk), PasskeyDesk(desk)
    routes = [
        Route("/sign-in", entrance.show, methods=["GET"]),
        Route("/sign-in", entrance.sign_in, methods=["POST"]),
        Route("/sign-in/passkey", passkeys.sign_in, methods=["POST"]),
        Route("/register", passkeys.invitation, methods=["GET"]),
        Route("/register", passkeys.register, methods=["POST"]),
        Route("/me", OwnPage(desk, passkeys).page, methods=["GET"]),
        Route("/sign-out", entrance.sign_out, methods=["POST"]),
    ]
    if desk.serving.oidc is not None:
        from memrunbook.web.oidc_desk import CALLBACK, OidcDesk
        from memrunbook.web.oidc_provider import Provider

        oidc = OidcDesk(desk, Provider(desk.serving.oidc, desk.secret))
        routes += [
            Route("/sign-in/oidc", oidc.begin, methods=["GET"]),
            Route(CALLBACK, oidc.back, methods=["GET"]),
        ]
    return routes
