"""The files within a zip: which there are, and why one is not read."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from connectors.files.damage import DamagedFile

#: Endings of files that hold other files.
_ARCHIVES = (
    *(".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar"),
    *(".xlsx", ".xlsm", ".ods"),
)
_MOST_MEMBERS = 10_000


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive; ``damage`` says why it cannot be read."""

    name: str
    damage: DamagedFile | None = None


def is_archive(name: str) -> bool:
    """Whether a file of this name holds other files."""
    return name.lower().endswith(_ARCHIVES)


def members_of(path: Path) -> tuple[Member, ...]:
    """The files in the zip at ``path`` by name; one without a name where it cannot be opened."""
    found = path.stat()
    return _members(path, found.st_ino, found.st_size, found.st_mtime_ns)


# A source that is followed lists its files each second.
@lru_cache(maxsize=1000)
def _members(path: Path, inode: int, size: int, modified: int) -> tuple[Member, ...]:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        reason = f"the archive cannot be opened ({error}): deliver it again as a whole"
        return (Member("", DamagedFile(reason, incomplete=True)),)
    if len(infos) > _MOST_MEMBERS:
        reason = f"the archive has more than {_MOST_MEMBERS:,} files: deliver it in parts"
        return (Member("", DamagedFile(reason, "too_large_inflated")),)
    return tuple(
        Member(name, _fault(name, info)) for info in infos for name in [_shown(info.filename)]
    )


def _shown(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()


def _fault(name: str, info: zipfile.ZipInfo) -> DamagedFile | None:
    if name.startswith(("/", "\\")) or ".." in PurePosixPath(name.replace("\\", "/")).parts:
        reason = "its name leads out of the archive: pack it with a name of its own"
        return DamagedFile(reason, "unsafe_name")
    if is_archive(name):
        reason = "an archive in an archive is not opened: deliver it by itself"
        return DamagedFile(reason, "nested_archive")
    if info.flag_bits & 0x1:
        return DamagedFile("it is encrypted: deliver it without a password", "encrypted")
    return None
