"""The clock that a setting can fix, and ids that never change."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from hub.clock import business_date, utc_now
from hub.ids import customer_uuid
from hub.settings import Company, Settings

COMPANY = Company(name="Plant", base_currency="CNY", time_zone="Asia/Shanghai")


def test_the_business_date_is_the_companys_not_that_of_utc() -> None:
    evening = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
    assert business_date(Settings(company=COMPANY), evening) == date(2026, 11, 21)


def test_a_setting_fixes_the_business_date() -> None:
    settings = Settings(company=COMPANY, business_date=date(2020, 2, 29))
    assert business_date(settings) == date(2020, 2, 29)


def test_now_is_aware_and_in_utc() -> None:
    assert utc_now().tzinfo is UTC


def test_a_customers_id_follows_from_its_key_alone_and_for_ever() -> None:
    assert customer_uuid("s4|320000083") == UUID("6f9e0769-2e3b-5b9b-b2f1-20b124a7733a")
    assert customer_uuid("s4|320000083") != customer_uuid("crm|320000083")
