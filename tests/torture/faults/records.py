"""Records that no hub can take: bytes that are no document, and one that kills its reader."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tests.oracle.generate import Event, event_of, noon
from tests.torture.checking import letters
from tests.torture.deadly_worker import MAGIC
from tests.torture.trial import Trial


def bad_records(trial: Trial) -> None:
    """Undecodable bytes, unknown schema ids, truncated Avro, bytes left over, broken rules."""
    trial.rig.start(1)
    events = trial.history(poison=260 if trial.brief else 1_300)

    def harm() -> None:
        trial.pause(0.5, 3.0)
        trial.kill("worker-0")

    trial.run_under(events, harm)


def deadly_record(trial: Trial) -> None:
    """A record that kills the process is put aside, it alone, and everything else is processed."""
    deadly = deadly_payment()
    events = trial.history()
    events.insert(trial.random.randrange(len(events)), deadly)
    trial.rig.start(1, deadly=True)
    trial.put_all(events)
    trial.quarantined = {one.place for one in trial.accepted if one.event is deadly}
    trial.settle()
    codes = [
        (letter["topic"], letter["partition"], letter["position"])
        for letter in letters(trial.rig.addresses.database_url)
        if letter["code"] == "kills_the_process"
    ]
    trial.expect(
        set(codes) == trial.quarantined and len(codes) == len(trial.quarantined),
        f"put aside as deadly were {codes}, to be put aside were {trial.quarantined}",
    )


def deadly_payment() -> Event:
    """A good payment with the text in it that kills our worker."""
    body = {
        "source": "erp",
        "id": "deadly",
        "version": 1,
        "occurred_at": noon(date(2026, 1, 1)),
        "deleted": False,
        "customer": {"source": "erp", "id": "C1"},
        "kind": "receipt",
        "amount": Decimal(10),
        "currency": "CNY",
        "received_on": date(2026, 1, 1),
        "reference": MAGIC.decode(),
    }
    return event_of("payment", body)
