"""What happens in the plant, as documents that name each other by the world's own keys.

A key is a whole number, unique in its type and known to nobody in the plant: each system writes its
own numbers. A document is recorded whole at each of its changes. Amounts are in the document's
currency, `_on` is a business date of the plant.
"""

from __future__ import annotations

from plant.documents.charging import (
    Allocation,
    Dispute,
    Instalment,
    Invoice,
    InvoiceLine,
    Payment,
    Rate,
)
from plant.documents.parties import (
    Company,
    Contact,
    Customer,
    Employee,
    Name,
    Terms,
)
from plant.documents.selling import (
    Lead,
    Opportunity,
    OpportunityLine,
    Order,
    OrderLine,
    Target,
    Visit,
)
from plant.documents.serving import (
    BuiltInPart,
    Call,
    Case,
    Equipment,
    ServiceVisit,
    UsedPart,
)
from plant.documents.supplying import (
    Capacity,
    Product,
    Production,
    Shipment,
    ShipmentLine,
    Stock,
)

#: The five systems, by the name that the hub knows them by.
ERP, CRM, MES, CALLS, SERVICE = SYSTEMS = ("erp", "crm", "mes", "calls", "service")

Document = (
    Customer
    | Contact
    | Employee
    | Product
    | Lead
    | Opportunity
    | Visit
    | Target
    | Order
    | Production
    | Stock
    | Capacity
    | Shipment
    | Invoice
    | Payment
    | Rate
    | Call
    | Case
    | ServiceVisit
    | Equipment
)

__all__ = [
    "Allocation",
    "BuiltInPart",
    "CALLS",
    "CRM",
    "Call",
    "Capacity",
    "Case",
    "Company",
    "Contact",
    "Customer",
    "Dispute",
    "Document",
    "ERP",
    "Employee",
    "Equipment",
    "Instalment",
    "Invoice",
    "InvoiceLine",
    "Lead",
    "MES",
    "Name",
    "Opportunity",
    "OpportunityLine",
    "Order",
    "OrderLine",
    "Payment",
    "Product",
    "Production",
    "Rate",
    "SERVICE",
    "SYSTEMS",
    "ServiceVisit",
    "Shipment",
    "ShipmentLine",
    "Stock",
    "Target",
    "Terms",
    "UsedPart",
    "Visit",
]
