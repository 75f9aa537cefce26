"""References between documents and groups of keys that mean one thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def key_of(reference: Mapping[str, Any] | None, own_source: str) -> str | None:
    """Return `source|id` of a reference; a reference without source is of the document's own."""
    if reference is None:
        return None
    return f"{reference['source'] or own_source}|{reference['id']}"


def cross_references(documents: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the pairs of keys that undeleted documents declare to be the same, smallest first."""
    pairs = set()
    for key, body in documents.items():
        for reference in body["same_as"]:
            other = key_of(reference, body["source"])
            if other is not None and other != key:
                pairs.add((min(key, other), max(key, other)))
    return sorted(pairs)


class Groups:
    """Keys in groups; a key that was never united stands alone."""

    def __init__(self) -> None:
        self._members: dict[str, set[str]] = {}

    def members(self, key: str) -> set[str]:
        """Return the whole group of a key."""
        return self._members.setdefault(key, {key})

    def smallest(self, key: str) -> str:
        """Return the smallest member, by code point, of the key's group."""
        return min(self.members(key))

    def unite(self, one: str, other: str) -> None:
        """Make one group of the groups of two keys."""
        smaller, larger = sorted((self.members(one), self.members(other)), key=len)
        if smaller is larger:
            return
        larger |= smaller
        for member in smaller:
            self._members[member] = larger
