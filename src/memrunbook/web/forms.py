"""Forms of ours, and whether a browser says that another site sent one."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.requests import Request

from memrunbook.core.text import clean

FIELDS = 8
LONGEST_REASON = 500


def from_here(request: Request) -> bool:
    """False where a browser says that another site sends this.

    With `Referrer-Policy: no-referrer` the origin of our own form is told as null: then Sec-Fetch-Site must tell.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2].lower() == request.headers.get("host", "").lower()


def reason_of(fields: Mapping[str, str]) -> str:
    """Why somebody does something, in a line that a terminal can show and a command be given."""
    return clean(fields.get("reason", ""), LONGEST_REASON)


async def form_of(request: Request, most: int = FIELDS) -> dict[str, str]:
    """The fields of a form, each once, at `most` so many; none of what is no form of ours."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return {}
    content = (await request.body()).decode("ascii", "replace")
    try:
        return {name: values[0] for name, values in parse_qs(content, max_num_fields=most).items()}
    except ValueError:
        return {}
