"""What the CRM writes: accounts, contacts, users, leads, opportunities, visits; targets beside."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from plant.documents import (
    CRM,
    ERP,
    Contact,
    Employee,
    Lead,
    Opportunity,
    Target,
    Visit,
)
from plant.parameters import FIRST_DAY
from plant.systems.exporting import Delivery
from plant.systems.flaws import CSV_BREAKS, JSON_BREAKS, emptied, impossible_day, worded
from plant.systems.hearing import Heard
from plant.systems.numbers import Numbering, share
from plant.systems.spelling import spelled
from plant.systems.tables import JsonTable, Table
from plant.systems.telling import DELETED, EXISTS

_FROM_UTC = timedelta(hours=8)
_KNOWS_STAFF_NUMBER = 0.7
_TAIL = " Id IsDeleted SystemModstamp"


def _table(stem: str, columns: str) -> JsonTable:
    return JsonTable(
        stem, tuple((columns + _TAIL).split()), "utf-8", changed="%Y-%m-%dT16:00:00.000000Z"
    )


ACCOUNT = _table(
    "Account",
    "Name Tax_Number__c Phone Website Email__c BillingStreet BillingCity BillingPostalCode"
    " BillingCountryCode Industry AnnualRevenue CurrencyIsoCode Rating Credit_Limit__c"
    " Payment_Terms__c OwnerId ParentId ERP_Number__c CreatedDate",
)
CONTACT = _table(
    "Contact",
    "Name AccountId Title Influence__c ReportsToId Phone Email",
)
USER = _table("User", "Name Department Division ManagerId EmployeeNumber")
LEAD = _table(
    "Lead",
    "Company AccountId LeadSource Description Product_Code__c Budget__c CurrencyIsoCode OwnerId"
    " Status CreatedDate Closed_On__c ConvertedOpportunityId",
)
OPPORTUNITY = _table(
    "Opportunity",
    "Name AccountId StageName Loss_Reason__c Amount CurrencyIsoCode Probability CreatedDate"
    " CloseDate Closed_On__c OwnerId Team__c LeadSource OpportunityLineItems",
)
EVENT = _table(
    "Event", "OwnerId WhatId ActivityDate Subject Description Expense__c CurrencyIsoCode"
)
#: Kept by the head of sales in a spreadsheet.
TARGET = Table(
    "销售目标",
    ("工号", "开始", "结束", "销售目标", "毛利率", "回款目标", "工作日"),
    "gbk",
    by="day",
)

_STAGES = {
    "identify": "Prospecting",
    "qualify": "Qualification",
    "develop": "Needs Analysis",
    "propose": "Proposal/Price Quote",
    "won": "Closed Won",
    "lost": "Closed Lost",
}
_LEAD_STATUSES = {
    "open": "Open - Not Contacted",
    "qualified": "Working - Contacted",
    "converted": "Closed - Converted",
    "dropped": "Closed - Not Converted",
}
_CHANNELS = {
    "customer": "Customer Referral",
    "dealer": "Partner",
    "salesperson": "Sales Rep",
    "campaign": "Campaign",
    "call_centre": "Phone Inquiry",
    "web": "Web",
}
_INFLUENCES = {
    "decides": "Decision Maker",
    "recommends": "Evaluator",
    "uses": "User",
    "blocks": "Blocker",
}

_CHANGED = impossible_day("SystemModstamp", "not_an_instant", "2024-02-30T08:00:00Z")
_NAMELESS = emptied("Id", "no_key", "the record has no id")
_ACCOUNT_BREAKS = (
    *JSON_BREAKS,
    _CHANGED,
    _NAMELESS,
    worded("AnnualRevenue", "not_a_number", "words stand in an amount", "ca. 3 Mio"),
    worded("CurrencyIsoCode", "currency", "the currency is not of ISO 4217", "RMB"),
)
_PLAIN_BREAKS = (*JSON_BREAKS, _CHANGED, _NAMELESS)
_LEAD_BREAKS = (
    *_PLAIN_BREAKS,
    worded("Status", "unknown_value", "the status is one that nobody knows", "Parked"),
)
_OPPORTUNITY_BREAKS = (
    *_PLAIN_BREAKS,
    worded("StageName", "unknown_value", "the stage is one that nobody knows", "Negotiation?"),
    worded("Probability", "probability", "the probability is above 100 %", "250"),
    worded("CurrencyIsoCode", "currency", "the currency is not of ISO 4217", "RMB"),
    worded("CloseDate", "not_a_date", "a date does not exist", "2024-11-31"),
    emptied("StageName", "unknown_value", "the stage is missing"),
)
_EVENT_BREAKS = (
    *_PLAIN_BREAKS,
    emptied("ActivityDate", "not_the_contract", "the day of the visit is missing"),
)
_TARGET_BREAKS = (
    *CSV_BREAKS,
    worded("销售目标", "not_a_number", "words stand in an amount", "一百万"),
    emptied("工号", "no_key", "nobody is named"),
)


def account(heard: Heard, numbering: Numbering, said: dict[str, Any]) -> Delivery:
    """A customer, with what is ``said`` of its city, credit limit, rating and terms."""
    customer = heard.customer
    written = spelled(numbering.seed, CRM, customer)
    number = numbering.customer(CRM, customer.key)
    known = written.cross_referenced and ERP in customer.known_in
    row = [
        written.name,
        written.tax_id or None,
        written.phone or None,
        f"www.{written.domain}" if written.domain else None,
        written.email or None,
        written.street or None,
        said["city"] or written.city,
        written.postcode or None,
        customer.country,
        customer.industry,
        _number(customer.annual_spend),
        customer.currency,
        said["rating"],
        _number(said["credit_limit"]),
        said["terms"],
        numbering.employee(CRM, customer.owner),
        None if customer.parent is None else numbering.customer(CRM, customer.parent),
        numbering.customer(ERP, customer.key) if known else None,
        f"{written.registered_on if heard.since == FIRST_DAY else heard.since}",
    ]
    return _delivery("customer", customer.key, number, ACCOUNT, row, heard.at, _ACCOUNT_BREAKS)


def contact(one: Contact, numbering: Numbering, at: datetime) -> Delivery:
    """A person at a customer."""
    boss = one.reports_to
    row = [
        one.name,
        numbering.customer(CRM, one.customer),
        one.role,
        _INFLUENCES[one.influence],
        None if boss is None else numbering.crm("contact", boss),
        one.phone,
        one.email,
    ]
    number = numbering.crm("contact", one.key)
    return _delivery("contact", one.key, number, CONTACT, row, at, _PLAIN_BREAKS)


def user(employee: Employee, numbering: Numbering, at: datetime) -> Delivery:
    """Somebody who sells or manages."""
    known = share(f"{numbering.seed}/crm/staff/{employee.key}") < _KNOWS_STAFF_NUMBER
    manager = employee.manager
    row = [
        employee.latin,
        employee.team,
        employee.unit,
        None if manager is None else numbering.employee(CRM, manager),
        numbering.employee(ERP, employee.key) if known else None,
    ]
    number = numbering.employee(CRM, employee.key)
    return _delivery("employee", employee.key, number, USER, row, at, _PLAIN_BREAKS)


def lead(one: Lead, numbering: Numbering, at: datetime) -> Delivery:
    """Somebody who may want something."""
    row = [
        one.company,
        None if one.customer is None else numbering.customer(CRM, one.customer),
        _CHANNELS[one.channel],
        one.need,
        None if one.product is None else numbering.product(ERP, one.product),
        _number(one.budget),
        "CNY",
        numbering.employee(CRM, one.owner),
        _LEAD_STATUSES[one.status],
        str(one.opened_on),
        _day(one.closed_on),
        None if one.opportunity is None else numbering.crm("opportunity", one.opportunity),
    ]
    return _delivery("lead", one.key, numbering.crm("lead", one.key), LEAD, row, at, _LEAD_BREAKS)


def opportunity(one: Opportunity, numbering: Numbering, at: datetime) -> Delivery:
    """A sale that may come, with its lines inside it."""
    lines = [
        {
            "LineNumber": line.number,
            "ProductCode": None if line.product is None else numbering.product(ERP, line.product),
            "Quantity": _number(line.quantity),
            "TotalPrice": _number(line.net),
            "ServiceDate": _day(line.wanted_on),
        }
        for line in one.lines
    ]
    row = [
        one.title,
        numbering.customer(CRM, one.customer),
        _STAGES[one.stage],
        one.loss_reason,
        _number(one.amount),
        one.currency,
        _number(one.probability * 100),
        str(one.opened_on),
        str(one.expected_close_on),
        _day(one.closed_on),
        numbering.employee(CRM, one.owner),
        one.team,
        _CHANNELS.get(one.channel, one.channel),
        {"totalSize": len(lines), "done": True, "records": lines},
    ]
    number = numbering.crm("opportunity", one.key)
    made = _delivery(
        "opportunity", one.key, number, OPPORTUNITY, row, at, _OPPORTUNITY_BREAKS, one.deleted
    )
    made.state |= DELETED if one.deleted else 0
    return made


def event(visit: Visit, numbering: Numbering, at: datetime) -> Delivery:
    """A salesperson's visit to a customer."""
    row = [
        numbering.employee(CRM, visit.salesperson),
        numbering.customer(CRM, visit.customer),
        str(visit.visited_on),
        visit.purpose,
        visit.result,
        _number(visit.expense),
        "CNY",
    ]
    number = numbering.crm("visit", visit.key)
    return _delivery("visit", visit.key, number, EVENT, row, at, _EVENT_BREAKS)


