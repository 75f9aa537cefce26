"""Names of companies and persons, and the words of texts."""
