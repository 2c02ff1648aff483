import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score
from sklearn.metrics import confusion_matrix as sklearn_confusion
from torchmetrics.classification import MulticlassJaccardIndex

from tasks import metrics, mm

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
    np.testing.assert_allclose(metrics.mean(correct, weight), expected)
    assert metrics.mean(correct) == correct.mean()


NIGHT = 19


def adversarial_maps(rng):
    """(name, prediction, label) of 19 classes; predictions of 19 are void, labels of 255 too."""
    label = rng.integers(0, NIGHT, (12, 17))
    void = np.where(rng.random((12, 17)) < 0.5, 255, label)
    single = np.full((12, 17), 255)
    single[3, 4] = 7
    guess = rng.integers(0, NIGHT, (12, 17))
    with_void = np.where(rng.random((12, 17)) < 0.3, NIGHT, guess)
    yield "random", guess, label
    yield "right", label, label
    yield "half void", guess, void
    yield "classes absent from the truth", guess, np.where(label < 12, label, 0)
    yield "classes absent from both", guess % 5, label % 5
    yield "one class", np.zeros_like(label), np.zeros_like(label)
    yield "a single pixel", guess, single
    yield "a single pixel, right", np.full_like(label, 7), single
    yield "predicted void", with_void, void
    yield "predicted void everywhere", np.full_like(label, NIGHT), label
    yield "a single pixel, predicted void", np.full_like(label, NIGHT), single


def ours(prediction, label):
    pair = torch.from_numpy(prediction), torch.from_numpy(label)
    return metrics.confusion_matrix(*pair, NIGHT, VOID, void_output=True)


def cityscapes_rule(pairs):
    """IoU of each class from tp, fp and fn counted pixel by pixel, as cityscapesScripts defines
    them: pixels of ignored truth count nowhere, a prediction that is no class is a false negative
    of the true class only."""
    tp, fp, fn = ([0] * NIGHT for _ in range(3))
    for truth, guess in pairs:
        if truth == VOID:
            continue
        if truth == guess:
            tp[truth] += 1
            continue
        fn[truth] += 1
        if guess < NIGHT:
            fp[guess] += 1
    sums = [a + b + c for a, b, c in zip(tp, fp, fn, strict=True)]
    return [t / s if s else float("nan") for t, s in zip(tp, sums, strict=True)]


def mmseg_iou(maps):
    """IoU of each class by mmsegmentation's metric."""
    mm.prepare()
    from mmseg.evaluation import IoUMetric

    areas = [
        IoUMetric.intersect_and_union(torch.from_numpy(p), torch.from_numpy(t), NIGHT, VOID)
        for p, t in maps
    ]
    total = [sum(parts) for parts in zip(*areas, strict=True)]
    return IoUMetric.total_area_to_metrics(*total, ["mIoU"])["IoU"]


def test_every_map_agrees_with_mmsegmentation_and_cityscapes(rng):
    for name, prediction, label in adversarial_maps(rng):
        iou = metrics.class_iou(ours(prediction, label))
        by_pixel = cityscapes_rule(zip(label.ravel(), prediction.ravel(), strict=True))
        np.testing.assert_allclose(iou, by_pixel, err_msg=name)
        np.testing.assert_allclose(iou, mmseg_iou([(prediction, label)]), err_msg=name, rtol=1e-6)


def test_the_dataset_agrees_with_mmsegmentation_and_cityscapes(rng):
    maps = [(prediction, label) for _, prediction, label in adversarial_maps(rng)]
    total = sum(ours(prediction, label) for prediction, label in maps)
    pixels = [pair for p, t in maps for pair in zip(t.ravel(), p.ravel(), strict=True)]
    expected = np.nanmean(cityscapes_rule(pixels))
    assert metrics.mean_iou(total) == pytest.approx(expected, abs=1e-12)
    assert metrics.mean_iou(total) == pytest.approx(np.nanmean(mmseg_iou(maps)), abs=1e-6)


def test_all_void_gives_no_score_whatever_is_predicted(rng):
    label = np.full((12, 17), VOID)
    confusion = ours(rng.integers(0, NIGHT + 1, (12, 17)), label)
    assert confusion.sum() == 0
    assert np.isnan(metrics.mean_iou(confusion))


def test_predicted_void_is_a_miss_and_no_class():
    prediction, label = torch.tensor([[0, 2, 2, 1]]), torch.tensor([[0, 0, 1, VOID]])
    confusion = metrics.confusion_matrix(prediction, label, 2, VOID, void_output=True)
    np.testing.assert_array_equal(confusion, [[1, 0, 1], [0, 0, 1]])
    np.testing.assert_allclose(metrics.class_iou(confusion), [1 / 2, 0])
    assert metrics.pixel_accuracy(confusion) == pytest.approx(1 / 3)


def test_void_that_is_never_predicted_changes_nothing(rng):
    stack = rng.integers(0, 9, (4, 3, 3))
    wider = np.concatenate([stack, np.zeros((4, 3, 1), stack.dtype)], -1)
    for function in (metrics.class_iou, metrics.mean_iou, metrics.pixel_accuracy):
        np.testing.assert_array_equal(function(wider), function(stack))


def test_top1_matches_sklearn(rng):
    label, prediction = rng.integers(0, 10, (2, 300))
    weight = rng.integers(0, 4, 300)
    correct = label == prediction
    assert metrics.mean(correct) == pytest.approx(accuracy_score(label, prediction))
    weighted = accuracy_score(label, prediction, sample_weight=weight)
    assert metrics.mean(correct, weight[None])[0] == pytest.approx(weighted)
