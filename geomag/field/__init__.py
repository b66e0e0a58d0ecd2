"""The main magnetic field: Gauss coefficients at a date (IGRF) and the field vector at a place, nT."""
