"""Lists of units, as systemctl of many versions prints them."""

from __future__ import annotations

import pytest

from memrunbook.linux.systemctl import failed_in


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("web.service loaded failed failed Web\n", ["web.service"]),
        ("● a.service loaded failed failed A\n* b@1.service loaded failed failed B\n", ["a.service", "b@1.service"]),
        ("\n  x.service not-found failed failed x.service\n\n", ["x.service"]),
        ("Failed to connect to bus: No such file or directory\n", None),
        ("web.service loaded failed failed Web\nand what nobody knows\n", None),
    ],
)
def test_who_has_failed(text: str, names: list[str] | None) -> None:
    assert failed_in(text) == names
