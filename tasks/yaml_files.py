"""The user's YAML files."""

from pathlib import Path
from typing import Any

import yaml

from tasks.errors import TaskError


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML's own would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen: list[Any] = []
        for name, _ in node.value:
            if name.value in seen:
                line = name.start_mark.line + 1
                raise ValueError(f"line {line}: '{name.value}' is given twice")
            seen.append(name.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Content of a YAML file; TaskError where it cannot be read or is none."""
    try:
        return yaml.load(path.read_text(), _Loader)
    except OSError as error:
        raise TaskError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, ValueError) as error:
        raise TaskError(f"{path}: not valid YAML ({str(error).splitlines()[0]})") from None
