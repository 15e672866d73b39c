"""What was allowed beforehand, in the words of `--allow`, and which of it was used."""

from __future__ import annotations

from collections.abc import Collection, Iterator

FREEZE = "freeze:"
AGAIN = "again:"


class Consents(Collection[str]):
    """The words that were given; a question notes the one that covers it."""

    def __init__(self, words: Collection[str] = ()) -> None:
        self._words = tuple(dict.fromkeys(words))
        self._used: set[str] = set()

    def __contains__(self, word: object) -> bool:
        return word in self._words

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)

    def use(self, word: str) -> bool:
        """True where the word was given, which is used then."""
        if word in self._words:
            self._used.add(word)
        return word in self._words

    @property
    def unused(self) -> tuple[str, ...]:
        """The words that covered no question."""
        return tuple(word for word in self._words if word not in self._used)

    @property
    def used(self) -> tuple[str, ...]:
        """The words that covered one."""
        return tuple(word for word in self._words if word in self._used)
