"""Back-tracking of charged particles through the field: whether one of a given rigidity can reach a place."""
