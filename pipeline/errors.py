"""Errors that a user can put right: one line each, exit code 2."""

_SHORT = ("out of memory", "not enough memory", "allocate memory", "insufficient memory")


class PipelineError(ValueError):
    """Bad name, file, option or output folder, said in one line with the remedy."""


class NotDownloaded(PipelineError):
    """Listed weights that are not here, where nothing may be downloaded; a run gets them."""


def one_line(error: BaseException) -> str:
    """Its message on one line; its type where there is none."""
    return " ".join(str(error).split()) or type(error).__name__


def user_errors() -> tuple[type[Exception], ...]:
    """The exception types whose message is for the user, of all three packages."""
    from enhancers.errors import EnhancerError
    from tasks.errors import TaskError

    return PipelineError, EnhancerError, TaskError


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was too short; torch has no type of its own for it on a CPU.

    An enhancer of the user's own wraps what it raises.
    """
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _SHORT):
        return True
    return error.__cause__ is not None and is_out_of_memory(error.__cause__)
