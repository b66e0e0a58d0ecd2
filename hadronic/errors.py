"""The error that this package raises for input that a user can correct."""


class HadronicInputError(ValueError):
    """A model name, an energy, a species or a table that the package cannot use, said in one line."""
