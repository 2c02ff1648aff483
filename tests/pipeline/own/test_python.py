"""`python:package.module:callable`, with modules in the working folder."""

from pathlib import Path

import pytest
import torch

from pipeline import create_enhancer
from pipeline.cli import main
from pipeline.errors import PipelineError

SOURCE = """
import torch

def brighten(image):
    return image ** 0.5

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(0.5))
        self.drop = torch.nn.Dropout(0.9)

    def forward(self, image):
        return self.drop(image * self.scale)

class Needy(torch.nn.Module):
    def __init__(self, width):
        super().__init__()

CONSTANT = 3
"""


@pytest.fixture
def module(request):
    """Name of a module in the working folder, unlike any other test's."""
    name = f"own_{abs(hash(request.node.nodeid))}"
    Path(f"{name}.py").write_text(SOURCE)
    return name


def test_functions_and_classes(module):
    image = torch.rand(1, 3, 16, 16)
    assert torch.equal(create_enhancer(f"python:{module}:brighten")(image), image**0.5)
    network = create_enhancer(f"python:{module}:Network")
    assert torch.equal(network(image), image * 0.5)
    assert len(list(network.parameters())) == 1
    assert len(network.provenance["sha256"]) == 64


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{}", "the form is python:package.module:callable"),
        ("{}:nothing", "cannot be imported"),
        ("no_such_module:f", "cannot be imported"),
        ("{}:CONSTANT", "CONSTANT is not callable"),
        ("{}:Needy", "cannot be made without arguments"),
    ],
)
def test_wrong_names(module, name, message):
    with pytest.raises(PipelineError, match=message):
        create_enhancer(f"python:{name.format(module)}")


def test_a_wrong_size_is_told(tmp_path, save, rng, capsys):
    Path("crops.py").write_text("def crop(image):\n    return image[..., 1:]\n")
    for side in ("low", "high"):
        picture = rng.integers(0, 256, (20, 20, 3)).astype("uint8")
        save(tmp_path / f"pairs/{side}/1.png", picture)
    task = f"restoration:{tmp_path / 'pairs'}"
    assert main(["run", "--enhancer", "python:crops:crop", "--task", task]) == 2
    assert "1.png: the enhancer returned (1, 3, 20, 19)" in capsys.readouterr().err
