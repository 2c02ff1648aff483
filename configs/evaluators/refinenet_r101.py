# RefineNet (Lin et al., CVPR 2017) on ResNet-101 for the 19 Cityscapes classes, as released for
# the night benchmarks (CIConv, Similarity Min-Max): the classifier sees features at image size.
# For training from ImageNet with mmsegmentation's tools set model.backbone.pretrained=True.
custom_imports = {"imports": ["tasks.segmentors.registered"]}
evaluator = {"classes": "cityscapes"}
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
        "type": "TIMMBackbone",
        "model_name": "resnet101.tv_in1k",
        "features_only": True,
        "pretrained": False,
        "out_indices": (1, 2, 3, 4),
    },
    "decode_head": {
        "type": "RefineNetHead",
        "in_channels": (256, 512, 1024, 2048),
        "num_classes": 19,
        "decoder_options": {"width": 256, "full_size": True},
        "loss_decode": {"type": "CrossEntropyLoss", "avg_non_ignore": True},
    },
    "train_cfg": {},
    "test_cfg": {"mode": "whole"},
}
test_pipeline = [{"type": "LoadImageFromFile"}, {"type": "PackSegInputs"}]
