import pytest

from tasks.classes import resolve_classes
from tasks.errors import TaskError


def test_ids_allow_another_spelling_but_no_other_order():
    resolved = resolve_classes(("sky", "sign_symbol"), ("sky", "sign"), 2, by_name=False)
    assert resolved == ("sky", "sign")
    with pytest.raises(TaskError, match="'a' is number 0 in the task but 1 in the evaluator"):
        resolve_classes(("a", "b"), ("b", "a"), 2, by_name=False)


@pytest.mark.parametrize(
    ("task", "evaluator"),
    [("traffic light", "traffic_light"), ("Road", "road"), ("sign", "traffic sign")],
)
def test_one_class_may_be_spelt_differently(task, evaluator):
    assert resolve_classes((task, "x"), (evaluator, "x"), 2, by_name=False)[0] == evaluator


def test_a_class_of_another_name_needs_a_class_map():
    with pytest.raises(TaskError, match="class 1 is 'pavement' .*'car' in the evaluator; a class"):
        resolve_classes(("sky", "pavement"), ("sky", "car"), 2, by_name=False)


def test_names_allow_another_order_but_no_other_spelling():
    assert resolve_classes(("a", "b"), ("b", "a"), 2, by_name=True) == ("b", "a")
    with pytest.raises(TaskError, match="'sign_symbol' of the task is none of the evaluator's"):
        resolve_classes(("sky", "sign_symbol"), ("sky", "sign"), 2, by_name=True)


@pytest.mark.parametrize("by_name", [True, False])
def test_one_list_is_enough(by_name):
    assert resolve_classes(("a", "b"), None, 2, by_name) == ("a", "b")
    assert resolve_classes(None, ("a", "b"), 2, by_name) == ("a", "b")


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize(
    ("task", "evaluator", "outputs", "message"),
    [
        (None, None, 2, "no class names"),
        (("a", "b"), None, 3, "3 classes, the task 2"),
        (None, ("a", "b"), 3, "3 outputs but 2 class names"),
    ],
)
def test_missing_lists_and_wrong_numbers(task, evaluator, outputs, message, by_name):
    with pytest.raises(TaskError, match=message):
        resolve_classes(task, evaluator, outputs, by_name)
