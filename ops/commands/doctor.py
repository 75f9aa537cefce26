"""``headrace doctor``: what is wrong with the hub and around it, and what to do."""

from __future__ import annotations

import typer

from ops.commands.failures import FAILED
from ops.commands.options import ConfigOption, JsonOption, prepare


def doctor(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Look at broker, database, registry, folders, clocks and each source, and say what to do.

    Nothing is started or changed; it may run beside the hub. The exit status is 1 where
    something failed.
    """
    from hub.validation import SettingsError
    from ops.doctor.examining import examine
    from ops.doctor.finding import as_answer, failed
    from ops.presenting.console import show
    from ops.presenting.status import findings_table

    try:
        findings = list(examine(prepare(config)))
    except SettingsError as error:
        findings = [failed("configuration", str(error), "mend the keys that are named")]
    answer = as_answer(findings)
    show(answer, as_json, findings_table(answer))
    if not answer["healthy"]:
        raise typer.Exit(FAILED)
