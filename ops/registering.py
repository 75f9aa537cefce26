"""Sees at the start of a hub that an outside registry knows its contracts."""

from __future__ import annotations

from hub.log import get_logger
from hub.settings import Settings
from schemas.versions import contracts

log = get_logger(__name__)


def register_contracts(settings: Settings) -> None:
    """Register the hub's contracts in the registry of the settings, if they name one.

    Raises:
        RegistryUnreachable: it does not answer.
        RegistryRefused: one of our ids is another schema's there, or it takes no ids.
    """
    if settings.registry is None:
        return
    # A hub with the registry of its own does without this import.
    from hub.registry import OutsideRegistry

    with OutsideRegistry(settings.registry) as registry:
        imported = registry.ensure(contracts())
    log.info("contracts_registered", registry=registry.name, imported=len(imported))
