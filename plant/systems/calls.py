"""The call centre, which is not ours: American dates, traditional characters, its own directory."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from plant.documents import CALLS, ERP, Call, Customer, Document
from plant.parameters import FIRST_DAY
from plant.systems.exporting import Delivery, Exporter
from plant.systems.flaws import CSV_BREAKS, emptied, impossible_day, worded
from plant.systems.hearing import Heard, Hearing
from plant.systems.numbers import Numbering
from plant.systems.spelling import spelled, traditional
from plant.systems.tables import Table

_ENCODING = "big5"
DIRECTORY = Table(
    "directory",
    (
        "DirectoryNo",
        "CompanyName",
        "Phone1",
        "Email",
        "City",
        "Country",
        "ClientRef",
        "Since",
        "LastUpdated",
    ),
    _ENCODING,
    "|",
    changed="%m/%d/%Y",
)
CALL_LOG = Table(
    "call_log",
    (
        "CallID",
        "ANI",
        "DirectoryNo",
        "Queue",
        "Agent",
        "StartTime",
        "WaitSec",
        "TalkSec",
        "Abandoned",
        "Topic",
        "Solved",
        "Score",
        "LastUpdated",
    ),
    _ENCODING,
    "|",
    changed="%m/%d/%Y 11:59:00 PM",
)

_DIRECTORY_BREAKS = (
    *CSV_BREAKS,
    emptied("DirectoryNo", "no_key", "the caller has no number"),
    impossible_day("LastUpdated", "not_a_date", "02/30/2024"),
)
_CALL_BREAKS = (
    *CSV_BREAKS,
    emptied("CallID", "no_key", "the call has no number"),
    impossible_day("LastUpdated", "not_an_instant", "13/32/2024 08:61:00 PM"),
    impossible_day("StartTime", "not_an_instant", "02/30/2024 10:15:00 AM"),
    worded("TalkSec", "not_whole", "a spreadsheet made an exponent of the seconds", "1.25E-01"),
    worded("WaitSec", "not_a_number", "minutes stand in the seconds", "00:42"),
    worded("Abandoned", "unknown_value", "it is neither yes nor no", "maybe"),
)


class CallCentre:
    """Listens to the plant."""

    def __init__(self, exporter: Exporter, numbering: Numbering) -> None:
        self._exporter = exporter
        self._numbering = numbering
        self._hearing = Hearing(CALLS, numbering)
        self._calls: dict[int, tuple[Call, datetime]] = {}

    def take(self, document: Document, at: datetime) -> None:
        """Keep the newest state of a document until the night."""
        if isinstance(document, Customer):
            self._hearing.take(document, at)
        elif isinstance(document, Call):
            self._calls[document.key] = document, at

    def end_day(self, day: date) -> None:
        """Export what was changed today."""
        self._exporter.begin_day(day)
        entries = [self._entry(heard, day) for heard in self._hearing.due(day)]
        deliveries = self._hearing.fresh(entries)
        deliveries += [self._call(call, at) for call, at in self._calls.values()]
        self._calls.clear()
        self._exporter.deliver(deliveries)

    def _entry(self, heard: Heard, day: date) -> Delivery:
        numbering, customer = self._numbering, heard.customer
        written = spelled(numbering.seed, CALLS, customer)
        number = numbering.customer(CALLS, customer.key)
        known = written.cross_referenced and ERP in customer.known_in
        since = written.registered_on if heard.since == FIRST_DAY else heard.since
        row = [
            number,
            written.name,
            written.phone,
            written.email,
            written.city,
            customer.country,
            numbering.customer(ERP, customer.key) if known else "",
            f"{since:%m/%d/%Y}",
            f"{day:%m/%d/%Y}",
        ]
        mistaken = row.copy()
        if len(written.phone) > 6:
            # Two digits change places at the keyboard.
            phone = written.phone
            mistaken[2] = f"{phone[:-3]}{phone[-2]}{phone[-3]}{phone[-1]}"
        return Delivery(
            "customer", customer.key, number, DIRECTORY, row, _DIRECTORY_BREAKS, mistaken=mistaken
        )

    def _call(self, call: Call, at: datetime) -> Delivery:
        numbering = self._numbering
        number = numbering.bill("call", call.key)
        ended = call.started_at + timedelta(seconds=call.waited_s + call.talked_s)
        row = [
            number,
            call.caller,
            "" if call.customer is None else numbering.customer(CALLS, call.customer),
            call.queue,
            traditional(call.agent),
            _american(call.started_at),
            str(call.waited_s),
            str(call.talked_s),
            "Y" if call.abandoned else "N",
            call.topic,
            "Y" if call.resolved else "N",
            "" if call.rating is None else str(call.rating),
            _american(max(ended, at)),
        ]
        return Delivery("call", call.key, number, CALL_LOG, row, _CALL_BREAKS)


def _american(at: datetime) -> str:
    return f"{at:%m/%d/%Y %I:%M:%S %p}"
