"""Looks at the machine: folders, free space, ports, and the clock that is set."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from hub.clock import business_date, utc_now
from hub.settings import Settings, cache_folder
from ops.doctor.finding import Finding, failed, ok, unknown, warning
from ops.embedded.ports import is_free

_GIB = 1 << 30
_FULL, _TIGHT = 1 * _GIB, 5 * _GIB


def look_at_folders(settings: Settings) -> Iterator[Finding]:
    """Whether the hub can write where it does, and has room."""
    named = {"data": settings.data, "cache": cache_folder()}
    for name, folder in named.items():
        yield _folder(f"folder {name}", folder)


def look_at_clock(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Finding:
    """What day it is for the business by this machine's ``clock``."""
    zone = settings.company.time_zone
    now = clock().astimezone(settings.company.zone)
    day = business_date(settings, now)
    if settings.business_date is not None:
        return warning(
            "business date",
            f"fixed at {day}; the clock says {now:%Y-%m-%d %H:%M} in {zone}",
            "remove business_date from the configuration if the hub is to go with the clock",
        )
    return ok("business date", f"{day} ({now:%H:%M} in {zone})")


def look_at_ports(settings: Settings) -> Iterator[Finding]:
    """Whether the ports that the configuration fixes can be had."""
    fixed = {"metrics_port": settings.metrics_port}
    if settings.api is not None:
        fixed["api.port"] = settings.api.port
    for key, port in fixed.items():
        if not port:
            continue
        if hub_runs(settings.data):
            yield unknown(f"port {port}", f"{key}; a hub runs in {settings.data}", "nothing")
        elif is_free(port):
            yield ok(f"port {port}", f"free for {key}")
        else:
            yield failed(
                f"port {port}",
                f"{key} wants it, and another program listens there",
                f"stop that program, or choose another {key}",
            )


def hub_runs(data: Path) -> bool:
    """Whether a hub holds the data folder; nothing is made there."""
    try:
        with (data / "run" / "hub.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _folder(part: str, folder: Path) -> Finding:
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return failed(
            part,
            f"{folder} cannot be written",
            f"give this user the right to write {there}, or name another folder",
        )
    try:
        free = shutil.disk_usage(there).free
    except OSError as error:
        return failed(part, f"{folder} cannot be looked at: {error}", "mend the disk")
    said = f"{folder} can be written, {free / _GIB:,.1f} GiB free"
    if free < _FULL:
        return failed(part, said, "make room: the hub stops when the disk is full")
    if free < _TIGHT:
        return warning(part, said, "make room soon: topics and facts only grow")
    return ok(part, said)
