"""How primaries are drawn and placed: analog, rotated, targeted and overhead sampling with their weights."""
