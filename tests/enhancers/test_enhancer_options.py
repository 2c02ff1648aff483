import pytest

from enhancers import EnhancerError
from enhancers.options import require_flag, require_integer, require_number

HUGE = 10**400


def test_what_is_right_passes():
    for flag in (True, False):
        require_flag("denoise", flag)
    for integer in (1, 12, 64):
        require_integer("scale_factor", integer, 1, 64)
    for number in (0.01, 1, 5.5, 100):
        require_number("ratio", number, 0.01, 100)


@pytest.mark.parametrize("value", ["yes", 1, 0, None, [True], 1.0])
def test_flags_are_exact(value):
    with pytest.raises(EnhancerError) as caught:
        require_flag("denoise", value)
    assert str(caught.value) == f"denoise must be true or false, not {value!r}"


@pytest.mark.parametrize("value", [True, False, 0, 65, 12.0, "12", None, 1e9, float("nan"), HUGE])
def test_integers_are_exact_and_in_range(value):
    said = "^scale_factor must be a whole number from 1 to 64, not "
    with pytest.raises(EnhancerError, match=said):
        require_integer("scale_factor", value, 1, 64)


@pytest.mark.parametrize("value", [True, 0, -1.0, 100.5, "5", None, float("nan"), 1e308, HUGE])
def test_numbers_are_in_range(value):
    with pytest.raises(EnhancerError, match="^ratio must be a number from 0.01 to 100, not "):
        require_number("ratio", value, 0.01, 100)


def test_long_values_are_shortened():
    for value in (HUGE, "long" * 100, [0] * 1000):
        with pytest.raises(EnhancerError) as caught:
            require_number("ratio", value, 0.01, 100)
        assert len(str(caught.value)) < 100
