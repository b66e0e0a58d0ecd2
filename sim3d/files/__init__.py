"""File formats: results, event records, Honda and CSV flux tables, checksums and locks."""
