"""A generated manufacturer: its five systems' exports, as awkward as real ones, and the truth."""
