"""About how much of a source is still to be read, for those who wait for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from glob import iglob
from pathlib import Path
from typing import Any

from hub.source_settings import FilesSource, Source


def bytes_ahead(source: Source, states: Mapping[str, Mapping[str, Any]]) -> int | None:
    """The bytes of a source's files behind its cursors; None where nobody knows.

    It is an estimate: files that no stream reads count too, and packed ones as they are packed.

    Args:
        source: of the configuration.
        states: of its cursors.
    """
    if not isinstance(source, FilesSource):
        return None
    there = 0
    for file in _files(Path(source.path)):
        try:
            there += file.stat().st_size
        except OSError:
            continue
    read = sum(int(state.get("offset") or 0) for state in states.values())
    return max(0, there - read)


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file())
    else:
        yield from (Path(found) for found in iglob(str(path)) if Path(found).is_file())
