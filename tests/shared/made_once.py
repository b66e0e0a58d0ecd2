"""Values that a test module needs in many tests, made when the first of these asks for them.

A module that made them at its import would make them in every process that collects the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class MadeOnce(Mapping[Key, Value], Generic[Key, Value]):
    """A mapping whose keys are known and whose values are made at their first use.

    Parameters
    ----------
    keys : iterable
    make : callable
        Makes the value of a key.
    """

    def __init__(self, keys: Iterable[Key], make: Callable[[Key], Value]) -> None:
        self._keys = tuple(keys)
        self._make = make
        self._made: dict[Key, Value] = {}

    def __getitem__(self, key: Key) -> Value:
        """Return the value of a key; KeyError for another key."""
        if key not in self._keys:
            raise KeyError(key)
        if key not in self._made:
            self._made[key] = self._make(key)
        return self._made[key]

    def __iter__(self) -> Iterator[Key]:
        """Go through the keys; nothing is made."""
        return iter(self._keys)

    def __len__(self) -> int:
        """Count the keys."""
        return len(self._keys)
