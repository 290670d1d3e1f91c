"""Deployments served by one runner process: plain, limited, scheduled, cancelled, paused and suspended flows; or one that events start."""

import sys
import time
from datetime import timedelta

from prefect import flow, pause_flow_run, serve, suspend_flow_run, task
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.events import DeploymentEventTrigger


@task
def note(text: str) -> str:
    return text


@flow(log_prints=True)
def plain(n: int = 1) -> int:
    print("plain", n)
    note("plain")
    return n


@flow
def endless() -> None:
    while True:
        time.sleep(0.2)


@flow
def pausing() -> int:
    return pause_flow_run(wait_for_input=int, timeout=60, poll_interval=1)


@flow(persist_result=True)
def suspending() -> str:
    note("before")
    suspend_flow_run(timeout=60)
    note("after")
    return "resumed"


if __name__ == "__main__":
    if sys.argv[1:] == ["triggered"]:
        plain.serve("triggered", triggers=[DeploymentEventTrigger(expect={"conformance.start"}, parameters={"n": 8})])
        sys.exit()
    serve(
        plain.to_deployment("served", tags=["conformance"]),
        plain.to_deployment("limited", concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)),
        plain.to_deployment("scheduled", interval=timedelta(seconds=10)),
        endless.to_deployment("served"),
        pausing.to_deployment("served"),
        suspending.to_deployment("served"),
        limit=10,
    )
