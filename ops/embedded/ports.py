"""Ports on the loopback address for servers of ours."""

import random
import socket
import time
from collections.abc import Collection, Mapping

LOOPBACK = "127.0.0.1"
# Below the range that systems use for outgoing connections: a client that tries again and again
# to reach a stopped server there could be given the very port, connect to itself, and block it.
_FIRST, _LAST = 20_000, 32_000
_TRIES = 200
_POLL_SECONDS = 0.05


def choose_ports(
    purposes: Collection[str], preferred: Mapping[str, int], patience_seconds: float = 0.0
) -> dict[str, int]:
    """A free port for each purpose: the preferred one if it is free, so that addresses last.

    Args:
        purposes: names of the ports.
        preferred: ports used before, by purpose.
        patience_seconds: how long to wait for preferred ports; a killed server's threads hold
            theirs for a moment after it has gone.

    Raises:
        OSError: no free port was found.
    """
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline and not all(map(is_free, preferred.values())):
        time.sleep(_POLL_SECONDS)
    chosen: dict[str, int] = {}
    for purpose in purposes:
        port = preferred.get(purpose)
        if port is None or port in chosen.values() or not is_free(port):
            port = _free_port(chosen.values())
        chosen[purpose] = port
    return chosen


def is_free(port: int) -> bool:
    """Whether a server could listen on this port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of a former server that linger must not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def is_listening(port: int, timeout_seconds: float = 0.5) -> bool:
    """Whether something accepts connections on this port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout_seconds):
            return True
    except OSError:
        return False


def _free_port(taken: Collection[int]) -> int:
    for _ in range(_TRIES):
        port = random.randrange(_FIRST, _LAST)
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port between {_FIRST} and {_LAST} on {LOOPBACK}")
