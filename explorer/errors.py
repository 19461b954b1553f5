"""The one error that people see: a line that says what is wrong and what to do about it."""


class ExplorerError(Exception):
    """Something a person asked for cannot be done; `str(error)` is one clear line for them.

    The command line prints it and exits with status `exit_status`; a page shows it in place.
    """

    exit_status = 1  # the work failed


class RequestError(ExplorerError):
    """The request itself was wrong: an unknown name, a clash of options, a path that is no data set."""

    exit_status = 2
