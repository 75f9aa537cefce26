"""The five systems of the plant: what each of them knows, and how it writes it."""
