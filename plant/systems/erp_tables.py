"""The tables of the ERP, a K/3 on SQL Server: their columns, and what a database holds in them."""

from __future__ import annotations

from enum import Enum

from plant.systems.tables import Table

ENCODING = "gb18030"


class Kind(Enum):
    """The type of a column in the database; FOREIGN ones stand in the exports alone.

    The export queries join numbers to the internal ids of other tables, since nobody outside knows
    these.
    """

    ID = "id"
    WHOLE = "whole"
    MONEY = "money"
    QUANTITY = "quantity"
    RATE = "rate"
    DAY = "day"
    TEXT = "text"
    FOREIGN = "foreign"


#: By table, each column with its kind; the first one is the primary key.
COLUMNS: dict[str, dict[str, Kind]] = {}


CHANGED = "%Y-%m-%d 00:00:00.000"


def _table(stem: str, columns: str, by: str = "month", changed: str = CHANGED) -> Table:
    kinds = dict(each.split(":") for each in columns.split())
    COLUMNS[stem] = {name: Kind(kind) for name, kind in kinds.items()}
    return Table(stem, tuple(kinds), ENCODING, by=by, changed=changed)


ORGANIZATION = _table(
    "t_Organization",
    "FItemID:id FNumber:text FName:text FTaxNum:text FCountry:text FProvince:text FCity:text"
    " FAddress:text FPostalCode:text FPhone:text FEmail:text FHomePage:text FTradeName:text"
    " FEmployee:whole FEmpNumber:foreign FParentNumber:text FCreditLimit:money FCreditLevel:text"
    " FCyID:whole FPayCondition:text FPayMonths:foreign FPayMonthEnd:foreign FPayDays:foreign"
    " FStatus:whole FDeleted:whole FRegDate:day FModifyDate:day",
)
ITEM = _table(
    "t_ICItem",
    "FItemID:id FNumber:text FName:text FModel:text FTypeName:text FUnitName:text FOrderPrice:money"
    " FFixLeadTime:whole FProductLine:text F_110:whole F_111:whole F_112:whole FReplaceNumber:text"
    " FModifyDate:day",
)
EMPLOYEE = _table(
    "t_Emp",
    "FItemID:id FNumber:text FName:text FDepartmentName:text FGroupName:text FManagerNumber:text"
    " FModifyDate:day",
)
RATE = _table(
    "t_ExchangeRateEntry",
    "FEntryID:id FCyFor:text FCyTo:text FExchangeRate:rate FBegDate:day",
    changed="",
)
STOCK = _table(
    "ICInventory",
    "FItemID:whole FItemNumber:foreign FStockID:text FQty:quantity FCheckDate:day",
    by="day",
    changed="",
)
ORDER = _table(
    "SEOrder",
    "FInterID:id FBillNo:text FClassTypeID:whole FChangeMark:whole FDate:day FCustID:whole"
    " FCustNumber:foreign FCurrencyID:whole FExchangeRate:rate FEmpID:whole FEmpNumber:foreign"
    " FPayCondition:text FPayMonths:foreign FPayMonthEnd:foreign FPayDays:foreign"
    " FHeadSelfS0151:text FHeadSelfS0152:text FStatus:whole FClosed:whole FCancellation:whole"
    " FCancelDate:day FDelMark:foreign FModifyDate:day",
)
ORDER_ENTRY = _table(
    "SEOrderEntry",
    "FDetailID:id FInterID:whole FEntryID:whole FItemID:whole FItemNumber:foreign FAuxQty:quantity"
    " FAuxPrice:quantity FAmount:money FTaxRate:quantity FTaxAmount:money FCess:quantity"
    " FTaxAmt:money FAllAmount:money FDate:day FAdviceConsignDate:day FEntrySelfS0161:quantity"
    " FMrpClosed:whole FModifyDate:day",
)
STOCK_BILL = _table(
    "ICStockBill",
    "FInterID:id FBillNo:text FTranType:whole FROB:whole FDate:day FSupplyID:whole"
    " FSupplyNumber:foreign FHeadSelfB0151:day FHeadSelfB0152:day FFetchDate:day"
    " FHeadSelfB0153:day FHeadSelfB0154:text FHeadSelfB0155:text FStatus:whole"
    " FCancellation:whole FModifyDate:day",
)
STOCK_BILL_ENTRY = _table(
    "ICStockBillEntry",
    "FDetailID:id FInterID:whole FEntryID:whole FItemID:whole FItemNumber:foreign FAuxQty:quantity"
    " FOrderBillNo:text FOrderEntryID:whole FSNListIDs:text FModifyDate:day",
)
SALE = _table(
    "ICSale",
    "FInterID:id FBillNo:text FTranType:whole FROB:whole FDate:day FFincDate:day FCustID:whole"
    " FCustNumber:foreign FCurrencyID:whole FExchangeRate:rate FEmpID:whole FEmpNumber:foreign"
    " FPayCondition:text FPayMonths:foreign FPayMonthEnd:foreign FPayDays:foreign"
    " FOrderBillNo:text FSourceBillNo:text FHeadSelfI0451:text FPlanID:whole FStatus:whole"
    " FCancellation:whole FModifyDate:day",
)
SALE_ENTRY = _table(
    "ICSaleEntry",
    "FDetailID:id FInterID:whole FEntryID:whole FItemID:whole FItemNumber:foreign FAuxQty:quantity"
    " FAmount:money FTaxRate:quantity FTaxAmount:money FOrderBillNo:text FOrderEntryID:whole"
    " FSourceBillNo:text FModifyDate:day",
)
PLAN = _table(
    "t_rp_plan_Ar",
    "FDetailID:id FOrgID:whole FInterID:whole FEntryID:whole FDate:day FAmountFor:money"
    " FModifyDate:day",
)
DISPUTE = _table(
    "t_Dispute",
    "FID:id FInterID:whole FBeginDate:day FEndDate:day FReason:text FModifyDate:day",
)
RECEIVE_BILL = _table(
    "t_RP_NewReceiveBill",
    "FBillID:id FNumber:text FDate:day FCustomer:whole FCustNumber:foreign FPre:whole"
    " FClassTypeID:whole FCurrencyID:whole FExchangeRate:rate FReceiveAmountFor:money"
    " FExplanation:text FReverseDate:day FStatus:whole FModifyDate:day",
)
CHECK = _table(
    "t_RP_NewCheckInfo",
    "FID:id FContactID:whole FBillNo:text FType:whole FInvoiceNo:text FPlanEntryID:whole"
    " FCheckDate:day FCheckAmountFor:money FModifyDate:day",
)
