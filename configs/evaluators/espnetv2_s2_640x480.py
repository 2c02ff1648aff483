# ESPNetv2 s=2.0 for small images (CamVid's 480x360): enlarged as an 8-bit image by Pillow is, and
# the prediction reduced by nearest neighbour. On camvid/dusk a float resize gives 0.5 points more.
_base_ = ["espnetv2_s2.py"]
evaluator = {"input_size": (480, 640), "eight_bit": True, "score_by": "nearest"}
