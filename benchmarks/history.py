"""Years of business by the minute: processed documents are multiplied, each copy with its number.

The copies stand in the tables as if they had been processed: facts with their bodies and digests,
open items, receipts, allocations, balances. (`tests/benchmarks` compares both.) Documents with
larger numbers may stand there, too; they are not copied.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from benchmarks.documents import Document, renumbered
from sinks.database import connect
from sinks.tables import metadata


def _key(column: str) -> str:
    """Return SQL for a key with its number raised by ``{by}``: ``erp|RE00000017``."""
    return f"left({column}, 6) || lpad((right({column}, 8)::int8 + {{by}})::text, 8, '0')"


def _body(body: str, column: str) -> str:
    """Return SQL for an Avro body in which the id of the key in ``column`` is the raised one."""
    id, raised = (f"convert_to(right({key}, 10), 'UTF8')" for key in (column, f"({_key(column)})"))
    return f"overlay({body} PLACING {raised} FROM position({id} IN {body}))"


def _copy(table: str, rows: str, prefix: str, **changed: str) -> str:
    """Return the query of a table's copies: its columns, but ``changed`` by their SQL.

    ``rows`` is its FROM clause, where the table is called ``one``; of its keys, those with
    ``prefix`` and a number below ``{below}`` are copied.
    """
    columns = [column.name for column in metadata.tables[table].columns]
    values = ", ".join(changed.get(name, f"one.{name}") for name in columns)
    where = f"one.key >= '{prefix}' AND one.key < '{prefix}{{below}}'"
    return f"SELECT {values} FROM {rows} WHERE {where} ORDER BY one.key"


#: The digest is that of the body behind the version, which takes eight bytes in these documents.
_FACT = {
    "key": _key("one.key"),
    "digest": "sha256(substring(copy.body FROM 9))",
    "body": "copy.body",
}

#: By table, what to copy.
_COPIES = {
    "fact_invoice": _copy(
        "fact_invoice",
        f"fact_invoice AS one, LATERAL (SELECT {_body('one.body', 'one.key')} AS body) AS copy",
        "erp|RE",
        **_FACT,
    ),
    "fact_payment": _copy(
        "fact_payment",
        f"""fact_payment AS one JOIN receivable_allocations AS allocation
            ON (allocation.document, allocation.key) = ('payment', one.key),
        LATERAL (SELECT {_body("one.body", "one.key")} AS body) AS half,
        LATERAL (SELECT {_body("half.body", "allocation.invoice_key")} AS body) AS copy""",
        "erp|ZE",
        **_FACT,
    ),
    "receivable_invoices": _copy(
        "receivable_invoices", "receivable_invoices AS one", "erp|RE", key=_key("one.key")
    ),
    "receivable_receipts": _copy(
        "receivable_receipts", "receivable_receipts AS one", "erp|ZE", key=_key("one.key")
    ),
    "receivable_allocations": _copy(
        "receivable_allocations",
        "receivable_allocations AS one",
        "erp|ZE",
        key=_key("one.key"),
        invoice_key=_key("one.invoice_key"),
    ),
}


#: Adds to the balances what the copied open items and receipts add up to, ``{times}`` times.
_BALANCES = """
    UPDATE receivable_balances AS balance
    SET items = balance.items + added.items * {times},
        open_amount = balance.open_amount + added.open_amount * {times},
        unallocated = balance.unallocated + added.unallocated * {times}
    FROM (
        SELECT customer_key, currency, sum(items) AS items, sum(open_amount) AS open_amount,
            sum(unallocated) AS unallocated
        FROM (
            SELECT customer_key, currency, open_items AS items, open_amount, 0 AS unallocated
            FROM receivable_invoices WHERE key >= 'erp|RE' AND key < 'erp|RE{below}'
            UNION ALL
            SELECT customer_key, currency, 0, 0, unallocated
            FROM receivable_receipts WHERE key >= 'erp|ZE' AND key < 'erp|ZE{below}'
        ) AS one
        GROUP BY customer_key, currency
    ) AS added
    WHERE (balance.customer_key, balance.currency) = (added.customer_key, added.currency)
"""


def lay_in(
    url: str, number: int, copies: range, on_progress: Callable[[int], None] = lambda _: None
) -> None:
    """Lay in copies of documents of `invoices_and_payments` that were processed.

    Args:
        url: the database; it holds these documents and all copies before ``copies``.
        number: of the documents; their own numbers are below it.
        copies: which copies, 1 and up; the numbers of copy n are larger by n × ``number``.
        on_progress: told how many documents there are.
    """
    with connect(url, name="bench-reading") as reader, connect(url, name="bench") as writer:
        reader.autocommit = writer.autocommit = True
        with writer.transaction():
            for copy in copies:
                for table, query in _COPIES.items():
                    wanted = query.format(by=copy * number, below=f"{number:08d}")
                    with (
                        reader.cursor().copy(f"COPY ({wanted}) TO STDOUT (FORMAT binary)") as rows,
                        writer.cursor().copy(_into(table)) as target,
                    ):
                        for row in rows:
                            target.write(row)
                on_progress(number * (copy + 1))
            writer.execute(_BALANCES.format(times=len(copies), below=f"{number:08d}"))


def settle(url: str) -> None:
    """Have the server do now what it is not to do while we measure; all marks count as published.

    Before each job that is compared with another one, whatever filled the tables.
    """
    with connect(url, name="bench") as connection:
        connection.autocommit = True
        connection.execute("TRUNCATE outbox")
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


def _into(table: str) -> str:
    columns = ", ".join(column.name for column in metadata.tables[table].columns)
    return f"COPY {table} ({columns}) FROM STDIN (FORMAT binary)"


def open_invoices(
    still_open: Sequence[Document], number: int, times: int, wanted: int, seed: int = 2
) -> list[Document]:
    """Return ``wanted`` by chance of the invoices that are open after ``lay_in``.

    Args:
        still_open: of the documents that were processed.
        number: how many these were.
        times: how many times the history has them, with the copies.
        wanted: how many; all, in an order by chance, where there are no more.
        seed: of the chance.
    """
    number_open = len(still_open) * times
    return [
        renumbered(still_open[place % len(still_open)], place // len(still_open) * number)
        for place in random.Random(seed).sample(range(number_open), min(wanted, number_open))
    ]
