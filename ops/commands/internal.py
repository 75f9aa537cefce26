"""The processes of a hub one by one, as its supervisor or the services of a host run them."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from ops.commands.failures import FAILED, MISUSED, explain
from ops.commands.options import ConfigOption, prepare

if TYPE_CHECKING:
    from pathlib import Path

    from prometheus_client import CollectorRegistry

    from hub.settings import Settings
    from ops.stack import Addresses

_OBSERVE_SECONDS = 2.0


def prepare_servers(config: ConfigOption = None) -> None:
    """Bring the tables up to date and make missing topics, before the other processes start."""
    from ops.attaching import attached
    from ops.registering import register_contracts
    from ops.running import check_configuration

    with _reported():
        settings = prepare(config, verbose=True, as_json=True)
        check_configuration(settings, paths=True)
        register_contracts(settings)
        with attached(settings) as addresses:
            _refuse_lost_positions(addresses)


def worker(
    slot: Annotated[
        int | None,
        typer.Option(min=0, help="Given by a supervisor; without it the lowest that is free."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Process the topics."""
    count_as(f"worker-{slot}")

    from hub.policy import load_policy
    from ops.self_watch import watched_by_itself
    from ops.slots import claimed_slot
    from streams.worker import run_worker

    with ExitStack() as alone, _part_of_hub(config) as (settings, addresses):
        _refuse_lost_positions(addresses)
        if slot is None:
            slot = alone.enter_context(claimed_slot(addresses.database_url))
            alone.enter_context(watched_by_itself(addresses, slot))
        status = run_worker(
            addresses.cluster,
            addresses.database_url,
            load_policy(settings.policy),
            slot=slot,
            data=settings.data,
        )
    if status:
        # Without waiting for its threads, one of which may be held up in the database.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def relay(config: ConfigOption = None) -> None:
    """Publish changed views."""
    count_as("relay")

    from hub.policy import load_policy
    from ops.relaying import relay_changes

    stop = _stop_event()
    with _part_of_hub(config) as (settings, addresses):
        order = [source.name for source in settings.sources]
        relay_changes(addresses, load_policy(settings.policy), order, stop)


def connectors(
    bounded: Annotated[bool, typer.Option("--bounded")] = False, config: ConfigOption = None
) -> None:
    """Read the sources."""
    count_as("connectors")

    from ops.source_runs import follow_all, read_all_to_end
    from ops.supervisor import FATAL_EXIT

    stop = _stop_event()
    with _part_of_hub(config) as (settings, addresses):
        if not bounded:
            follow_all(settings, addresses, stop)
            return
        complete = read_all_to_end(settings, addresses, stop)
    if not complete:
        # Stopped on the way it may go on later; a source that failed will fail again.
        raise typer.Exit(FAILED if stop.is_set() else FATAL_EXIT)


def api(config: ConfigOption = None) -> None:
    """Take events and webhooks over HTTP."""
    count_as("api")

    from api.addresses import limits_of
    from api.app import Behind
    from api.serving import serve
    from hub.garbage import collecting_rarely

    with _part_of_hub(config) as (settings, addresses), collecting_rarely():
        serve(Behind(settings, limits_of(settings), addresses.cluster, addresses.database_url))


def observer(config: ConfigOption = None) -> None:
    """Measure how far the other processes are."""
    from hub.metrics import HUB
    from ops.observer import Observer

    stop = _stop_event()
    with _part_of_hub(config, HUB) as (_, addresses), Observer(addresses, _OBSERVE_SECONDS):
        stop.wait()


def count_as(process: str) -> None:
    """Keep this process's metrics, if they are shared, in files of this name.

    By default prometheus_client names them by process id: each restart would leave files behind,
    or counts would fall. To be called before ``hub.metrics`` is imported, which opens the files.
    """
    from prometheus_client import values

    if values.ValueClass._multiprocess:
        by_name = values.MultiProcessValue(lambda: process)  # type: ignore[no-untyped-call]
        values.ValueClass = by_name


@contextmanager
def _part_of_hub(
    config: Path | None, counted: CollectorRegistry | None = None
) -> Iterator[tuple[Settings, Addresses]]:
    """What every process that goes on begins with; ``counted`` are the metrics of one that is
    alone."""
    from ops.attaching import running_addresses
    from ops.supervisor import leave_with_supervisor
    from ops.telemetry import serving_own_metrics

    leave_with_supervisor()
    with _reported():
        settings = prepare(config, verbose=True, as_json=True)
        with serving_own_metrics(settings, counted):
            yield settings, running_addresses(settings)


def _refuse_lost_positions(addresses: Addresses) -> None:
    from ops.positions_check import position_problem

    problem = position_problem(addresses)
    if problem is not None:
        raise problem


@contextmanager
def _reported() -> Iterator[None]:
    """Errors go to the log, one line each.

    What a restart can't mend ends with the status that tells the supervisor so.
    """
    from hub.log import get_logger
    from ops.supervisor import FATAL_EXIT
    from sinks.positions import PositionError

    try:
        yield
    except Exception as error:
        told = explain(error)
        text, status = (repr(error), FAILED) if told is None else told
        logger = get_logger(__name__)
        logger.error("process_failed", error=text, exc_info=None if told else error)
        hopeless = status == MISUSED or isinstance(error, PositionError)
        raise typer.Exit(FATAL_EXIT if hopeless else FAILED) from error


def _stop_event() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
