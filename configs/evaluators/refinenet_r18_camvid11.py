# RefineNet-ResNet-18 for CamVid's 11 classes.
_base_ = ["refinenet_r18.py"]
evaluator = {
    "classes": ["sky", "building", "pole", "road", "pavement", "tree", "sign_symbol", "fence",
                "car", "pedestrian", "bicyclist"],
}  # fmt: skip
model = {"decode_head": {"num_classes": 11}}
