"""A flow deployed to a process work pool from this very folder; run with the pool's name."""

import sys
from pathlib import Path

from prefect import flow, task


@task
def double(x: int) -> int:
    return 2 * x


@flow
def pooled(x: int = 1) -> int:
    return double(x)


if __name__ == "__main__":
    flow.from_source(source=str(Path(__file__).parent), entrypoint="pooled.py:pooled").deploy(
        name="pooled", work_pool_name=sys.argv[1], cron="0 3 * * *", print_next_steps=False
    )
