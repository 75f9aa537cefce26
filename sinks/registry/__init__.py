"""The schema registry: subjects, versions and ids, kept in the hub's database."""
