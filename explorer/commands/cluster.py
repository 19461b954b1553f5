"""cluster: this machine as a node of a Ray cluster, for as long as the command runs."""

import os
import secrets
import shutil
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from explorer.commands.output import command, say
from explorer.engines.ray import ROOT, is_loopback, surroundings
from explorer.errors import RequestError

_SHARED_BYTES = 10**9  # of memory that a node's processes share: one set of images takes a fifth of it


def add_to(subparsers: Any) -> None:
    """Declare the commands of this group."""
    parser = command(subparsers, "cluster", cluster, "a node of a Ray cluster, until Ctrl-C (docs/ray.md)")
    parser.add_argument("--join", metavar="HOST:PORT", help="the cluster's head (default: be one)")
    parser.add_argument("--host", default="127.0.0.1", help="this machine's address for the other nodes")
    parser.add_argument("--port", type=int, default=6379, help="of a head")
    parser.add_argument("--cpus", type=int, help="to give to it (default: all)")
    parser.add_argument("--gpus", type=int, help="to give to it (default: all)")


def cluster(options: Namespace) -> None:
    """Become a node: only for who has the token, without a dashboard, and on a loopback address but for --host."""
    ray = shutil.which("ray", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    if ray is None:
        raise RequestError("Ray is not installed: pip install -r requirements-ray.txt")
    if options.join and is_loopback(options.host):
        raise RequestError("--join needs --host too: this machine's address, at which the other nodes reach it")
    _need_token(may_make_one=not options.join)
    environment = os.environ | surroundings(options.host)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    if not is_loopback(options.host):
        say(f"{options.host} can be reached from outside: let no one but the nodes through (docs/security.md)")
    head = ["--head", f"--port={options.port}", "--include-dashboard=false"]
    where = [f"--address={options.join}"] if options.join else head
    share = [f"--num-{what}={count}" for what in ("cpus", "gpus") if (count := getattr(options, what)) is not None]
    arguments = [ray, "start", *where, f"--node-ip-address={options.host}", *share]
    arguments += [f"--object-store-memory={_SHARED_BYTES}", "--disable-usage-stats", "--block"]
    sys.stdout.flush()
    os.execve(ray, arguments, environment)


def _need_token(may_make_one: bool) -> None:
    """See to it that there is a token, readable by its owner alone; a node that joins must bring the cluster's."""
    if os.environ.get("RAY_AUTH_TOKEN"):
        return
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    if file.exists():
        return
    if not may_make_one:
        raise RequestError(f"copy the token of the cluster's head to {file}: without it no node may join")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(secrets.token_hex(32))
    say(f"the cluster's token is in {file}: the other nodes need it")
