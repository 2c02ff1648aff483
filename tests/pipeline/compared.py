"""Results whose differences are known by construction."""

import numpy as np

from pipeline.result import Result, Score
from tasks.metrics import mean_iou

CLASSES = ("road", "sky", "train")


def make(enhancer, images, scores, classes=(), **more):
    return Result(
        enhancer=enhancer,
        task="darkzurich",
        data="user",
        protocol={"name": "mmseg", "version": 1, "size": (4, 8), "about": "words"},
        scores=scores,
        per_class={"night": dict.fromkeys(classes, 1.0)},
        per_image=images,
        seconds={"decode": 0.1, "enhance": 0.2, "evaluate": 0.3},
        provenance={
            "enhancer": {},
            "evaluator": {"model": "net", "file": "net.pt", "sha256": "e" * 64},
            "dataset": {"images": len(images), "sha256": "d" * 64},
            "config": {"amp": False},
        },
        **more,
    )


def entry(index, **record):
    return {"id": f"{index:03}", "split": "night", "mean_level": float(index), **record}


def answered(enhancer, right, labels):
    """Top-1: image n has mean level n; a wrong answer is the next class."""
    images = [
        entry(index, label=int(label), prediction=int((label + (not hit)) % 3))
        for index, (hit, label) in enumerate(zip(right, labels, strict=True))
    ]
    scores = {"night/top1": Score(100 * float(np.mean(right)), None, len(right))}
    return make(enhancer, images, scores, CLASSES)


def segmented(enhancer, counts):
    images = [entry(index, confusion=count.tolist()) for index, count in enumerate(counts)]
    total = counts.sum(0)
    scores = {
        "night/mIoU": Score(100 * float(mean_iou(total)), None, len(counts)),
        "night/pixel_accuracy": Score(100 * np.trace(total) / total.sum(), None, len(counts)),
    }
    return make(enhancer, images, scores, CLASSES)


def restored(enhancer, psnr, lpips):
    images = [
        entry(index, values={"PSNR": float(p), "LPIPS": float(q)})
        for index, (p, q) in enumerate(zip(psnr, lpips, strict=True))
    ]
    scores = {
        "night/PSNR": Score(float(np.mean(psnr)), None, len(psnr), "dB"),
        "night/LPIPS": Score(float(np.mean(lpips)), None, len(lpips), ""),
    }
    return make(enhancer, images, scores)


def night_streets(rng):
    """40 images; `sharp` gains on the sky, `broken` loses everything; trains are on 3 images."""
    truth = rng.integers(100, 900, (40, 3))
    truth[3:, 2] = 0

    def counts(hit):
        hits = np.round(truth * np.clip(np.array(hit) + rng.normal(0, 0.05, (40, 3)), 0, 1))
        confusion = np.zeros((40, 3, 3), np.int64)
        for index in range(3):
            confusion[:, index, index] = hits[:, index]
            confusion[:, index, (index + 1) % 2] += (truth - hits)[:, index].astype(np.int64)
        return confusion

    hits = {"identity": [0.8, 0.6, 0.9], "sharp": [0.8, 0.75, 0.2], "broken": [0.1, 0.1, 0.1]}
    return {name: segmented(name, counts(hit)) for name, hit in hits.items()}
