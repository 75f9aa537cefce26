"""Tries to log in to Kafka once, so that a refusal is told instead of being tried again for long.

kafka-python tries again for 30 s and then says that it could not bootstrap, whatever the reason.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from hub.kafka import Cluster
from hub.settings import KafkaSecurity

_TIMEOUT_SECONDS = 5.0
_KEYS = "kafka.security in headrace.yaml, or HEADRACE_KAFKA__SECURITY__*"
_OPEN = KafkaSecurity(protocol="PLAINTEXT")


class LoginRefused(Exception):
    """Kafka answers and does not let us in; the message says what to look at."""


def refuse_bad_login(cluster: Cluster) -> None:
    """Log in at each address until one lets us in; what doesn't answer is left to be waited for.

    Raises:
        LoginRefused: an address refuses us, and none lets us in; or ``ca_file`` can't be read.
    """
    try:
        options = _options(cluster.security or _OPEN)
    except OSError as error:
        raise LoginRefused(f"ca_file can't be used: {error} ({_KEYS})") from error
    refusal = asyncio.run(_first_refusal(cluster, options))
    if refusal is not None:
        raise LoginRefused(refusal)


async def _first_refusal(cluster: Cluster, options: Mapping[str, Any]) -> str | None:
    refusals = []
    for server in cluster.bootstrap_servers:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                await _log_in(server, options)
        except (KafkaError, OSError, TimeoutError, _HungUp) as error:
            refusals.append(_refusal(error, server, cluster.security or _OPEN))
        else:
            return None
    return next((one for one in refusals if one is not None), None)


def _refusal(error: Exception, server: str, security: KafkaSecurity) -> str | None:
    """What to tell of this error; None where the server may only be away."""
    match error:
        case SaslAuthenticationFailed():
            told = (
                f"refuses the login of {security.username!r} by {security.mechanism}:"
                " the username or the password is wrong there"
            )
        case UnsupportedSaslMechanismError():
            told = f"takes no login by {security.mechanism}: set another mechanism"
        case ssl.SSLError() | ConnectionResetError() if security.protocol.endswith("SSL"):
            told = (
                f"does not agree on TLS ({error}): is protocol right, and does ca_file hold the"
                " authority that signed its certificate?"
            )
        case _HungUp() if not security.protocol.startswith("SASL"):
            told = (
                f"hangs up on protocol {security.protocol}: does it want a login or TLS?"
                " Set protocol, and what belongs to it"
            )
        case _:
            return None
    return f"Kafka at {server} {told} ({_KEYS})"


class _HungUp(Exception):
    """The broker accepted the connection, and closed it at the first request."""


async def _log_in(server: str, options: Mapping[str, Any]) -> None:
    host, _, port = server.rpartition(":")
    connection = await create_conn(
        host,
        int(port),
        client_id="headrace-login",
        request_timeout_ms=int(_TIMEOUT_SECONDS * 1000),
        **options,
    )
    try:
        # A listener that wants a login answers only the question for its versions before it.
        await connection.send(MetadataRequest([]))
    except KafkaConnectionError as error:
        raise _HungUp from error
    finally:
        connection.close()


def _options(security: KafkaSecurity) -> Mapping[str, Any]:
    options: dict[str, Any] = {"security_protocol": security.protocol}
    if security.protocol.endswith("SSL"):
        options["ssl_context"] = ssl.create_default_context(cafile=security.ca_file)
    if security.mechanism is not None and security.password is not None:
        options["sasl_mechanism"] = security.mechanism
        options["sasl_plain_username"] = security.username
        options["sasl_plain_password"] = security.password.get_secret_value()
    return options
