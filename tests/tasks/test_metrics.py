import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix as sklearn_confusion
from torchmetrics.classification import MulticlassJaccardIndex

from tasks import metrics

CLASSES, VOID = 5, 255


def random_maps(rng, absent=()):
    label = rng.integers(0, CLASSES, (40, 30))
    for index in absent:
        label[label == index] = VOID
    prediction = rng.integers(0, CLASSES, (40, 30))
    return torch.from_numpy(prediction), torch.from_numpy(label)


def test_confusion_matches_sklearn(rng):
    prediction, label = random_maps(rng, absent=[2])
    ours = metrics.confusion_matrix(prediction, label, CLASSES, VOID)
    counted = label != VOID
    theirs = sklearn_confusion(label[counted], prediction[counted], labels=range(CLASSES))
    assert ours.dtype == np.int64
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("absent", [(), (0,), (1, 4)])
def test_mean_iou_matches_torchmetrics_over_a_dataset(rng, absent):
    jaccard = MulticlassJaccardIndex(CLASSES, ignore_index=VOID, average="macro")
    total = 0
    for _ in range(3):
        prediction, label = random_maps(rng, absent)
        jaccard.update(prediction[None], label[None])
        total = total + metrics.confusion_matrix(prediction, label, CLASSES, VOID)
    assert metrics.mean_iou(total) == pytest.approx(jaccard.compute().item(), abs=1e-6)


def test_a_class_absent_from_both_does_not_count():
    confusion = np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]])
    np.testing.assert_allclose(metrics.class_iou(confusion), [3 / 4, 4 / 5, np.nan])
    assert metrics.mean_iou(confusion) == pytest.approx((3 / 4 + 4 / 5) / 2)


def test_a_class_only_predicted_scores_zero_and_counts():
    confusion = np.array([[3, 1], [0, 0]])
    np.testing.assert_allclose(metrics.class_iou(confusion), [3 / 4, 0])
    assert metrics.mean_iou(confusion) == pytest.approx(3 / 8)


def test_all_void_gives_no_score():
    assert np.isnan(metrics.mean_iou(np.zeros((3, 3), np.int64)))
    assert np.isnan(metrics.pixel_accuracy(np.zeros((3, 3), np.int64)))


def test_scores_take_stacks(rng):
    stack = rng.integers(0, 9, (4, 3, 3))
    for function in (metrics.mean_iou, metrics.pixel_accuracy):
        np.testing.assert_allclose(function(stack), [function(one) for one in stack])


def test_top1_weights_are_repeats(rng):
    correct = rng.random(10) < 0.5
    weight = rng.integers(0, 4, (6, 10))
    expected = [np.repeat(correct, row).mean() for row in weight]
    np.testing.assert_allclose(metrics.top1(correct, weight), expected)
    assert metrics.top1(correct) == correct.mean()
