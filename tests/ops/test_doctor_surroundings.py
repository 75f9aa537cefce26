"""The doctor sees folders, ports and the business date, and says what to do."""

from __future__ import annotations

import socket
from datetime import UTC, date, datetime
from pathlib import Path

from hub.settings import Api, Company, Settings
from ops.doctor.finding import State
from ops.doctor.surroundings import look_at_clock, look_at_folders, look_at_ports
from ops.embedded.folder import sole_hub

LATE_IN_UTC = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)


def settings_in(data: Path, **others: object) -> Settings:
    company = Company(name="Plant", base_currency="CNY", time_zone="Asia/Shanghai")
    return Settings.model_validate({"company": company, "data": data, **others})


def test_business_date_is_that_of_the_companys_clock(tmp_path: Path) -> None:
    finding = look_at_clock(settings_in(tmp_path), lambda: LATE_IN_UTC)
    assert (finding.state, finding.found) == (State.OK, "2026-01-01 (07:30 in Asia/Shanghai)")


def test_clock_that_is_fixed_is_told_beside_what_the_clock_says(tmp_path: Path) -> None:
    fixed = settings_in(tmp_path, business_date=date(2025, 6, 30))
    finding = look_at_clock(fixed, lambda: LATE_IN_UTC)
    assert finding.state == State.WARNING
    assert finding.found == "fixed at 2025-06-30; the clock says 2026-01-01 07:30 in Asia/Shanghai"
    assert "remove business_date" in finding.do


def test_port_that_another_program_has_is_named_with_its_key(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings = settings_in(tmp_path, metrics_port=port, api=Api(port=0))
        (taken,) = look_at_ports(settings)
    assert (taken.part, taken.state) == (f"port {port}", State.FAILED)
    assert "metrics_port wants it, and another program listens there" in taken.found
    assert "choose another metrics_port" in taken.do
    (free,) = look_at_ports(settings)
    assert free.state == State.OK


def test_port_is_not_known_while_a_hub_has_it(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, metrics_port=9464)
    with sole_hub(tmp_path):
        (finding,) = look_at_ports(settings)
    assert finding.state == State.UNKNOWN
    assert f"a hub runs in {tmp_path}" in finding.found


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    data = tmp_path / "file" / "var"
    finding = next(look_at_folders(settings_in(data)))
    assert (finding.part, finding.state) == ("folder data", State.FAILED)
    assert finding.found == f"{data} cannot be written"
    assert str(tmp_path / "file") in finding.do
    there = next(look_at_folders(settings_in(tmp_path / "var")))
    assert "can be written" in there.found
    assert not (tmp_path / "var").exists()  # It was only looked at.
