"""Deployments: schedules, versions, branches, runs."""

from datetime import datetime, timedelta, timezone

from prefect import states
from prefect._experimental.sla.objects import TimeToCompletionSla
from prefect.client.schemas import filters, sorting
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate, WorkPoolCreate
from prefect.client.schemas.objects import ConcurrencyOptions, DeploymentBranchingOptions, VersionInfo
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

ANCHOR = datetime(2026, 1, 1, tzinfo=timezone.utc)
CRON = CronSchedule(cron="0 9 * * 1-5", timezone="Europe/Berlin")
INTERVAL = IntervalSchedule(interval=timedelta(hours=6), anchor_date=ANCHOR, timezone="America/New_York")
RRULE = RRuleSchedule(rrule="FREQ=WEEKLY;BYDAY=MO;BYHOUR=8;BYMINUTE=0;BYSECOND=0", timezone="UTC")
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "title": "n", "position": 0}}, "required": ["n"]}


async def tell(api) -> None:
    flow_id = await api.create_flow_from_name(api.name("flow"))
    await api.create_work_pool(WorkPoolCreate(name=api.name("pool"), type="process"))
    deployment_id = await creation(api, flow_id)
    await reading(api, deployment_id)
    await schedules(api, deployment_id)
    await pausing(api, deployment_id)
    await runs(api, deployment_id)
    await branches(api, deployment_id, flow_id)
    await api.apply_slas_for_deployment(deployment_id, [TimeToCompletionSla(name="quick", duration=60)])
    await api.delete_deployment(deployment_id)
    await api.delete_deployment(deployment_id)
    await api.read_deployment(deployment_id)


async def creation(api, flow_id):
    full = {
        "name": "full",
        "version": "1.0",
        "version_info": VersionInfo(type="prefect:simple", version="1.0"),
        "schedules": [DeploymentScheduleCreate(schedule=CRON, slug="mornings", parameters={"n": 1}), DeploymentScheduleCreate(schedule=INTERVAL, active=False)],
        "concurrency_limit": 2,
        "concurrency_options": ConcurrencyOptions(collision_strategy="CANCEL_NEW", grace_period_seconds=120),
        "parameters": {"n": 5},
        "description": "All that can be said",
        "work_queue_name": "fast",
        "work_pool_name": api.name("pool"),
        "tags": ["one", "two"],
        "path": "/flows",
        "entrypoint": "flows.py:told",
        "parameter_openapi_schema": SCHEMA,
        "paused": False,
        "pull_steps": [{"prefect.deployments.steps.set_working_directory": {"directory": "/flows"}}],
        "enforce_parameter_schema": True,
        "job_variables": {"env": {"A": "1"}},
    }
    deployment_id = await api.create_deployment(flow_id, **full)
    await api.create_deployment(flow_id, **{**full, "version": "1.1", "version_info": None, "tags": ["three"], "schedules": []})
    await api.create_deployment(flow_id, name="plain")
    await api.create_deployment(flow_id, name="astray", work_pool_name=api.name("no-pool"))
    await api.create_deployment(api.unknown(), name="lost")
    await api.create_deployment(flow_id, name="a/b")
    await api.create_deployment(flow_id, name="mistyped", parameter_openapi_schema={**SCHEMA, "properties": {"n": {"type": "nonsense"}}}, parameters={"n": 1}, enforce_parameter_schema=True)
    await api.create_deployment(flow_id, name="wrong", parameter_openapi_schema=SCHEMA, parameters={"n": "x"}, enforce_parameter_schema=True)
    return deployment_id


