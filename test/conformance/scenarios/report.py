"""What every scenario shares: one JSON line per finding on standard output, read by the suite."""

import json
import sys


def report(name: str, **facts: object) -> None:
    # Not print(): flows with log_prints turn that into log lines.
    sys.__stdout__.write("REPORT " + json.dumps({"name": name, **facts}, default=str) + "\n")
    sys.__stdout__.flush()
