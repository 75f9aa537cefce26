"""The one clock: instants in UTC, and the business date, which a setting can fix."""

from datetime import UTC, date, datetime

from hub.settings import Settings


def utc_now() -> datetime:
    """This instant, aware, in UTC."""
    return datetime.now(UTC)


def business_date(settings: Settings, now: datetime | None = None) -> date:
    """The date that counts for the business: the fixed one, else today where the company is.

    Args:
        settings: gives the fixed ``business_date`` or the company's time zone.
        now: an aware instant instead of the present one.
    """
    if settings.business_date is not None:
        return settings.business_date
    return (now or utc_now()).astimezone(settings.company.zone).date()
