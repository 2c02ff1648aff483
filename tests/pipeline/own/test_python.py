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
    Path(f"{name}_raises.py").write_text("{}['no']")
    return name


def test_functions_and_classes(module):
    image = torch.rand(1, 3, 16, 16)
    assert torch.equal(create_enhancer(f"python:{module}:brighten")(image), image**0.5)
    network = create_enhancer(f"python:{module}:Network")
    assert torch.equal(network(image), image * 0.5)
    assert len(list(network.parameters())) == 1
    assert len(network.provenance["sha256"]) == 64
    before = network.provenance["weights"]
    with torch.no_grad():
        next(network.parameters()).add_(1)
    assert network.provenance["weights"] != before


@pytest.mark.parametrize(
    ("imported", "called"),
    [
        ("from {0}.method import brighten", "{0}:brighten"),
        ("from {0} import method\ndef f(image): return method.brighten(image)", "{0}:f"),
    ],
)
def test_files_that_it_imports_are_hashed(module, imported, called):
    package = f"{module}_package"
    Path(package).mkdir()
    Path(f"{package}/__init__.py").write_text(imported.format(package))
    digests = set()
    for method in (SOURCE, SOURCE, SOURCE.replace("0.5", "0.25")):
        Path(f"{package}/method.py").write_text(method)
        enhancer = create_enhancer(f"python:{called.format(package)}")
        digests.add(enhancer.provenance["sha256"])
    assert len(digests) == 2


def test_what_is_given_may_be_written_over():
    Path("inplace.py").write_text("def half(image):\n    return image.mul_(0.5)\n")
    image = torch.ones(1, 3, 16, 16)
    assert torch.equal(create_enhancer("python:inplace:half")(image), image / 2)
    assert torch.equal(image, torch.ones(1, 3, 16, 16))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{}", "the form is python:package.module:callable"),
        ("{}:nothing", "cannot be imported"),
        ("no_such_module:f", "cannot be imported"),
        ("{}:CONSTANT", "CONSTANT is not callable"),
        ("{}:Needy", r"TypeError: .*width.* \(python\.py, line \d+\)"),
        ("{}_raises:f", r"cannot be imported: KeyError: 'no' \(own_\d+_raises\.py, line 1\)"),
    ],
)
def test_wrong_names(module, name, message):
    with pytest.raises(PipelineError, match=message):
        create_enhancer(f"python:{name.format(module)}")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ValueError('too dark')", "failed: ValueError: too dark (faulty"),
        ("return image, image", "must return a float tensor, not tuple"),
        ("return None", "must return a float tensor, not NoneType"),
        ("return image.numpy()", "must return a float tensor, not ndarray"),
        ("return (255 * image).byte()", "must return a float tensor, not torch.uint8"),
        ("return image + 0.05 + 1 - image.max()", "must be finite and in [0, 1], it spans"),
        ("return image * float('nan')", "must be finite and in [0, 1], it spans nan"),
    ],
)
def test_a_faulty_callable_costs_one_line(tmp_path, save, rng, capsys, body, message):
    module = f"faulty_{abs(hash(body))}"
    Path(f"{module}.py").write_text(f"def f(image):\n    {body}\n")
    save(tmp_path / "in/1.png", rng.integers(0, 256, (20, 20, 3)).astype("uint8"))
    command = ["enhance", str(tmp_path / "in"), "--enhancer", f"python:{module}:f"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 2
    assert "1.png: " in lines[0]
    assert message in lines[0]


def test_a_wrong_size_is_told(tmp_path, save, rng, capsys):
    Path("crops.py").write_text("def crop(image):\n    return image[..., 1:]\n")
    for side in ("low", "high"):
        picture = rng.integers(0, 256, (20, 20, 3)).astype("uint8")
        save(tmp_path / f"pairs/{side}/1.png", picture)
    task = f"restoration:{tmp_path / 'pairs'}"
    assert main(["run", "--enhancer", "python:crops:crop", "--task", task]) == 2
    assert "1.png: the enhancer returned (1, 3, 20, 19)" in capsys.readouterr().err
