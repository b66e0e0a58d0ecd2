"""Files and their formats: results, event records, Honda and CSV flux tables, checksums."""