def target(one: Target, numbering: Numbering) -> Delivery:
    """What a salesperson is to reach, as somebody types it: with commas, percent and short days."""
    number = numbering.employee(ERP, one.salesperson)
    margin = one.margin * 100 / one.sales if one.sales else Decimal(0)
    row = [
        number,
        _typed(one.first),
        _typed(one.last),
        f"{one.sales:,.2f}",
        f"{margin:.1f}%",
        f"{one.collections:,.2f}",
        str(one.working_days),
    ]
    return Delivery("target", one.key, f"{number}|{_typed(one.first)}", TARGET, row, _TARGET_BREAKS)


def _delivery(
    document: str,
    key: int,
    number: str,
    table: JsonTable,
    row: list[Any],
    at: datetime,
    breaks: Any,
    deleted: bool = False,
) -> Delivery:
    row += [number, deleted, f"{(at - _FROM_UTC).isoformat(timespec='microseconds')}Z"]
    return Delivery(document, key, number, table, row, breaks, state=EXISTS, moment=str(at))


def _number(value: Decimal | None) -> Any:
    """A number as JSON has it; texts keep all digits where a float would not."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _day(value: date | None) -> str | None:
    return None if value is None else str(value)


def _typed(day: date) -> str:
    return f"{day.year}/{day.month}/{day.day}"