async def reading(api, deployment_id) -> None:
    await api.read_deployment(deployment_id)
    await api.read_deployment(str(deployment_id))
    await api.read_deployment(api.unknown())
    await api.read_deployment("no-uuid")
    await api.read_deployment_by_name(f"{api.name('flow')}/full")
    await api.read_deployment_by_name(f"{api.name('flow')}/none")
    await api.read_deployment_by_name("full")
    mine = filters.FlowFilter(name=filters.FlowFilterName(any_=[api.name("flow")]))
    await api.read_deployments(flow_filter=mine, sort=sorting.DeploymentSort.NAME_ASC)
    await api.read_deployments(flow_filter=mine, deployment_filter=filters.DeploymentFilter(tags=filters.DeploymentFilterTags(all_=["three"])))
    await api.read_deployments(work_pool_filter=filters.WorkPoolFilter(name=filters.WorkPoolFilterName(any_=[api.name("pool")])), sort=sorting.DeploymentSort.NAME_ASC)
    await api.read_deployments(flow_filter=mine, sort=sorting.DeploymentSort.NAME_DESC, limit=1, offset=1)
    await api.update_deployment(deployment_id, DeploymentUpdate(version="2.0", description="Changed", parameters={"n": 6}, tags=["four"], concurrency_limit=4, job_variables={}))
    await api.update_deployment(deployment_id, DeploymentUpdate(parameters={"n": "x"}))
    await api.update_deployment(api.unknown(), DeploymentUpdate(version="2.0"))
    await api.read_deployment(deployment_id)


async def schedules(api, deployment_id) -> None:
    created = await api.create_deployment_schedules(deployment_id, [(RRULE, True)], max_scheduled_runs=5, parameters={"n": 2}, slug="weekly")
    await api.create_deployment_schedules(deployment_id, [DeploymentScheduleCreate(schedule=CRON, slug="weekly")])
    await api.create_deployment_schedules(deployment_id, [DeploymentScheduleCreate(schedule=INTERVAL, parameters={"n": "x"})])
    await api.create_deployment_schedules(api.unknown(), [(CRON, True)])
    await api.read_deployment_schedules(deployment_id)
    await api.read_deployment_schedules(api.unknown())
    schedule_id = created[0].id
    await api.update_deployment_schedule(deployment_id, schedule_id, active=False)
    await api.update_deployment_schedule(deployment_id, schedule_id, schedule=CRON, max_scheduled_runs=3, parameters={"n": 3}, slug="daily")
    await api.update_deployment_schedule(deployment_id, api.unknown(), active=False)
    await api.update_deployment_schedule(deployment_id, schedule_id, slug="Not A Slug")
    await api.read_deployment_schedules(deployment_id)
    await api.delete_deployment_schedule(deployment_id, schedule_id)
    await api.delete_deployment_schedule(deployment_id, schedule_id)
    await api.read_deployment_schedules(deployment_id)


async def pausing(api, deployment_id) -> None:
    await api.pause_deployment(deployment_id)
    await api.read_deployment(deployment_id)
    await api.resume_deployment(str(deployment_id))
    await api.pause_deployment("no-uuid")
    await api.resume_deployment(api.unknown())
    await api.pause_deployment(api.unknown())
    await api.set_deployment_paused_state(deployment_id, True)
    await api.set_deployment_paused_state(deployment_id, False)
    await api.set_deployment_paused_state(api.unknown(), True)


async def runs(api, deployment_id) -> None:
    run = await api.create_flow_run_from_deployment(deployment_id, name="by-hand", parameters={"n": 9}, tags=["own"], idempotency_key=api.name("key"), job_variables={"env": {"B": "2"}}, labels={"team": "a"})
    await api.create_flow_run_from_deployment(deployment_id, name="by-hand-again", idempotency_key=api.name("key"))
    await api.create_flow_run_from_deployment(deployment_id, name="later", state=states.Scheduled(scheduled_time=datetime(2031, 5, 6, tzinfo=timezone.utc)), work_queue_name="slow")
    await api.create_flow_run_from_deployment(deployment_id, parameters={"n": "x"})
    await api.create_flow_run_from_deployment(api.unknown())
    await api.read_flow_run(run.id)
    await api.get_scheduled_flow_runs_for_deployments([deployment_id])
    await api.get_scheduled_flow_runs_for_deployments([deployment_id], scheduled_before=datetime(2032, 1, 1, tzinfo=timezone.utc), limit=10)
    await api.get_scheduled_flow_runs_for_deployments([api.unknown()])


async def branches(api, deployment_id, flow_id) -> None:
    await api.create_deployment_branch(deployment_id, "feature")
    await api.create_deployment_branch(deployment_id, "feature", options=DeploymentBranchingOptions(schedule_handling="keep"), overrides=DeploymentUpdate(description="Branched"))
    await api.create_deployment_branch(api.unknown(), "feature")
    await api.create_deployment_branch(deployment_id, " ")
    await api.create_deployment(flow_id, name="branched", branch="feature", base=deployment_id, root=deployment_id)
