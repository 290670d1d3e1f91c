"""Fills a server, through the real client, with at least one of everything that the pages of the web UI show."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect import flow, get_client, get_run_logger, task
from prefect.artifacts import create_image_artifact, create_link_artifact, create_markdown_artifact, create_progress_artifact, create_table_artifact
from prefect.automations import Automation
from prefect.blocks.system import Secret
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, GlobalConcurrencyLimitCreate, WorkPoolCreate
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.events import emit_event
from prefect.events.actions import RunDeployment
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.states import Failed, Paused, Pending, Running
from prefect.utilities.callables import parameter_schema
from prefect.variables import Variable

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
BASE_JOB_TEMPLATE = {
    "job_configuration": {"command": "{{ command }}", "env": "{{ env }}"},
    "variables": {
        "type": "object",
        "properties": {
            "command": {"type": "string", "title": "Command", "default": "python flow.py"},
            "env": {"type": "object", "title": "Environment", "additionalProperties": {"type": "string"}},
        },
    },
}


@task(tags=["extracting"])
def extract(page: int) -> list[int]:
    get_run_logger().info("reading page %s", page)
    return [page, page + 1]


@task
def load(rows: list[list[int]]) -> int:
    get_run_logger().warning("loading %s rows", len(rows))
    create_markdown_artifact("# Sales\n\nAll **good**.", key="sales-report", description="What was sold")
    create_markdown_artifact("# Sales\n\nEven **better**.", key="sales-report", description="What was sold")
    create_table_artifact([{"region": "north", "sold": 3}, {"region": "south", "sold": 5}], key="sales-table")
    create_link_artifact("https://example.org/report", key="sales-link", link_text="The report")
    create_image_artifact(PIXEL, key="sales-image")
    create_progress_artifact(75.0, key="sales-progress")
    return len(rows)


@task(retries=1)
def fail() -> None:
    raise ValueError("the warehouse is closed")


@flow
def clean(rows: int) -> int:
    get_run_logger().debug("cleaning %s rows", rows)
    return rows


@flow(name="sales", description="Counts what was sold.", log_prints=True)
def sales(day: str = "2026-11-21", pages: int = 3) -> int:
    rows = extract.map(range(pages)).result()
    loaded = load(rows)
    print(f"{day}: {loaded}")
    return clean(loaded)


@flow(name="broken")
def broken() -> None:
    fail()


async def create_automation(name: str, event: str, deployment_id: UUID) -> str:
    automation = await Automation(
        name=name,
        description="Runs it again",
        trigger=EventTrigger(expect={event}, match={"prefect.resource.id": "prefect.flow-run.*"}, posture=Posture.Reactive, threshold=1, within=timedelta(0)),
        actions=[RunDeployment(source="selected", deployment_id=deployment_id, parameters={})],
    ).acreate()
    return str(automation.id)


async def prepare_changes(client: PrefectClient, application: str) -> dict[str, str]:
    """What people change in one of the two applications; each has its own, as both are visited at the same time."""
    pool = f"{application}-pool"
    await client.create_work_pool(WorkPoolCreate(name=pool, type="process", base_job_template=BASE_JOB_TEMPLATE))
    deployment_id = await client.create_deployment(
        flow_id=await client.create_flow(clean),
        name=f"{application}-clean",
        work_pool_name=pool,
        parameters={"rows": 1},
        parameter_openapi_schema=parameter_schema(clean).model_dump(),
        entrypoint="flows.py:clean",
        schedules=[DeploymentScheduleCreate(schedule=IntervalSchedule(interval=timedelta(hours=6)), active=False)],
    )
    ids = {"pool": pool, "deployment": str(deployment_id)}
    ids["automation"] = await create_automation(f"{application}-automation", "never.happens", deployment_id)
    states = {
        "pausable": [Running()],
        "cancellable": [Running()],
        "paused": [Running(), Paused(timeout_seconds=3600)],
        "retriable": [Running(), Failed(message="out of luck")],
        "deletable": [Running(), Failed(message="out of luck")],
    }
    for name, wanted in states.items():
        run = await client.create_flow_run_from_deployment(deployment_id, name=f"{application}-{name}")
        for state in [Pending(), *wanted]:
            await client.set_flow_run_state(run.id, state)
        ids[name] = str(run.id)
    return ids


async def populate() -> dict[str, Any]:
    async with get_client() as client:
        await client.create_work_pool(WorkPoolCreate(name="local-pool", type="process", base_job_template=BASE_JOB_TEMPLATE, description="Runs on this machine"))
        await client.create_work_queue(name="low-priority", work_pool_name="local-pool", priority=5, concurrency_limit=2)
        await client.send_worker_heartbeat(work_pool_name="local-pool", worker_name="worker-1", heartbeat_interval_seconds=30)

        flow_id = await client.create_flow(sales)
        deployment_id = await client.create_deployment(
            flow_id=flow_id,
            name="daily",
            work_pool_name="local-pool",
            work_queue_name="low-priority",
            description="Every **day**",
            tags=["production"],
            parameters={"day": "today"},
            parameter_openapi_schema=parameter_schema(sales).model_dump(),
            entrypoint="flows.py:sales",
            path="/srv/flows",
            concurrency_limit=10,
            schedules=[
                DeploymentScheduleCreate(schedule=CronSchedule(cron="0 9 * * *", timezone="Europe/Berlin"), active=True),
                DeploymentScheduleCreate(schedule=IntervalSchedule(interval=timedelta(hours=6)), active=False),
            ],
        )

        run = await client.create_flow_run_from_deployment(deployment_id, name="by-hand", tags=["manual"])
        for state in [Pending(), Running()]:
            await client.set_flow_run_state(run.id, state)
        ids = {"flow": str(flow_id), "deployment": str(deployment_id), "running": str(run.id)}
        ids["changing"] = {application: await prepare_changes(client, application) for application in ("v1", "v2")}

        await client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name="warehouse", limit=5, slot_decay_per_second=0.1))
        ids["tag_limit"] = str(await client.create_concurrency_limit(tag="extracting", concurrency_limit=10))
        await Variable.aset("region", {"name": "north", "numbers": [1, 2]}, tags=["places"])
        ids["block"] = str(await Secret(value="s3cret").save("warehouse-password"))
        ids["automation"] = await create_automation("run-after-failure", "prefect.flow-run.Failed", deployment_id)

        event = emit_event("warehouse.opened", resource={"prefect.resource.id": "warehouse.1", "prefect.resource.name": "Warehouse"}, payload={"doors": 2})
        ids |= {"event": str(event.id), "event_date": event.occurred.strftime("%Y-%m-%d")}
        return ids


async def find(ids: dict[str, Any]) -> dict[str, Any]:
    """The ids of what the runs left behind."""
    async with get_client() as client:
        runs = await client.read_flow_runs()
        by_flow = {(run.flow_id, run.state_type.value): run for run in runs}
        completed = by_flow[(await client.read_flow_by_name("sales")).id, "COMPLETED"]
        failed = by_flow[(await client.read_flow_by_name("broken")).id, "FAILED"]
        # Task runs reach the server as events, a little later.
        while not (loads := [run for run in await client.read_task_runs() if run.name.startswith("load") and run.state_type == "COMPLETED"]):
            await asyncio.sleep(0.2)
        artifacts = await client.read_artifacts()
        return ids | {
            "completed": str(completed.id),
            "failed": str(failed.id),
            "task_run": str(loads[0].id),
            "artifact": str(next(artifact.id for artifact in artifacts if artifact.key == "sales-table")),
        }


ids = asyncio.run(populate())
sales()
try:
    broken()
except ValueError:
    pass
print("REPORT " + json.dumps({"name": "populated", **asyncio.run(find(ids))}), flush=True)
