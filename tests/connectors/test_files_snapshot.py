"""Full exports: what a later one no longer holds is deleted, and only a whole one says so."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import SourceError
from connectors.files.full_exports import AGAIN_S, QUIET_S
from connectors.files.source import FilesReader
from connectors.files.units import SourcePathError
from connectors.mapping.problems import MappingError
from connectors.opening import open_door
from connectors.passes import make_pass
from connectors.portions import Broken, Origin, Portion
from connectors.report import SourceReport
from hub.source_settings import FilesSource
from sinks import cursors
from sinks.database import connect
from tests.connectors.sources import ORDER_EVENTS, KilledError, SampleSource, mapping

pytestmark = pytest.mark.stack

CUSTOMERS = """
streams:
  customer: {from: "customers*", key: no, snapshot: full, most_deleted: 50%}
events:
- emit: customer
  from: customer
  key: no
  fields: {name: name, city: city}
"""
ORDER_STREAMS = """
streams:
  order: {from: "orders*", key: no, snapshot: full}
  line: {from: "lines*", key: [no, item], snapshot: full}
"""
ALL = {"1": "Ulm", "2": "Bonn", "3": "Kiel", "4": "Jena"}


class Exports(SampleSource):
    """A folder of full exports, followed by one reader whose clock the test sets."""

    def __init__(self, database_url: str, folder: Path, text: str = CUSTOMERS) -> None:
        super().__init__(database_url, folder, mapping(text))
        self.now = 0.0
        self.followed: FilesReader | None = None

    def follow(self, seconds: float = QUIET_S) -> SourceReport:
        """Two passes, with that much time between them."""
        if self.followed is None:
            self.followed = FilesReader(
                str(self.folder), self.mapping, "sample", clock=lambda: self.now
            )
        source = FilesSource(name="sample", path=str(self.folder), mapping="unused")
        with open_door(source, self.mapping, self.log, self.database_url) as door:
            make_pass(door, self.followed, final=False)
            self.now += seconds
            make_pass(door, self.followed, final=False)
            return door.report

    def states(self) -> dict[str, dict[str, Any]]:
        """How far the files were read."""
        with connect(self.database_url, name="test") as connection:
            return cursors.cursor_states(connection, "sample")

    def export(self, name: str, cities: dict[str, str]) -> None:
        """Write an export of customers."""
        self.write(name, csv(cities))

    def told(self) -> dict[str, str]:
        """The city of each customer that is not deleted."""
        return {
            key[1]: document["city"]
            for key, document in self.standing().items()
            if not document["deleted"]
        }

    def deleted(self) -> set[str]:
        """The customers that are deleted."""
        return {key[1] for key, one in self.standing().items() if one["deleted"]}


@dataclass(frozen=True, slots=True)
class Killed:
    """Reads a folder, and is killed behind that many portions."""

    reader: FilesReader
    behind: int

    def portions(self, states: Mapping[str, Mapping[str, Any]], final: bool) -> Iterator[Portion]:
        """See ``connectors.kinds.Reader``."""
        yield from islice(self.reader.portions(states, final), self.behind)
        raise KilledError

    def check(self) -> None:
        """See ``connectors.kinds.Reader``."""

    def again(self, origin: Origin, broken: Broken) -> Portion:
        """See ``connectors.kinds.Reader``."""
        return self.reader.again(origin, broken)


def csv(cities: dict[str, str]) -> str:
    return "no,name,city\n" + "".join(f"{no},Ada,{city}\n" for no, city in cities.items())


def without(*gone: str, **moved: str) -> dict[str, str]:
    return {no: moved.get(f"of_{no}", city) for no, city in ALL.items() if no not in gone}


@pytest.fixture
def exports(database_url: str, tmp_path: Path) -> Exports:
    return Exports(database_url, tmp_path)


def test_new_changed_and_vanished_records_of_the_next_export_are_found(exports: Exports) -> None:
    exports.export("customers_2026-01-01.csv", ALL)
    assert exports.run().published == 4
    exports.export("customers_2026-01-02.csv", without("2", of_1="Hof") | {"5": "Trier"})
    assert exports.run().published == 3
    assert exports.told() == {"1": "Hof", "3": "Kiel", "4": "Jena", "5": "Trier"}
    assert exports.deleted() == {"2"}
    again = exports.run()
    assert (again.read, again.published) == (0, 0)


def test_two_dated_exports_at_once_are_read_in_the_order_of_their_dates(exports: Exports) -> None:
    exports.export("customers_b_20260101.csv", ALL)
    exports.run()
    # By name alone the later one would come first.
    exports.export("customers_a_20260102.csv", without("2", of_1="Hof"))
    exports.export("customers_0_20260103.csv", without("2", of_1="Ulm", of_3="Hof"))
    exports.run()
    assert exports.told() == {"1": "Ulm", "3": "Hof", "4": "Jena"}
    assert exports.deleted() == {"2"}


def test_export_replaced_in_place_stands_though_it_said_so_before(exports: Exports) -> None:
    for cities in (ALL, without("1"), ALL, without("1", of_2="Hof"), ALL, ALL):
        exports.export("customers.csv", cities)
        exports.run()
        assert exports.told() == cities


def test_same_export_twice_and_touched_says_nothing_new(exports: Exports) -> None:
    exports.export("customers_2026-01-01.csv", ALL)
    exports.run()
    exports.export("customers_2026-01-02.csv", ALL)
    again = exports.run()
    assert (again.read, again.repeated, again.published) == (4, 4, 0)
    os.utime(exports.folder / "customers_2026-01-02.csv", ns=(0, 0))
    assert exports.run().read == 0


def test_older_export_that_comes_late_or_changes_undoes_nothing(exports: Exports) -> None:
    exports.export("customers_2026-01-02.csv", without("2"))
    exports.run()
    exports.export("customers_2026-01-01.csv", ALL)
    assert exports.run().published == 0
    (exports.folder / "customers_2026-01-02.csv").unlink()
    exports.export("customers_2026-01-01.csv", ALL | {"5": "Trier"})
    assert exports.run().published == 0
    assert set(exports.told()) == {"1", "3", "4"}


@pytest.mark.parametrize("text", ["no,name,city\n", "no,name,city\n1,Ada,Ulm\n"])
def test_export_that_lost_too_much_is_not_believed_until_the_mapping_says_so(
    exports: Exports, text: str
) -> None:
    exports.export("customers.csv", ALL)
    exports.run()
    exports.write("customers.csv", text)
    for _ in range(2):
        with pytest.raises(SourceError, match=r"most_deleted: 100%.*\(streams\.customer\)"):
            exports.run()
    assert exports.deleted() == set()
    exports.mapping = mapping(CUSTOMERS.replace("50%", "100%"))
    exports.run()
    assert exports.deleted() == set(ALL) - {"1"} if "Ulm" in text else set(ALL)


def test_export_that_was_not_believed_does_not_come_back_behind_the_next(exports: Exports) -> None:
    exports.export("customers_2026-01-01.csv", ALL)
    exports.run()
    exports.export("customers_2026-01-02.csv", {"1": "Hof"})
    with pytest.raises(SourceError, match="3 of 4 rows are gone"):
        exports.run()
    assert exports.told()["1"] == "Hof"
    # Both at once: the later one mends what the earlier one lacked.
    exports.export("customers_2026-01-03.csv", without("4"))
    exports.run()
    exports.run()
    assert exports.told() == without("4")


def test_rows_of_an_export_that_is_not_believed_stand_before_the_next_is_compared(
    exports: Exports,
) -> None:
    exports.export("customers_2026-01-01.csv", ALL)
    exports.run()
    exports.export("customers_2026-01-02.csv", {"1": "Hof"})
    exports.export("customers_2026-01-03.csv", ALL)
    exports.run()
    assert exports.told() == ALL


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("customers.csv", b"", "the file is empty"),
        ("customers.csv", b"no,name,city\n1,Ada,Ulm\n2,Ada,Bonn\n3,Ada,Kiel,x\n", "record 4"),
        ("customers.csv", b"no,name,city\n1,Ada,Ulm\n2,Ada,Bonn\n,Ada,Kiel\n", "record 4"),
        ("customers.csv", b"no,name,city\n1,Ada,Ulm\n2,Ada,Bonn\n3,Ada", "record 4"),
        ("customers.jsonl", b'{"no": "1", "city": "Ulm"}\n{"no": "2", "ci', "record 2"),
        ("customers.json", b'[{"no": "1", "city": "Ulm"}, {"no": "2", "city": "Bo', "ends"),
        ("customers.csv.gz", gzip.compress(csv(without("3")).encode())[:-6], "ends"),
    ],
    ids=["empty", "wide", "no key", "cut line", "cut record", "cut document", "cut gz"],
)
def test_broken_export_deletes_nothing_until_it_comes_whole(
    exports: Exports, name: str, content: bytes, reason: str
) -> None:
    exports.mapping = mapping(CUSTOMERS.replace("50%", "100%"))
    exports.export("customers.csv", ALL)
    exports.run()
    (exports.folder / "customers.csv").unlink()
    path = exports.folder / name
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(SourceError, match=rf"gone, but.*{reason}"):
            exports.run()
    assert exports.deleted() == set()
    path.unlink()
    exports.export("customers_whole.csv", without("3"))
    exports.run()
    assert exports.deleted() == {"3"}


def test_broken_export_in_which_nothing_is_missing_is_read_without_complaint(
    exports: Exports,
) -> None:
    exports.export("customers.csv", ALL)
    exports.run()
    exports.write("customers.csv", csv(without(of_1="Hof")) + "5,Ada\n")
    assert exports.run().rejected == 1
    assert exports.told() == without(of_1="Hof")
    # Nothing of it was lost: the same with its last line mended.
    exports.write("customers.csv", csv(without(of_1="Hof")) + "5,Ada,Trier\n")
    exports.run()
    assert exports.told() == without(of_1="Hof") | {"5": "Trier"}


def test_export_that_is_still_being_written_is_left_until_it_stands_still(
    exports: Exports,
) -> None:
    exports.export("customers.csv", ALL)
    assert exports.follow().published == 4
    exports.write("customers.csv", "no,name,city\n1,Ada,Ulm\n")
    assert exports.follow(QUIET_S / 2).read == 0
    exports.append("customers.csv", "2,Ada,Bonn\n")
    assert exports.follow(QUIET_S / 2).read == 0
    # It stands still now, but in the middle of a line.
    exports.append("customers.csv", "3,Ada,Ki")
    assert exports.follow(QUIET_S * 2).read == 0
    exports.append("customers.csv", "el\n")
    assert exports.follow().published == 1
    assert exports.deleted() == {"4"}


def test_export_that_ends_early_while_followed_deletes_nothing(exports: Exports) -> None:
    exports.write("customers.json", '[{"no": "1", "city": "Ulm"}, {"no": "2", "city": "Bonn"}]')
    exports.follow()
    exports.write("customers.json", '[{"no": "1", "city": "Hof"}, {"no": "2", "ci')
    with pytest.raises(SourceError, match="1 of 2 rows are gone, but"):
        exports.follow()
    # It is not read over and over.
    exports.follow(AGAIN_S / 3)
    with pytest.raises(SourceError, match="1 of 2 rows are gone, but"):
        exports.follow(AGAIN_S)
    exports.write("customers.json", '[{"no": "1", "city": "Hof"}]')
    exports.follow()
    assert (exports.told(), exports.deleted()) == ({"1": "Hof"}, {"2"})


def test_export_written_to_while_it_is_read_deletes_nothing(exports: Exports) -> None:
    exports.export("customers.csv", ALL)
    exports.run()
    exports.export("customers.csv", without("1"))
    known = exports.states()
    portions = exports.reader().portions(known, final=True)
    first = next(portions)
    exports.append("customers.csv", "1,Ada,Ulm\n")
    *_, last = portions
    assert len(first.rows) == 3
    assert last.whole is not None and last.whole.last
    assert (last.whole.doubt, last.state) == ("it was written to while it was read", None)


def test_export_that_is_taken_away_deletes_nothing(exports: Exports) -> None:
    exports.export("customers_2026-01-01.csv", ALL)
    exports.export("customers_2026-01-02.csv", without("1"))
    portions = exports.reader().portions({}, final=True)
    found = [next(portions)]
    (exports.folder / "customers_2026-01-02.csv").unlink()
    found += portions
    assert {one.origin.name for one in found} == {"customers_2026-01-01.csv"}
    assert len(found[0].rows) == 4
    assert found[-1].whole is not None and not found[-1].whole.doubt


@pytest.mark.parametrize("stop_after", [5, 6])
def test_killed_between_publishing_and_commit_it_says_the_same_again(
    exports: Exports, stop_after: int
) -> None:
    exports.export("customers_2026-01-01.csv", ALL)
    exports.run()
    exports.export("customers_2026-01-02.csv", without("2", of_1="Hof"))
    exports.log.stop_after = stop_after
    with pytest.raises(KilledError):
        exports.run()
    exports.log.stop_after = None
    exports.run()
    assert exports.told() == without("2", of_1="Hof")
    # What came back meanwhile is newer than what was said of it before the kill.
    exports.export("customers_2026-01-03.csv", ALL)
    exports.run()
    assert exports.told() == ALL


def test_killed_in_the_middle_of_an_export_it_is_compared_from_its_beginning(
    exports: Exports,
) -> None:
    many = {str(no): "Ulm" for no in range(8_000)}
    long = "Hof" + " " * 80 + "Saale"
    exports.export("customers_2026-01-01.csv", many)
    exports.run()
    exports.export("customers_2026-01-02.csv", {no: long for no in many if no not in ("7", "7999")})
    source = FilesSource(name="sample", path=str(exports.folder), mapping="unused")
    with open_door(source, exports.mapping, exports.log, exports.database_url) as door:
        with pytest.raises(KilledError):
            make_pass(door, Killed(exports.reader(), 3), final=True)
    begun = exports.states()["customers_2026-01-02.csv"]
    assert not begun["ended"] and exports.deleted() == set()
    exports.run()
    assert exports.deleted() == {"7", "7999"}
    assert set(exports.told().values()) == {long}


def test_line_that_vanished_leaves_its_document_and_an_order_with_its_lines_is_deleted(
    database_url: str, tmp_path: Path
) -> None:
    exports = Exports(database_url, tmp_path, ORDER_STREAMS + ORDER_EVENTS)
    orders, lines = "no,customer,day\n", "no,item,product,quantity,net\n"
    one, two = "1,K1,2026-01-02\n", "2,K1,2026-01-02\n"
    of_one, of_two = "1,1,P1,1,10\n1,2,P2,1,20\n", "2,1,P1,3,30\n"
    exports.write("orders.csv", orders + one + two)
    exports.write("lines.csv", lines + of_one + of_two)
    assert exports.run().published == 2
    exports.write("lines.csv", lines + "1,1,P1,1,10\n" + of_two)
    assert exports.run().published == 1
    (first, second) = exports.standing().values()
    assert ([line["number"] for line in first["lines"]], first["deleted"]) == (["1"], False)
    exports.write("orders.csv", orders + one)
    exports.write("lines.csv", lines + of_one)
    exports.run()
    (first, second) = exports.standing().values()
    assert (len(first["lines"]), first["deleted"]) == (2, False)
    assert (len(second["lines"]), second["deleted"]) == (1, True)


def test_dated_and_undated_exports_beside_each_other_are_refused(exports: Exports) -> None:
    exports.export("customers.csv", ALL)
    exports.export("customers_2026-01-02.csv", ALL)
    with pytest.raises(SourcePathError, match=r"customers\.csv has no date in its name"):
        exports.reader().check()
    with pytest.raises(SourcePathError, match="which is the newest"):
        exports.run()


def test_several_exports_without_a_date_are_refused_and_delete_nothing(exports: Exports) -> None:
    exports.export("customers_DE.csv", {"1": "Ulm", "2": "Bonn"})
    exports.run()
    exports.export("customers_FR.csv", {"2": "Bonn", "3": "Lyon"})
    with pytest.raises(SourcePathError, match=r"customers_DE\.csv and customers_FR\.csv have no"):
        exports.reader().check()
    for _ in range(2):
        with pytest.raises(
            SourcePathError, match=r"give each name a date.*streams\.customer\.from"
        ):
            exports.run()
    assert (exports.told(), exports.deleted()) == ({"1": "Ulm", "2": "Bonn"}, set())


def test_two_exports_of_the_same_date_are_refused_until_a_time_tells_them_apart(
    exports: Exports,
) -> None:
    exports.export("customers_2026-01-01.csv", ALL)
    exports.run()
    # By their names the second one would stand, and delete what only the first one holds.
    exports.export("customers_2026-01-02_b.csv", without("3"))
    exports.export("customers_2026-01-02_a.csv", without("2"))
    said = r"02_a\.csv and customers_2026-01-02_b\.csv have the same date.*streams\.customer\.from"
    with pytest.raises(SourcePathError, match=said):
        exports.reader().check()
    with pytest.raises(SourcePathError, match=said):
        exports.run()
    assert (exports.told(), exports.deleted()) == (ALL, set())
    folder = exports.folder
    (folder / "customers_2026-01-02_b.csv").rename(folder / "customers_2026-01-02_090000_b.csv")
    (folder / "customers_2026-01-02_a.csv").rename(folder / "customers_2026-01-02_153000_a.csv")
    exports.run()
    assert exports.told() == without("2")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("customers_2026-01-02_b.csv", "customers_2026-01-02_a.csv"),
        ("customers_of_us.csv", "customers.csv"),
    ],
)
def test_export_that_came_in_the_place_of_one_of_its_date_is_read_whatever_its_name(
    exports: Exports, first: str, second: str
) -> None:
    exports.export(first, ALL)
    exports.run()
    (exports.folder / first).unlink()
    exports.export(second, without("3"))
    exports.run()
    assert exports.told() == without("3")


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        ("snapshot: delta", "found 'delta'; allowed: full"),
        ("most_deleted: 50%", "only with 'snapshot: full'"),
        ("snapshot: full, most_deleted: 200%", "expected a share such as 50%"),
        (
            "snapshot: full, version: precise, changed: city, partial: {}",
            "a full export has no 'partial' records",
        ),
    ],
)
def test_snapshot_that_makes_no_sense_is_refused(stream: str, reason: str) -> None:
    text = CUSTOMERS.replace("snapshot: full, most_deleted: 50%", stream)
    with pytest.raises(MappingError, match=reason):
        mapping(text)
