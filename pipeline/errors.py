"""Errors that a user can put right: one line each, exit code 2."""


class PipelineError(ValueError):
    """Bad name, file, option or output folder, said in one line with the remedy."""


def user_errors() -> tuple[type[Exception], ...]:
    """The exception types whose message is for the user, of all three packages."""
    from enhancers.errors import EnhancerError
    from tasks.errors import TaskError

    return PipelineError, EnhancerError, TaskError


def is_out_of_memory(error: Exception) -> bool:
    """Whether an array or a tensor was too large; on a CPU torch has no type of its own for it."""
    words = ("out of memory", "not enough memory", "allocate memory", "insufficient memory")
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in words)
