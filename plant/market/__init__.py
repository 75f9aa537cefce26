"""The market side of the plant: who buys, how it is sold, charged and paid."""
