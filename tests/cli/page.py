"""Follows a page of the documentation: runs its commands, makes its edits, and compares."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cli.shop import Shop

#: Stands for any lines.
ANYTHING = "…"
#: What differs from run to run.
_CHANGING = re.compile(r"\b\d+\.\d(?= s\b|$)", re.MULTILINE)

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>edit|append|new|in): (?P<file>\S+) -->\n)?"
    r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a page with the lines that it prints there."""

    words: tuple[str, ...]
    output: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines of a file that the reader exchanges, printed as a diff.

    Several places of one file stand apart by a line of ``ANYTHING``.
    """

    file: str
    text: str

    def made(self, folder: Path) -> None:
        """Make it in the reader's folder; each place must be there once."""
        path = folder / self.file
        found = f"\n{path.read_text(encoding='utf-8')}"
        for hunk in re.split(rf"^{ANYTHING}\n", self.text, flags=re.MULTILINE):
            lines = hunk.splitlines()
            assert all(line[0] in " -+" for line in lines), hunk
            old = "".join(f"\n{line[1:]}" for line in lines if line[0] != "+")
            new = "".join(f"\n{line[1:]}" for line in lines if line[0] != "-")
            assert f"{found}\n".count(f"{old}\n") == 1, f"{self.file} lacks this place:{old}"
            found = found.replace(old, new)
        path.write_text(found[1:], encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Addition:
    """What the reader writes at the end of a file, or into a new one."""

    file: str
    text: str
    new: bool

    def made(self, folder: Path) -> None:
        """Make it in the reader's folder."""
        path = folder / self.file
        assert path.exists() != self.new, path
        with path.open("a", encoding="utf-8") as file:
            file.write(self.text)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines that stand in a file when the reader comes to them."""

    file: str
    text: str

    def stands(self, folder: Path) -> bool:
        """Whether they do, as whole lines without a gap but for those of ``ANYTHING``."""
        found = f"\n{(folder / self.file).read_text(encoding='utf-8')}"
        parts = re.split(rf"^{ANYTHING}\n", self.text, flags=re.MULTILINE)
        pattern = "(?:.*\n)?".join(re.escape(part) for part in parts)
        return re.search(f"\n{pattern}", found, re.DOTALL) is not None


Step = Command | Edit | Addition | Excerpt


def steps_of(text: str) -> Iterator[Step]:
    """What a page lets its reader run, write and look at, in its order."""
    for found in _BLOCK.finditer(text):
        block, file = found["text"], found["file"]
        match found["mark"]:
            case "edit":
                yield Edit(file, block)
            case "append" | "new":
                yield Addition(file, block, new=found["mark"] == "new")
            case "in":
                yield Excerpt(file, block)
            case _ if found["kind"] == "console":
                for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                    command, _, output = part.partition("\n")
                    yield Command(tuple(shlex.split(command)), output)


def printed(shop: Shop, command: Command) -> str:
    """What a ``headrace`` command prints on both outputs, as the page shows it."""
    assert command.words[0] == "headrace", command
    ran = shop.run(*command.words[1:], timeout=200)
    lines = [line.rstrip() for line in (ran.out + ran.err).splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines) + "\n"


def fits(shown: str, found: str) -> bool:
    """Whether the page shows what was found, but for times and what it leaves out."""
    parts = [
        re.escape(_CHANGING.sub("#", part.strip("\n")))
        for part in re.split(rf"^{ANYTHING}$", shown, flags=re.MULTILINE)
    ]
    return re.fullmatch(".*".join(parts), _CHANGING.sub("#", found.strip("\n")), re.S) is not None
