"""Two hubs in two folders at once, each with what its own files say, and how they are ended."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.cli.shop import FILES, MENDED_LINE, Shop, opened_shop, running_in, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

#: The numbers of the documents are those of the first shop: what is mixed up would show.
_OTHER_FILES = {
    **FILES,
    "customers.csv": "id,name,city\n1,Clara Stein,Bern\n",
    "invoices.csv": "id,customer,day,kind,cancels,net,gross\n20,1,2026-01-10,I,,200.00,238.00\n",
}
_FAREWELL = "Stopping …\nStopped.\n"
_OTHER_LINE = "25,1,2026-03-22,I,,10.00,11.90\n"


def test_two_hubs_run_side_by_side_and_end_by_ctrl_c_and_by_sigterm() -> None:
    with opened_shop() as one, opened_shop() as other:
        other.write(files=_OTHER_FILES)
        with one.up() as first, other.up() as second:
            assert not set(_addresses(first)) & set(_addresses(second))
            _shows(one, {"Adler Bau": "154.11", "Bruno & Co": "119.00"})
            _shows(other, {"Clara Stein": "238.00"})
            one.append("invoices.csv", MENDED_LINE)
            other.append("invoices.csv", _OTHER_LINE)
            _shows(one, {"Adler Bau": "154.11", "Bruno & Co": "124.95"})
            _shows(other, {"Clara Stein": "249.90"})

            assert len(running_in(one.folder)) >= 4, "servers, worker, relay and connectors"
            # A terminal sends Ctrl-C to the whole foreground group.
            os.killpg(first.pid, signal.SIGINT)
            assert _ended(first) == (0, _FAREWELL)
            assert running_in(one.folder) == []
            assert other.ask("lag")["running"] is True

            second.send_signal(signal.SIGTERM)
            assert _ended(second) == (0, _FAREWELL)
            assert running_in(other.folder) == []


def _addresses(process: subprocess.Popen[str]) -> list[str]:
    """Where Kafka and PostgreSQL are, once the hub says that it is up."""
    assert process.stdout is not None
    kafka, database, _logs, up = (process.stdout.readline() for _ in range(4))
    assert "up. Ctrl-C" in up
    return [kafka.split()[1], database.split()[1]]


def _shows(shop: Shop, outstanding: dict[str, str]) -> None:
    def found() -> dict[str, str]:
        rows = shop.ask("show", "receivables")["rows"]
        return {row["name"]: row["outstanding"] for row in rows}

    until(lambda: found() == outstanding, 40)


def _ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit status and what was said last on standard error."""
    assert process.stderr is not None
    status = process.wait(30)
    return status, process.stderr.read()
