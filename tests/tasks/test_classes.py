import pytest

from tasks.classes import resolve_classes
from tasks.errors import TaskError


def test_the_evaluators_order_wins_and_spelling_may_differ():
    assert resolve_classes(("sky", "sign_symbol"), ("sky", "sign"), 2) == ("sky", "sign")
    assert resolve_classes(("a", "b"), None, 2) == ("a", "b")
    assert resolve_classes(None, ("a", "b"), 2) == ("a", "b")


@pytest.mark.parametrize(
    ("task", "evaluator", "outputs", "message"),
    [
        (None, None, 2, "no class names"),
        (("a", "b"), None, 3, "3 classes, the task 2"),
        (("a", "b"), ("b", "a"), 2, "'a' is number 0 in the task but 1 in the evaluator"),
        (None, ("a", "b"), 3, "3 outputs but 2 class names"),
    ],
)
def test_lists_that_do_not_agree(task, evaluator, outputs, message):
    with pytest.raises(TaskError, match=message):
        resolve_classes(task, evaluator, outputs)
