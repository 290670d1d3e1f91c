"""Background tasks: `serve` works on them, `delay` hands in some and waits for their results."""

import sys

from prefect import task
from prefect.task_worker import serve
from report import report


@task(persist_result=True)
def cube(x: int) -> int:
    return x * x * x


@task(persist_result=True, retries=1, retry_delay_seconds=0)
def broken() -> None:
    raise ValueError("always fails")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(cube, broken)
    else:
        futures = [cube.delay(x) for x in range(5)]
        failure = broken.delay()
        report("delayed", ids=[f.task_run_id for f in futures], broken=failure.task_run_id)
        results = [f.result(timeout=60) for f in futures]
        failure.wait(timeout=60)
        report("results", results=results)
