"""Report of a simulation run as one HTML page."""
