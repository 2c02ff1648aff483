from tests.enhancers.synthetic import synthetic_state


def test_x():
    assert synthetic_state({"a.weight": (1,)})["a.weight"].shape == (1,)
