# ESPNetv2 s=0.5, 0.08 M parameters, as its authors trained it on Cityscapes at 512x256.
_base_ = ["espnetv2_s2.py"]
channels = (16, 32, 64, 128)
model = {"backbone": {"channels": channels}, "decode_head": {"in_channels": channels}}
