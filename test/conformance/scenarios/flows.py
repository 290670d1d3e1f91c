"""Flows run by the real client in one process: tasks, sub-flows, retries, failures, mapping, caching, transactions, limits, small objects."""

import asyncio
import contextlib
import time

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_progress_artifact, create_table_artifact
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from prefect.cache_policies import INPUTS
from prefect.client.orchestration import get_client
from prefect.concurrency.sync import concurrency, rate_limit
from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect.transactions import transaction
from prefect.variables import Variable
from report import report


class Settings(Block):
    """A block type which the server has never seen: the client registers its type and schema."""

    host: str
    ports: list[int] = []


@task
def add(a: int, b: int) -> int:
    get_run_logger().info("adding %s and %s", a, b)
    return a + b


@flow
def three_tasks() -> int:
    report("three_tasks", id=flow_run.id)
    return add(add(1, 2), add(3, 4))


@flow
def child(x: int) -> int:
    return add(x, x)


@flow
def parent() -> int:
    report("parent", id=flow_run.id)
    return child(2) + child(3)


@task(retries=2)
def flaky_task(marks: list) -> str:
    marks.append(1)
    if len(marks) < 3:
        raise ValueError("not yet")
    return "done"


@flow(retries=2, retry_delay_seconds=0)
def flaky_flow() -> str:
    report("flaky_flow", id=flow_run.id)
    if flow_run.run_count < 3:
        raise ValueError("not yet")
    return flaky_task([])


@flow
def failing() -> None:
    report("failing", id=flow_run.id)
    raise RuntimeError("this flow fails")


@task
def square(x: int) -> int:
    return x * x


@flow
def mapped(count: int) -> int:
    report("mapped", id=flow_run.id)
    return sum(future.result() for future in square.map(list(range(count))))


computed = []


@task(cache_policy=INPUTS, persist_result=True)
def remembered(x: int) -> int:
    computed.append(x)
    return x * x


@flow
def caching(turn: int) -> int:
    report(f"caching_{turn}", id=flow_run.id)
    return remembered(7) + remembered(7)


hooks = []


@task
def step(name: str) -> str:
    return name


@step.on_commit
def committed(_) -> None:
    hooks.append("committed")


@step.on_rollback
def rolled_back(_) -> None:
    hooks.append("rolled back")


@flow
def transactions() -> None:
    report("transactions", id=flow_run.id)
    with transaction():
        step("kept")
    with contextlib.suppress(ValueError), transaction():
        step("undone")
        raise ValueError("undo this")


@flow
def limited() -> None:
    report("limited", id=flow_run.id)
    with concurrency("conformance-limit", occupy=1):
        time.sleep(0.1)
    rate_limit("conformance-rate")


@flow
def small_objects() -> None:
    report("small_objects", id=flow_run.id)
    Variable.set("conformance_variable", {"a": 1, "b": 1.0, "c": 12345678901234567890}, overwrite=True)
    value = Variable.get("conformance_variable")
    Secret(value="hush").save("conformance-secret", overwrite=True)
    Settings(host="db", ports=[1, 2]).save("conformance-settings", overwrite=True)
    create_markdown_artifact("# hi", key="conformance-markdown", description="text")
    create_table_artifact([{"a": 1}], key="conformance-table")
    create_link_artifact("https://example.invalid", key="conformance-link")
    create_progress_artifact(50.0)
    emit_event("conformance.emitted", resource={"prefect.resource.id": "conformance.1"}, payload={"n": 1})
    report(
        "loaded",
        variable=repr(value),
        secret=Secret.load("conformance-secret").get(),
        ports=Settings.load("conformance-settings").ports,
    )


@flow(log_prints=True)
async def asynchronous() -> int:
    report("asynchronous", id=flow_run.id)
    print("printed in an async flow")
    await asyncio.sleep(0.05)
    return 1


async def create_limits() -> None:
    async with get_client() as client:
        await client.upsert_global_concurrency_limit_by_name("conformance-limit", 2)
        await client.upsert_global_concurrency_limit_by_name("conformance-rate", 5, slot_decay_per_second=5.0)


if __name__ == "__main__":
    asyncio.run(create_limits())
    report("results", three_tasks=three_tasks(), parent=parent(), flaky_flow=flaky_flow(), mapped=mapped(200))
    failing(return_state=True)
    report("cached", results=[caching(1), caching(2)], computed=computed)
    transactions()
    report("hooks", hooks=hooks)
    limited()
    small_objects()
    asyncio.run(asynchronous())
    report("end")
