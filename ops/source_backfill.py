"""Reads a period of a source again while the hub goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from datetime import time as time_of_day

from connectors.backfill import Period, backfill
from connectors.door import Door
from connectors.kinds import reader_of
from connectors.mapping.loading import load_mapping
from connectors.opening import open_door
from connectors.publish import KafkaPublisher
from connectors.remaining import bytes_ahead
from connectors.report import SourceReport
from hub.settings import Settings
from hub.source_settings import Source
from ops.stack import Addresses


def period_of(settings: Settings, first: date, last: date) -> Period:
    """From the beginning of the first day to the end of the last one, where the company is."""
    zone = settings.company.zone
    return Period(
        datetime.combine(first, time_of_day.min, zone),
        datetime.combine(last + timedelta(days=1), time_of_day.min, zone),
    )


def run_backfill(
    source: Source,
    settings: Settings,
    addresses: Addresses,
    period: Period,
    on_progress: Callable[[SourceReport], None],
) -> SourceReport:
    """Read what a source has of a period again; see ``connectors.backfill.backfill``."""
    mapping = load_mapping(source.mapping, source.name, settings.company.zone)
    report, began = SourceReport(source.name), time.monotonic()
    report.bytes_ahead = bytes_ahead(source, {})
    publisher = KafkaPublisher(addresses.cluster)

    def opened() -> AbstractContextManager[Door]:
        return open_door(source, mapping, publisher, addresses.database_url, on_progress)

    try:
        backfill(opened, reader_of(source, mapping), period, report)
    finally:
        publisher.close()
    report.seconds = round(time.monotonic() - began, 3)
    return report
