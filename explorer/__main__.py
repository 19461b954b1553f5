"""The command line: python -m explorer COMMAND.

With --json, stdout holds JSON lines, the result last; all else goes to stderr. Exit status 0, 1 (the work failed) or
2 (the request was wrong: one line says what and what to do).
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from explorer import commands
from explorer.errors import ExplorerError


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (--help says more)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; its exit status."""
    parser = _Parser(prog="python -m explorer", description="Plain and residual networks, built, trained, looked into.")
    commands.add_to(parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser))
    chosen = parser.parse_args(arguments)
    try:
        chosen.command(chosen)
    except ExplorerError as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return error.exit_status
    except KeyboardInterrupt:
        sys.stderr.write(f"{parser.prog}: interrupted\n")
        return 1
    except BrokenPipeError:  # the reader of our output has gone
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
