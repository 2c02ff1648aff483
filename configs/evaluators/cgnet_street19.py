# A small CGNet (Wu et al., TIP 2020) for the sample streets: 19 classes, fewer blocks.
_base_ = ["cgnet_camvid11.py"]
model = {
    "data_preprocessor": {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]},
    "backbone": {"num_blocks": (3, 6)},
    "decode_head": {"num_classes": 19, "loss_decode": {"avg_non_ignore": True}},
}
