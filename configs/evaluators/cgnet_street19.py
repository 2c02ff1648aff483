# A small CGNet (Wu et al., TIP 2020) for the sample streets: 19 classes, fewer blocks.
norm_cfg = {"type": "BN", "eps": 1e-3, "requires_grad": True}
model = {
    "type": "EncoderDecoder",
    "data_preprocessor": {
        "type": "SegDataPreProcessor",
        "mean": [123.675, 116.28, 103.53],
        "std": [58.395, 57.12, 57.375],
        "bgr_to_rgb": True,
        "pad_val": 0,
        "seg_pad_val": 255,
    },
    "backbone": {
        "type": "CGNet",
        "norm_cfg": norm_cfg,
        "in_channels": 3,
        "num_channels": (32, 64, 128),
        "num_blocks": (3, 6),
        "dilations": (2, 4),
        "reductions": (8, 16),
    },
    "decode_head": {
        "type": "FCNHead",
        "in_channels": 256,
        "in_index": 2,
        "channels": 256,
        "num_convs": 0,
        "concat_input": False,
        "dropout_ratio": 0,
        "num_classes": 19,
        "norm_cfg": norm_cfg,
        "align_corners": False,
        "loss_decode": {
            "type": "CrossEntropyLoss",
            "loss_weight": 1.0,
            "avg_non_ignore": True,
        },
    },
    "train_cfg": {},
    "test_cfg": {"mode": "whole"},
}
