"""The database source: rows of tables by a change column, an outbox or a comparison."""
