"""The one exception that tells a user what to put right in data or evaluator."""


class TaskError(ValueError):
    """Bad data, layout or evaluator, said in one line that names the file or key and the remedy."""
