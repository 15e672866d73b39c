"""Programs show a token that stands in a file: it is compared in a time that says nothing of it."""

from __future__ import annotations

import secrets

from starlette.requests import Request


def bears(request: Request, token: str) -> bool:
    """True where a program shows this token; no token is shown by nobody."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and bool(token) and _same(given.strip(), token)


def _same(given: str, token: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "surrogatepass"), token.encode("utf-8"))
