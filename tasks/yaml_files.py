"""The user's YAML files."""

from pathlib import Path
from typing import Any

import yaml

from tasks.errors import TaskError


def read_yaml(path: Path) -> Any:
    """Content of a YAML file; TaskError where it cannot be read or is none."""
    try:
        return yaml.safe_load(path.read_text())
    except OSError as error:
        raise TaskError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, ValueError) as error:
        raise TaskError(f"{path}: not valid YAML ({str(error).splitlines()[0]})") from None
