"""Serves metrics over HTTP: a hub's, those of its processes joined, or a single process's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Metric,
    disable_created_metrics,
    start_http_server,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from hub.metrics import HUB
from hub.settings import Settings
from hub.validation import Problem, SettingsError
from ops.embedded.folder import run_folder


def metrics_environment(settings: Settings) -> dict[str, str]:
    """What a child needs in its environment to share its metrics; nothing where none are served."""
    if settings.metrics_port is None:
        return {}
    return {"PROMETHEUS_MULTIPROC_DIR": str(_folder(settings.data))}


@contextmanager
def serving_metrics(settings: Settings) -> Iterator[str | None]:
    """Serve the metrics for as long as the context lasts; gives their address, None if off.

    The counts of the children begin at 0, so only the one hub of the data folder may enter.

    Raises:
        SettingsError: the port can't be listened on.
    """
    if settings.metrics_port is None:
        yield None
        return
    folder = _folder(settings.data)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    served = CollectorRegistry()
    served.register(Joined(folder))
    with _served(served, settings.metrics_host, settings.metrics_port) as address:
        yield address


@contextmanager
def serving_own_metrics(
    settings: Settings, counted: CollectorRegistry | None = None
) -> Iterator[None]:
    """Serve the metrics of this process alone, unless it shares them with a supervisor.

    Args:
        settings: of the hub.
        counted: what is served; all but those that ``headrace up`` sets by default.

    Raises:
        SettingsError: the port can't be listened on.
    """
    shared = values.ValueClass._multiprocess
    if settings.metrics_port is None or shared:
        yield
        return
    with _served(counted or REGISTRY, settings.metrics_host, settings.metrics_port):
        yield


@contextmanager
def _served(registry: CollectorRegistry, host: str, port: int) -> Iterator[str]:
    disable_created_metrics()  # type: ignore[no-untyped-call]
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        allowed = "a port that is free and open to this user; 0 finds one"
        problem = Problem("metrics_port", f"{port} ({error.strerror})", allowed)
        raise SettingsError("The address of the metrics", [problem]) from error
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Joined(Collector):
    """The metrics of this process, and those that its children keep in the files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """Each metric once, as it stands now."""
        ours = {metric.name: metric for metric in HUB.collect()}
        yield from ours.values()
        # A child that has just made its file has not written a header yet.
        files = [str(path) for path in self._folder.glob("*.db") if path.stat().st_size]
        for metric in MultiProcessCollector.merge(files):  # type: ignore[no-untyped-call]
            # A child has the gauges without labels, too, and never sets them.
            if metric.name not in ours:
                yield metric


def _folder(data: Path) -> Path:
    return run_folder(data) / "metrics"
