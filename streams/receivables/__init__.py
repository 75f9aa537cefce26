"""The receivables view: what each customer owes, since when and in which ageing bucket."""
