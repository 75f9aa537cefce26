"""Looks at everything in turn; starts nothing, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg

from hub.kafka import Cluster
from hub.policy import load_policy
from hub.settings import Settings
from hub.validation import SettingsError
from ops.asking import ask_status
from ops.doctor.broker import look_at_broker, running_cluster
from ops.doctor.database import look_at_database, running_database
from ops.doctor.finding import Finding, State, failed, ok
from ops.doctor.registry import look_at_outside_registry, look_at_own_registry
from ops.doctor.sources import look_at_sources
from ops.doctor.surroundings import (
    hub_runs,
    look_at_clock,
    look_at_folders,
    look_at_ports,
)
from sinks import cursors
from sinks.database import connect


def examine(settings: Settings) -> Iterator[Finding]:
    """What is to be said of each part of the hub, as it is found out."""
    running = "a hub runs there" if hub_runs(settings.data) else "no hub runs there now"
    yield ok("configuration", f"{settings.company.name}, data in {settings.data}; {running}")
    yield _policy(settings)
    yield from look_at_folders(settings)
    yield look_at_clock(settings)
    yield from look_at_ports(settings)
    url = running_database(settings)
    readable = False
    for finding in look_at_database(url):
        readable = finding.part == "tables" and finding.state == State.OK
        yield finding
    found = running_cluster(settings)
    if isinstance(found, Finding):
        yield found
    else:
        yield from look_at_broker(found, settings)
    yield look_at_own_registry(url if readable else None)
    if settings.registry is not None:
        yield look_at_outside_registry(settings.registry)
    known = _known(url, settings) if url is not None and readable else None
    yield from look_at_sources(settings, known)


def _policy(settings: Settings) -> Finding:
    try:
        load_policy(settings.policy)
    except SettingsError as error:
        return failed("policy", str(error), "mend the file that policy: names")
    return ok("policy", str(settings.policy or "the defaults"))


def _known(url: str, settings: Settings) -> Mapping[str, Mapping[str, Any]] | None:
    nothing: Cluster | None = None
    try:
        answer = ask_status(url, settings, nothing)
        with connect(url, name="headrace-doctor") as connection:
            paused = {
                source.name: cursors.paused_at(connection, source.name)
                for source in settings.sources
            }
    except psycopg.Error:
        return None
    return {one["name"]: {**one, "paused_at": paused.get(one["name"])} for one in answer["sources"]}
