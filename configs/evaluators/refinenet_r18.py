# The same decoder on ResNet-18 with a quarter of the width, classifying at stride 4: for small
# machines.
_base_ = ["refinenet_r101.py"]
model = {
    "backbone": {"model_name": "resnet18.tv_in1k"},
    "decode_head": {
        "in_channels": (64, 128, 256, 512),
        "decoder_options": {"width": 64, "full_size": False},
    },
}
