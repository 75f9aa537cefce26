"""Notices when a released contract is not, to the letter, what was once released."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

_LIST = "digests.json"
_KEPT = "a released contract stays as it is: take it back from the version control"


def record_digest(released: Path, name: str, number: int) -> None:
    """Add a version that was just released to the list of the folder ``released``."""
    digests = _listed(released)
    place = f"{name}/{number}.avsc"
    digests[place] = _digest(released / name / f"{number}.avsc")
    text = json.dumps(digests, indent=2, sort_keys=True)
    (released / _LIST).write_text(f"{text}\n", encoding="utf-8")


def digest_problems(released: Traversable, topics: Collection[str]) -> list[str]:
    """Return what was changed by hand among the released contracts, in sentences.

    Args:
        released: the folder ``released`` with ``<topic>/<n>.avsc`` and the list of their digests.
        topics: the names in the catalogue.
    """
    listed, found = _listed(released), dict(_found(released))
    problems = []
    for place in sorted(listed.keys() | found.keys()):
        if place not in found:
            problems.append(f"{place} was released and is gone: {_KEPT}.")
        elif place not in listed:
            problems.append(f"{place} was put there by hand: `headrace schemas release` does it.")
        elif listed[place] != found[place]:
            problems.append(f"{place} was changed after its release: {_KEPT}.")
    gone = {place.partition("/")[0] for place in listed} - set(topics)
    problems += [f"{name} was released, and the catalogue lacks it." for name in sorted(gone)]
    return problems


def _listed(released: Traversable) -> dict[str, str]:
    """By ``<topic>/<n>.avsc`` the digests that were written at the releases."""
    file = released / _LIST
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def _found(released: Traversable) -> Iterator[tuple[str, str]]:
    """By ``<topic>/<n>.avsc`` the digests of what lies there now."""
    if not released.is_dir():
        return
    for topic in released.iterdir():
        if topic.is_dir():
            for file in topic.iterdir():
                yield f"{topic.name}/{file.name}", _digest(file)


def _digest(file: Traversable) -> str:
    # Git may end the lines of a checkout in another way.
    return hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
