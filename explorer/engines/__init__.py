"""Where a stream runs. Each module is one place: `local`, worker processes on this machine."""
