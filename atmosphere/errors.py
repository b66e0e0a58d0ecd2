"""The exception for a wrong argument or file."""


class AtmosphereInputError(ValueError):
    """A wrong argument or profile; the message is one line that names what was wrong."""
