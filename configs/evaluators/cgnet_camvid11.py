# CGNet (Wu et al., TIP 2020) as its authors trained it on CamVid: 11 classes, mean only.
norm_cfg = {"type": "BN", "eps": 1e-3, "requires_grad": True}
model = {
    "type": "EncoderDecoder",
    "data_preprocessor": {
        "type": "SegDataPreProcessor",
        "mean": [105.65772519, 103.32976184, 99.62539586],
        "std": [1.0, 1.0, 1.0],
        "bgr_to_rgb": True,
        "pad_val": 0,
        "seg_pad_val": 255,
    },
    "backbone": {
        "type": "CGNet",
        "norm_cfg": norm_cfg,
        "in_channels": 3,
        "num_channels": (32, 64, 128),
        "num_blocks": (3, 21),
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
        "num_classes": 11,
        "norm_cfg": norm_cfg,
        "align_corners": False,
        "loss_decode": {"type": "CrossEntropyLoss", "loss_weight": 1.0},
    },
    "train_cfg": {},
    "test_cfg": {"mode": "whole"},
}
