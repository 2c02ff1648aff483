# ESPNetv2 s=2.0 (Mehta et al., CVPR 2019) as its authors trained it on Cityscapes at 1024x512.
# The authors' files have a twentieth output, never a target in training; it is left out.
custom_imports = {"imports": ["tasks.segmentors.registered"]}
evaluator = {"classes": "cityscapes", "first_outputs": True}
channels = (32, 128, 256, 512)
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
    "backbone": {"type": "ESPNetv2Encoder", "channels": channels},
    "decode_head": {
        "type": "ESPNetv2Head",
        "in_channels": channels,
        "num_classes": 19,
        "loss_decode": {"type": "CrossEntropyLoss", "avg_non_ignore": True},
    },
    "train_cfg": {},
    "test_cfg": {"mode": "whole"},
}
test_pipeline = [{"type": "LoadImageFromFile"}, {"type": "PackSegInputs"}]
