"""The export job of a system: files by month or day, and what goes wrong between row and file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from plant.systems import flaws
from plant.systems.flaws import Break
from plant.systems.numbers import share
from plant.systems.tables import Row, Table
from plant.systems.telling import EXISTS, Reject, Told
from plant.systems.writing import GrowingFile

Mark = tuple[str, int]


@dataclass(slots=True)
class Delivery:
    """A document as it leaves a system: its own record, and those of its parts.

    ``id`` is its number there, ``state`` how the hub will count it. ``mistaken`` is its record
    with a slip that somebody mends some days later, ``draft`` one that does not count yet.
    ``breaks`` are the ways in which the record may break. ``closes`` is the document of the same
    type that this one cancels, ``moment`` tells versions of the same day apart. One that
    ``needs_parts`` is no document before they have come.
    """

    document: str
    key: int
    id: str
    table: Table
    row: Row
    breaks: tuple[Break, ...]
    parts: list[tuple[Table, Row]] = field(default_factory=list)
    state: int = EXISTS
    mistaken: Row | None = None
    draft: Row | None = None
    closes: int | None = None
    moment: str = ""
    needs_parts: bool = False

    def redated(self, day: date) -> Delivery:
        """The same as changed on another day."""
        parts = [(table, [*row[:-1], f"{day:{table.changed}}"]) for table, row in self.parts]
        row = [*self.row[:-1], f"{day:{self.table.changed}}"]
        return replace(self, row=row, parts=parts)


@dataclass(slots=True)
class _Headless:
    """A record that has left without its parts, and where it stands."""

    delivery: Delivery
    file: str
    line: int


class Exporter:
    """Writes what a system delivers, day by day."""

    def __init__(self, system: str, seed: int, folder: Path, told: Told) -> None:
        self.system = system
        self.seed = seed
        self.rows = 0
        self.files = 0
        self._folder = folder / system
        self._folder.mkdir(parents=True, exist_ok=True)
        self._told = told
        self._today = date.min
        self._names: dict[str, str] = {}
        self._open: dict[str, GrowingFile] = {}
        self._finished: dict[str, tuple[Path, int]] = {}
        self._agenda: dict[date, list[Callable[[], None]]] = defaultdict(list)
        self._pending: dict[Mark, Delivery] = {}
        self._headless: dict[Mark, _Headless] = {}
        self._stuck: set[Mark] = set()

    def begin_day(self, day: date) -> None:
        """Deliver what was put off until today; a new month closes the files of the last one."""
        if day.month != self._today.month:
            self._close_month()
        self._today = day
        self._names = {}
        for action in self._agenda.pop(day, ()):
            action()
        if day.day == 5:
            self._double_files()

    def deliver(self, deliveries: list[Delivery]) -> None:
        """Write the documents of today, whose flaws come from chance."""
        if flaws.is_shuffled(f"{self.seed}/{self.system}/{self._today}"):
            deliveries = deliveries[::-1]
        for one in deliveries:
            self._deliver(one)

    def write(self, table: Table, row: Row) -> int:
        """Write a record as it is; returns its line."""
        return self._line(table, table.line(row))

    def finish(self) -> None:
        """Bring everything to the disk, and name the records whose parts have not come."""
        for headless in self._headless.values():
            one = headless.delivery
            if not one.needs_parts:
                continue
            what = "its parts have not come"
            self._told.rejects.append(
                Reject(
                    self.system,
                    headless.file,
                    headless.line,
                    what,
                    "missing_part",
                    one.document,
                    one.id,
                    waits=True,
                )
            )
        self._close_month()

    def _deliver(self, one: Delivery) -> None:
        mark = (one.document, one.key)
        if mark in self._stuck:
            return
        overtakes = self._pending.pop(mark, None) or self._headless.pop(mark, None)
        key = f"{self.seed}/{self.system}/{one.document}/{one.key}/{one.moment or self._today}"
        drawn = share(key)
        if overtakes is not None:
            self._put(one)
            return
        limit = flaws.BROKEN
        if drawn < limit:
            self._break(one, mark, key)
            return
        limit += flaws.LATE
        if drawn < limit and one.table.changed:
            self._put_off(one, mark, flaws.days_later(key, 2, 9))
            return
        limit += flaws.PARTS_LATE
        if drawn < limit and one.parts and not self._known(one):
            self._put_off_parts(one, mark, flaws.days_later(key, 2, 5))
            return
        limit += flaws.MISTAKEN
        if drawn < limit and one.mistaken is not None:
            self._mistake(one, mark, flaws.days_later(key, 2, 8))
            return
        limit += flaws.DRAFTED
        if drawn < limit and one.draft is not None and not self._known(one):
            self.write(one.table, one.draft)
            self._write_parts(one)
            self._put_off(one.redated(self._today + timedelta(days=1)), mark, 1)
            return
        self._put(one)
        if drawn < limit + flaws.REPEATED and one.table.by == "month":
            self._later(flaws.days_later(key, 3, 25), lambda: self._write_all(one))

    def _put(self, one: Delivery) -> None:
        self._write_all(one)
        self._note(one)

    def _write_all(self, one: Delivery) -> None:
        self.write(one.table, one.row)
        self._write_parts(one)

    def _write_parts(self, one: Delivery) -> None:
        for table, row in one.parts:
            self.write(table, row)

    def _note(self, one: Delivery) -> None:
        self._told.states.note(self.system, one.document, one.key, one.state)
        if one.closes is not None:
            self._told.states.close(self.system, one.document, one.closes)

    def _known(self, one: Delivery) -> bool:
        return bool(self._told.states.get(self.system, one.document, one.key) & EXISTS)

    def _break(self, one: Delivery, mark: Mark, key: str) -> None:
        way = flaws.chosen(one.breaks, key, one.row, one.parts)
        if way.lasting and self._known(one):
            self._put(one)
            return
        line = self._line(one.table, way.line(one.table, one.row))
        for table, row in one.parts if way.spoil is None else way.spoil(one.parts):
            self.write(table, row)
        self._told.rejects.append(
            Reject(
                self.system,
                self._name(one.table),
                line,
                way.what,
                way.code,
                one.document,
                one.id,
            )
        )
        if way.lasting:
            self._stuck.add(mark)
        elif one.parts or share(f"{key}/mended") >= flaws.NEVER_MENDED:
            self._put_off(one, mark, flaws.days_later(key, 1, 6))

    def _put_off(self, one: Delivery, mark: Mark, days: int) -> None:
        """Deliver it later; where a newer version has left by then, it comes as a stale one."""
        self._pending[mark] = one

        def come() -> None:
            if self._pending.get(mark) is one:
                del self._pending[mark]
                self._put(one)
            elif one.table.changed and mark not in self._stuck:
                self._write_all(one)

        self._later(days, come)

    def _put_off_parts(self, one: Delivery, mark: Mark, days: int) -> None:
        line = self.write(one.table, one.row)
        headless = self._headless[mark] = _Headless(one, self._name(one.table), line)
        if not one.needs_parts:
            self._note(one)

        def come() -> None:
            if self._headless.get(mark) is headless:
                del self._headless[mark]
                self._write_parts(one)
                self._note(one)

        self._later(days, come)

    def _mistake(self, one: Delivery, mark: Mark, days: int) -> None:
        assert one.mistaken is not None
        self.write(one.table, one.mistaken)
        self._write_parts(one)
        self._note(one)
        self._pending[mark] = one

        def mend() -> None:
            if self._pending.get(mark) is one:
                del self._pending[mark]
                self._put(one.redated(self._today))

        self._later(days, mend)

    def _later(self, days: int, action: Callable[[], None]) -> None:
        self._agenda[self._today + timedelta(days=days)].append(action)

    def _line(self, table: Table, line: bytes) -> int:
        name = self._name(table)
        file = self._open.get(name)
        if file is None:
            file = self._open[name] = GrowingFile(self._folder / name)
            self.files += 1
            head = table.head()
            if head:
                file.add(head)
        self.rows += 1
        return file.add(line)

    def _name(self, table: Table) -> str:
        found = self._names.get(table.stem)
        if found is None:
            found = self._names[table.stem] = self._named_today(table)
        return found

    def _named_today(self, table: Table) -> str:
        day = self._today
        dated = f"{day:%Y-%m-%d}" if table.by == "day" else f"{day:%Y-%m}"
        return f"{table.stem}_{dated}{table.suffix}"

    def _close_month(self) -> None:
        self._finished = {}
        for name, file in self._open.items():
            file.finish()
            self._finished[name] = (file.path, file.lines)
        self._open = {}

    def _double_files(self) -> None:
        for name, (path, _) in self._finished.items():
            if flaws.is_doubled(f"{self.seed}/{self.system}/{name}"):
                twin = GrowingFile(path.with_stem(f"{path.stem}_again"))
                for line in path.read_bytes().splitlines(keepends=True):
                    twin.add(line)
                twin.finish()
                self.files += 1
