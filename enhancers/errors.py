"""The one error that this package raises for a user's mistake."""


class EnhancerError(ValueError):
    """Wrong option, weights or data, told in one line that names what to change."""
