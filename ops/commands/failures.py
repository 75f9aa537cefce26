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
    "connectors.files.units.SourcePathError": MISUSED,
    "ops.embedded.folder.FolderInUse": FAILED,
    "ops.embedded.server.ServerFailed": FAILED,
    "ops.embedded.jars.JarsUnavailable": FAILED,
    "ops.attaching.NotRunning": FAILED,
    "sinks.positions.PositionError": FAILED,
    "hub.kafka.TopicMissing": FAILED,
    "kafka.errors.KafkaError": FAILED,
    "psycopg.OperationalError": FAILED,
    "sqlalchemy.exc.OperationalError": FAILED,
}


def explain(error: BaseException) -> tuple[str, int] | None:
    """What to tell the person about ``error``, and the exit status; None for a bug of ours."""
    for kind in type(error).__mro__:
        status = _KNOWN.get(f"{kind.__module__}.{kind.__qualname__}")
        if status is not None:
            return str(error).strip() or kind.__qualname__, status
    return None
