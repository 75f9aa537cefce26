"""The doors in: sources, the mapping engine and the mapping profiles shipped with the hub."""
