"""The error a user of this package sees when an argument or a file is wrong."""


class AtmosphereInputError(ValueError):
    """A wrong argument or profile; the message is one line that names what was wrong."""
