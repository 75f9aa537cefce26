"""Turns errors that a person can do something about into a sentence and an exit status."""

from __future__ import annotations

#: Something was left undone.
FAILED = 1
#: The command line or the configuration is wrong (as typer has it).
MISUSED = 2

# By name: to know an error must not cost every command the import of all these modules.
_KNOWN = {
    "hub.validation.SettingsError": MISUSED,
    "connectors.mapping.problems.MappingError": MISUSED,
    "connectors.errors.SourceError": MISUSED,
    "plant.systems.writing.NotThisPlant": MISUSED,
    "plant.systems.database.DatabaseUnusable": MISUSED,
    "sqlalchemy.exc.ArgumentError": MISUSED,
    "schemas.canonical.InvalidSchema": MISUSED,
    "schemas.releasing.NotReleased": FAILED,
    "sinks.registry.errors.RegistryError": FAILED,
    "hub.registry.RegistryRefused": MISUSED,
    "hub.registry.RegistryUnreachable": FAILED,
    "sinks.tokens.TokenExists": MISUSED,
    "ops.embedded.folder.FolderInUse": FAILED,
    "ops.embedded.server.ServerFailed": FAILED,
    "ops.embedded.jars.JarsUnavailable": FAILED,
    "ops.attaching.NotRunning": FAILED,
    "sinks.positions.PositionError": FAILED,
    "hub.kafka.TopicMissing": FAILED,
    "hub.kafka_login.LoginRefused": FAILED,
    "ops.slots.SlotsTaken": FAILED,
    "kafka.errors.KafkaError": FAILED,
    "psycopg.OperationalError": FAILED,
    "sqlalchemy.exc.OperationalError": FAILED,
}


def explain(error: BaseException) -> tuple[str, int] | None:
    """What to tell the person about ``error``, and the exit status; None for a bug of ours."""
    for kind in type(error).__mro__:
        status = _KNOWN.get(f"{kind.__module__}.{kind.__qualname__}")
        if status is not None:
            return _sentence(error) or kind.__qualname__, status
    return None


def _sentence(error: BaseException) -> str:
    # SQLAlchemy wraps the server's own words in a link for programmers.
    text = str(getattr(error, "orig", None) or error).strip()
    if "authentication failed" in text:
        text += " (is its password right in database:, or in HEADRACE_DATABASE?)"
    return text
