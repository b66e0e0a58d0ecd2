"""Commands that read a result: tables, exports, asymmetries, figures, comparisons."""
