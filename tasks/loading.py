"""Reading in worker processes, with errors that arrive as they were raised."""

from collections.abc import Callable, Iterator
from typing import Any

from torch.utils.data import DataLoader, Dataset, default_collate

from tasks.errors import TaskError


class Batches:
    """A DataLoader over `dataset`, iterable as often as wanted.

    A TaskError that `dataset` raises in a worker process is raised here as it was; DataLoader
    itself would give it the worker's traceback for a message.
    """

    def __init__(
        self, dataset: Dataset, *, collate: Callable[[list], Any] = default_collate, **options: Any
    ) -> None:
        self._loader = DataLoader(_Guarded(dataset), collate_fn=_Collate(collate), **options)

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Any]:
        for batch in self._loader:
            if isinstance(batch, TaskError):
                raise batch
            yield batch


class _Guarded(Dataset):
    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        try:
            return self.dataset[index]
        except TaskError as error:
            return error


class _Collate:
    def __init__(self, collate: Callable[[list], Any]) -> None:
        self.collate = collate

    def __call__(self, items: list) -> Any:
        errors = [item for item in items if isinstance(item, TaskError)]
        try:
            return errors[0] if errors else self.collate(items)
        except TaskError as error:
            return error
