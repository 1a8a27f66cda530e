"""Facts: submissions/ and its ledger -> relations in DuckDB, read by all cores and kept in a cache."""
