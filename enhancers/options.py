"""Checks of a constructor's options: plain values, as recipes and checkpoints hold them."""

from reprlib import repr as shown

from enhancers.errors import EnhancerError


def require_flag(name: str, value: object) -> None:
    """EnhancerError unless `value` is True or False."""
    if not isinstance(value, bool):
        raise EnhancerError(f"{name} must be true or false, not {shown(value)}")


def require_integer(name: str, value: object, low: int, high: int) -> None:
    """EnhancerError unless `value` is an int in [low, high]; true is none."""
    if type(value) is not int or not low <= value <= high:
        raise EnhancerError(
            f"{name} must be a whole number from {low} to {high}, not {shown(value)}"
        )


def require_number(name: str, value: object, low: float, high: float) -> None:
    """EnhancerError unless `value` is an int or float in [low, high]; true and NaN are none."""
    if type(value) not in (int, float) or not low <= value <= high:
        raise EnhancerError(f"{name} must be a number from {low} to {high}, not {shown(value)}")
