"""Runs the HTTP door until it is told to stop, and finishes what runs."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
import uvicorn

from api.addresses import address_of, at_port
from api.app import Behind, create_app
from hub.garbage import collecting_rarely
from hub.settings import Api
from hub.validation import Problem, SettingsError
from sinks import tokens
from sinks.database import connect

log = structlog.get_logger(__name__)

_BACKLOG = 1024
_STOP_S = 10
_SWITCH_S = 0.001


def refuse_unguarded(limits: Api, database_url: str) -> None:
    """Refuse an address that others reach as long as nobody could have a token.

    Raises:
        SettingsError: it is such an address.
        psycopg.OperationalError: the database is away.
    """
    if limits.is_private:
        return
    with connect(database_url, name="headrace api start") as connection:
        if tokens.active_tokens(connection):
            return
    allowed = "127.0.0.1, or another address once there is a token: `headrace token create NAME`"
    raise SettingsError("The HTTP door", [Problem("api.host", repr(limits.host), allowed)])


class _Server(uvicorn.Server):
    """A server for which being told to stop is no failure: uvicorn would send itself the signal
    again once it has stopped."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        numbers = (signal.SIGTERM, signal.SIGINT)
        former = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def serve(behind: Behind, on_address: Callable[[str], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, and then finish what runs.

    Args:
        behind: what the door stands in front of.
        on_address: told where it listens, once it does.

    Raises:
        SettingsError: the address cannot be listened on, or is open to others without a token.
        MappingError: the mapping of a source of kind ``http`` is not valid.
    """
    limits = behind.limits
    refuse_unguarded(limits, behind.database_url)
    app = create_app(behind)
    with _listening(limits) as listener:
        address = address_of(at_port(limits, listener.getsockname()[1]))
        log.info("listening", address=address)
        if on_address is not None:
            on_address(address)
        config = uvicorn.Config(
            app,
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            # Nobody stands in front whose word on the caller counts.
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=_STOP_S,
        )
        # The thread that publishes works in stretches, and must not hold up the one that answers.
        sys.setswitchinterval(_SWITCH_S)
        with collecting_rarely():
            _Server(config).run(sockets=[listener])


def _listening(limits: Api) -> socket.socket:
    family = socket.AF_INET6 if ":" in limits.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((limits.host, limits.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        allowed = "a port that is free and open to this user; 0 finds one"
        problem = Problem("api.port", f"{limits.port} ({error.strerror})", allowed)
        raise SettingsError("The address of the HTTP door", [problem]) from error
    return listener
