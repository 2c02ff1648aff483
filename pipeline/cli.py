"""The command line: arguments in, one command called, one line for an error.

Heavy imports happen inside the commands, so that `--help` answers at once.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from pipeline.arguments import parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 2 bad input (one line on stderr)."""
    parsed = parser().parse_args(arguments)
    from pipeline.allocator import keep_freed_memory
    from pipeline.errors import PipelineError

    keep_freed_memory()

    try:
        command = getattr(import_module(f"pipeline.commands.{parsed.module}"), parsed.function)
        command(parsed)
    except PipelineError as error:
        return _fail(error)
    except KeyboardInterrupt:
        print("interrupted; results already written are kept", file=sys.stderr)
        return 130
    except OSError as error:
        if error.filename is None:
            raise
        return _fail(PipelineError(f"{error.filename}: {error.strerror}"))
    except ValueError as error:
        from pipeline.errors import user_errors

        if not isinstance(error, user_errors()):
            raise
        return _fail(error)
    return 0


def _fail(error: Exception) -> int:
    from pipeline.errors import one_line

    print(f"pipeline: error: {one_line(error)}", file=sys.stderr)
    return 2
