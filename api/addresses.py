"""Where the HTTP door is found."""

from __future__ import annotations

from hub.settings import Api, Settings


def limits_of(settings: Settings) -> Api:
    """The door of the configuration, or that of its defaults."""
    return settings.api or Api()


def at_port(limits: Api, port: int) -> Api:
    """The same door at another port."""
    return limits.model_copy(update={"port": port})


def address_of(limits: Api) -> str:
    """Its address, for people and clients."""
    host = f"[{limits.host}]" if ":" in limits.host else limits.host
    return f"http://{host}:{limits.port}"
