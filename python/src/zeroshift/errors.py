"""The error of this package."""


class ZeroshiftError(Exception):
    """A mistake of the user's. The message says what was found and what was expected."""
