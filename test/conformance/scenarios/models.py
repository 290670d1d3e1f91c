"""
Objects of every resource, written into a database by Prefect's own models: by their functions, and as rows that leave as much
as they may to the defaults of Python or of Postgres. Reports the ids of the rows of each table.

    python models.py postgresql://user@host:port/database
"""

import asyncio
import os
import sys
from datetime import datetime, timedelta, timezone
from uuid import uuid4

os.environ["PREFECT_API_DATABASE_CONNECTION_URL"] = sys.argv[1].replace("postgresql:", "postgresql+asyncpg:", 1)

import sqlalchemy as sa
from prefect.server import models
from prefect.server.database import orm_models as orm
from prefect.server.database import provide_database_interface
from prefect.server.events.models import automations
from prefect.server.events.schemas.automations import Automation
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.server.events.storage.database import write_events
from prefect.server.schemas import actions, core
from prefect.server.schemas.states import State, StateDetails, StateType
from report import report

PREFIX = f"models-{uuid4().hex[:8]}"
NOON = datetime(2026, 3, 29, 12, 0, 0, 123456, timezone.utc)
ODD = {"": None, "ключ ☃": [1, 1.0, -0.5, 1e300, 2**60, True, {"a": [[]]}], "nan": float("nan"), "long": "x" * 3000, "text": '\u2028"\\\n'}
LABELS = {"text": "a", "whole": 1, "part": 1.5, "yes": True, "": ""}
CREATOR = {"id": str(uuid4()), "type": "DEPLOYMENT", "display_value": "me"}
SCHEDULES = [
    {"schedule": {"interval": 86400.5, "anchor_date": NOON, "timezone": "Europe/Berlin"}, "max_scheduled_runs": 3, "slug": "daily"},
    {"schedule": {"interval": timedelta(seconds=90)}, "active": False, "parameters": ODD},
    {"schedule": {"cron": "0 5 * * 1-5", "day_or": False}},
    {"schedule": {"cron": "@daily", "timezone": "Asia/Kathmandu"}},
    {"schedule": {"rrule": "DTSTART:20260101T000000\nRRULE:FREQ=DAILY;COUNT=3", "timezone": "America/New_York"}},
]
DETAILS = {
    **{name: uuid4() for name in ("flow_run_id", "task_run_id", "child_flow_run_id", "transition_id", "task_parameters_id", "deployment_concurrency_lease_id")},
    **{name: NOON for name in ("scheduled_time", "cache_expiration", "pause_timeout")},
    **{name: True for name in ("deferred", "untrackable_result", "pause_reschedule", "refresh_cache", "retriable")},
    **{"cache_key": "key", "pause_key": "pause", "run_input_keyset": {"a": "b"}, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
}
DATA = [None, {}, [], "", 0, False, 1.5, "text", [1, None], {"a": {"b": None}}, {"type": "unpersisted"}]


def states() -> list[State]:
    """Of every type, then with every detail, then with data of every kind."""
    found = [
        *[State(type=type) for type in StateType],
        State(type=StateType.RUNNING, name="Ключ", message="", state_details=StateDetails(**DETAILS)),
        State(type=StateType.SCHEDULED, name="AwaitingRetry", state_details=StateDetails(scheduled_time=NOON)),
        *[State(type=StateType.COMPLETED, name="Done", message="x", data=data) for data in DATA],
    ]
    return [state.model_copy(update={"timestamp": NOON + timedelta(seconds=n)}) for n, state in enumerate(found)]


async def write_flows(session):
    flow = await models.flows.create_flow(session, core.Flow(name=PREFIX, tags=["a", "b", "a"], labels=LABELS))
    again = await models.flows.create_flow(session, core.Flow(name=PREFIX))
    assert again.id == flow.id, "a flow of the same name is the same"
    session.add_all([orm.Flow(name=f"{PREFIX} {labels}", labels=labels) for labels in (None, {})])
    await session.flush()
    return flow


async def write_blocks(session):
    kinds = [{}, {"logo_url": "https://example.com/a.png", "documentation_url": "http://example.com", "description": "", "code_example": "x", "is_protected": True}]
    types = [await models.block_types.create_block_type(session, core.BlockType(name=f"{PREFIX} {n}", slug=f"{PREFIX}-{n}", **kind)) for n, kind in enumerate(kinds)]
    await models.block_types.create_block_type(session, core.BlockType(name=f"{PREFIX} again", slug=types[0].slug), override=True)

    def schema(block_type, **fields):
        fields = {"type": "object", "title": PREFIX, **fields}
        return actions.BlockSchemaCreate(fields=fields, block_type_id=block_type.id, capabilities=["write-path", "read-path"])

    inner = await models.block_schemas.create_block_schema(session, schema(types[1], properties={"password": {"type": "string"}}, secret_fields=["password"]))
    reference = {"block_type_slug": types[1].slug, "block_schema_checksum": inner.checksum}
    nested = {"properties": {"inner": {"$ref": "#/definitions/Inner"}}, "block_schema_references": {"inner": reference}, "secret_fields": ["inner.password", "all.*"]}
    definitions = {"Inner": {"type": "object", "title": PREFIX, "properties": {"password": {"type": "string"}}, "secret_fields": ["password"], **reference, "block_schema_references": {}}}
    outer = await models.block_schemas.create_block_schema(session, schema(types[0], definitions=definitions, **nested), override=True)

    async def document(kind, data, name=None):
        create = actions.BlockDocumentCreate(name=name, data=data, block_schema_id=kind.id, block_type_id=kind.block_type_id, is_anonymous=name is None)
        return await models.block_documents.create_block_document(session, create)

    secret = await document(inner, {"password": "s3cret", **ODD}, f"{PREFIX}-inner")
    await document(outer, {"inner": {"$ref": {"block_document_id": str(secret.id)}}, "all": {"a": "b", "c": 1}}, f"{PREFIX}-outer")
    await document(outer, {})
    return secret


async def write_work_pools(session, storage):
    pools = models.workers
    plain = await pools.create_work_pool(session, actions.WorkPoolCreate(name=f"{PREFIX}-plain", type="process"))
    template = {"job_configuration": {"env": "{{ env }}"}, "variables": {"properties": {"env": {"type": "object", "default": {}}}}}
    stored = core.WorkPoolStorageConfiguration(bundle_upload_step={"a": {}}, default_result_storage_block_id=storage.id)
    full = {"description": "", "base_job_template": template, "is_paused": True, "concurrency_limit": 0, "storage_configuration": stored}
    pool = await pools.create_work_pool(session, actions.WorkPoolCreate(name=f"{PREFIX}-full", type="kubernetes", **full))
    filter = core.QueueFilter(tags=["a"], deployment_ids=[uuid4()])
    for n, more in enumerate([{}, {"priority": 7, "concurrency_limit": 0, "description": "x", "is_paused": True}, {"filter": filter}]):
        queue = await pools.create_work_queue(session, plain.id, actions.WorkQueueCreate(name=f"{PREFIX}-{n}", **more))
    await models.work_queues.create_work_queue(session, actions.WorkQueueCreate(name=f"{PREFIX}-agent"))
    for seconds in (None, 10, 20):
        await pools.worker_heartbeat(session, pool.id, f"worker {seconds}", seconds)
        await pools.worker_heartbeat(session, pool.id, "worker", seconds)
    session.add(orm.Agent(name=PREFIX, work_queue_id=queue.id))
    return queue


async def write_deployments(session, flow, queue, document):
    create = models.deployments.create_deployment
    await create(session, core.Deployment(name="plain", flow_id=flow.id))
    fields = {
        **{"version": "1", "description": "", "paused": True, "concurrency_limit": 2, "concurrency_options": {"collision_strategy": "CANCEL_NEW", "grace_period_seconds": 60}},
        **{"job_variables": ODD, "parameters": ODD, "pull_steps": [{"a.b": {"c": None}}], "tags": ["b", "a"], "labels": LABELS, "work_queue_name": queue.name, "work_queue_id": queue.id},
        **{"parameter_openapi_schema": {"type": "object", "properties": {"x": {}}}, "path": "/x", "entrypoint": "a.py:b", "enforce_parameter_schema": True, "last_polled": NOON},
        **{"infrastructure_document_id": document.id, "storage_document_id": document.id, "created_by": CREATOR, "updated_by": {"id": None}},
    }
    schedules = [core.DeploymentSchedule(**schedule) for schedule in SCHEDULES]
    for version in ("1", "2"):
        deployment = await create(session, core.Deployment(**{**fields, "name": "full", "flow_id": flow.id, "version": version, "schedules": schedules}))
    await models.deployments.schedule_runs(session, deployment.id, start_time=NOON, min_runs=2, max_runs=4)
    nothing = {"pull_steps": None, "parameter_openapi_schema": None, "labels": None, "concurrency_options": None, "created_by": None}
    session.add_all([orm.Deployment(name="nothing", flow_id=flow.id, **nothing), orm.Deployment(name="defaults", flow_id=flow.id, status="READY", _concurrency_limit=3)])
    await session.flush()
    return deployment


async def write_flow_runs(session, flow, deployment, queue, document):
    create = models.flow_runs.create_flow_run
    for n, state in enumerate(states()):
        run = await create(session, core.FlowRun(flow_id=flow.id, name=f"{PREFIX} {n}", state=state))
    policy = {"retries": 2, "retry_delay": 5, "pause_keys": {"a"}, "resuming": True, "retry_type": "reschedule"}
    fields = {
        **{"deployment_id": deployment.id, "deployment_version": "2", "work_queue_name": queue.name, "work_queue_id": queue.id, "flow_version": "v", "parameters": ODD, "context": ODD},
        **{"idempotency_key": "key", "empirical_policy": policy, "tags": ["b", "a"], "labels": LABELS, "infrastructure_document_id": document.id, "infrastructure_pid": "1"},
        **{"created_by": CREATOR, "job_variables": ODD, "expected_start_time": NOON, "auto_scheduled": True, "state": State(type=StateType.SCHEDULED)},
    }
    full = [await create(session, core.FlowRun(flow_id=flow.id, **fields)) for _ in range(2)]
    assert full[0].id == full[1].id, "a run with the same key is the same"
    for type in (StateType.PENDING, StateType.RUNNING, StateType.PAUSED, StateType.RUNNING, StateType.FAILED):
        await models.flow_runs.set_flow_run_state(session, full[0].id, State(type=type))
    times = {"start_time": NOON, "end_time": NOON + timedelta(days=800), "expected_start_time": NOON - timedelta(hours=30)}
    rows = [
        {},
        {"labels": None, "job_variables": None, "created_by": None},
        {"labels": {}, "job_variables": {}, "empirical_policy": core.FlowRunPolicy(max_retries=3, retry_delay_seconds=2)},
        {"total_run_time": timedelta(days=800, microseconds=1), **times},
        {"state_type": StateType.SCHEDULED, "state_name": "Late", "state_timestamp": NOON, "expected_start_time": NOON, "next_scheduled_start_time": NOON - timedelta(hours=1)},
        {"state_type": StateType.RUNNING, "state_name": "Running", "state_timestamp": NOON, "run_count": 3, "deployment_id": uuid4(), "start_time": NOON},
    ]
    added = [orm.FlowRun(id=uuid4(), flow_id=flow.id, **row) for row in rows]
    session.add_all(added)
    await session.flush()
    added[0].set_state(orm.FlowRunState(type=StateType.COMPLETED, name="Completed", _data=None, timestamp=NOON))
    added[1].set_state(orm.FlowRunState(type=StateType.FAILED, name="", _data={"a": 1}, message="x"))
    await session.flush()
    for n, key in enumerate(("a", "b-1")):
        await models.flow_run_input.create_flow_run_input(session, core.FlowRunInput(flow_run_id=run.id, key=key, value='{"a": 1}', sender=[None, "me"][n]))
    return full[0]


async def write_task_runs(session, flow, parent):
    create = models.task_runs.create_task_run
    task = {"flow_run_id": parent.id, "task_key": "task"}
    runs = [await create(session, core.TaskRun(**task, dynamic_key=str(n), name=f"{PREFIX} {n}", state=state)) for n, state in enumerate(states())]
    inputs = {
        "runs": [core.TaskRunResult(id=runs[0].id), core.FlowRunResult(id=uuid4())],
        "values": [core.Parameter(name="x"), core.Constant(type="str")],
        "none": [],
        "__parents__": [core.TaskRunResult(id=runs[1].id)],
    }
    fields = {
        **{"cache_key": f"{PREFIX}-key", "cache_expiration": NOON + timedelta(days=9999), "task_version": "v", "tags": ["b", "a"], "labels": LABELS, "task_inputs": inputs},
        **{"empirical_policy": {"retries": 1, "retry_delay": [1, 2.5], "retry_jitter_factor": 0.5}, "flow_run_run_count": 2, "expected_start_time": NOON},
    }
    for owner in (parent.id, None):
        full = [await create(session, core.TaskRun(**{**task, "flow_run_id": owner}, dynamic_key="full", **fields)) for _ in range(2)]
        assert full[0].id == full[1].id, "a task run with the same keys is the same"
        details = StateDetails(cache_key=f"{PREFIX}-key", cache_expiration=NOON + timedelta(days=9999))
        for type, data in ((StateType.PENDING, None), (StateType.RUNNING, None), (StateType.COMPLETED, {"a": 1})):
            await models.task_runs.set_task_run_state(session, full[0].id, State(type=type, data=data, state_details=details))
    rows = [{}, {"labels": None, "total_run_time": timedelta(days=31, hours=25)}, {"task_inputs": {}, "state_type": StateType.RUNNING, "state_timestamp": NOON}]
    added = [orm.TaskRun(id=uuid4(), task_key="row", dynamic_key=str(n), **row) for n, row in enumerate(rows)]
    session.add_all(added)
    await session.flush()
    added[0].set_state(orm.TaskRunState(type=StateType.CRASHED, name="Crashed"))
    await models.flow_runs.create_flow_run(session, core.FlowRun(flow_id=flow.id, parent_task_run_id=runs[0].id, state=State(type=StateType.RUNNING)))
    return runs[0]


async def write_artifacts(session, run, task):
    created = models.artifacts.create_artifact
    for data in [*DATA, {**ODD, "nan": None}]:
        await created(session, core.Artifact(data=data))
        await created(session, core.Artifact(key=f"{PREFIX}-key", data=data, type="markdown", description="", metadata_={"a": "b"}, flow_run_id=run.id, task_run_id=task.id))
    for type in ("progress", "result", "table", "", None):
        await created(session, core.Artifact(key=f"{PREFIX}-{type}".lower(), data=0.5, type=type, flow_run_id=run.id))
    session.add_all([orm.Artifact(), orm.Artifact(data=None, metadata_=None, key=""), orm.Artifact(metadata_={}, task_run_id=task.id)])


async def write_limits(session):
    tag = f"{PREFIX}-tag"
    for limit in (1, 2):
        await models.concurrency_limits.create_concurrency_limit(session, core.ConcurrencyLimit(tag=tag, concurrency_limit=limit))
    # What is in this table is moved when a database is adopted, and nothing of 3.9.1 writes it any more.
    await models.concurrency_limits.delete_concurrency_limit_by_tag(session, tag)
    create = models.concurrency_limits_v2.create_concurrency_limit
    plain = await create(session, core.ConcurrencyLimitV2(name=f"{PREFIX}-plain", limit=3))
    full = {"active": False, "active_slots": 2, "denied_slots": 5, "slot_decay_per_second": 0.1, "avg_slot_occupancy_seconds": 1e-7}
    await create(session, core.ConcurrencyLimitV2(name=f"{PREFIX}-full", limit=0, **full))
    await create(session, core.ConcurrencyLimitV2(name=f"tag:{PREFIX}", limit=3))
    await models.concurrency_limits_v2.bulk_increment_active_slots(session, [plain.id], 2)


async def write_automations(session, deployment):
    event = {"type": "event", "posture": "Reactive", "expect": ["b", "a.*"]}
    related = [{"prefect.resource.role": "flow"}, {"a": ["b", "!c"]}]
    triggers = [
        event,
        {**event, "match": {"prefect.resource.id": "x.*"}, "match_related": related, "for_each": ["prefect.resource.id"], "after": ["c"], "threshold": 0, "within": 1.5},
        {**event, "posture": "Proactive", "within": timedelta(days=2)},
        {"type": "compound", "require": 2, "within": None, "triggers": [event, event]},
        {"type": "sequence", "within": 60, "triggers": [event, {"type": "compound", "require": "any", "within": 5, "triggers": [event]}]},
    ]
    steps = [{"type": "do-nothing"}, {"type": "run-deployment", "deployment_id": deployment.id, "parameters": ODD}, {"type": "pause-deployment", "source": "inferred"}]
    for n, trigger in enumerate(triggers):
        more = {"actions_on_trigger": steps[:1], "actions_on_resolve": steps[1:], "tags": ["b", "a"], "enabled": False, "description": "x"} if n == 0 else {}
        automation = await automations.create_automation(session, Automation(name=f"{PREFIX} {n}", trigger=trigger, actions=steps, **more))
    for owned in (False, True):
        await automations.relate_automation_to_resource(session, automation.id, f"prefect.deployment.{deployment.id}", owned)


async def write_rest(session, run, task):
    now = datetime.now(timezone.utc)
    resource = {"prefect.resource.id": f"prefect.flow-run.{run.id}", "": ""}
    related = [{"prefect.resource.id": PREFIX, "prefect.resource.role": "flow", "prefect.resource.name": "x"}, {"prefect.resource.id": "", "prefect.resource.role": "x"}]
    fields = [{}, {"payload": ODD}, {"related": related[:1]}, {"follows": uuid4(), "related": [*related[:1], {**related[0], "prefect.resource.role": "tag"}]}]
    events = [ReceivedEvent(id=uuid4(), occurred=now, event=f"{PREFIX}.{n}", resource=resource, **more) for n, more in enumerate(fields)]
    await write_events(session, [*events, events[0]])
    logs = [{}, {"flow_run_id": run.id}, {"flow_run_id": run.id, "task_run_id": task.id, "level": -1, "message": "\u0000\n☃"}]
    await models.logs.create_logs(session, [actions.LogCreate(**{"name": PREFIX, "level": 20, "message": "", "timestamp": NOON + timedelta(seconds=n), **log}) for n, log in enumerate(logs)])
    for n, value in enumerate(DATA):
        await models.variables.create_variable(session, actions.VariableCreate(name=f"{PREFIX.replace('-', '_')}_{n}", value=value, tags=["b", "a"][: n % 3]))
    filters = [{"object": "flow_run", "property": "name", "type": "string", "operation": "=", "value": value} for value in DATA]
    for given in ([], filters):
        await models.saved_searches.create_saved_search(session, core.SavedSearch(name=PREFIX, filters=given))
    for _ in range(2):
        await models.csrf_token.create_or_update_csrf_token(session, PREFIX)
    for value in (1, 2):
        await models.configuration.write_configuration(session, core.Configuration(key=PREFIX, value={"a": value}))


# Values for columns without a default; by name where not any value of the type will do.
VALUES = {"Timestamp": NOON, "JSON": {}, "Pydantic": {}, "Text": "", "Integer": 1, "SmallInteger": 1, "Boolean": True, "Float": 1.5}
NAMED_VALUES = {"schedule": {"interval": 60}, "trigger": {"type": "event", "posture": "Reactive"}, "actions": [], "type": "COMPLETED", "resource": {"prefect.resource.id": PREFIX}}
# What these hold cannot be made up: encrypted contents, references without a circle, whole events and firings. Without a
# default queue Prefect cannot read a pool, and nothing of 3.9.1 writes the old limits.
WITHOUT_BARE_ROW = {"work_pool", "concurrency_limit", "block_document", "block_document_reference", "block_schema_reference", "automation_event_follower", "composite_trigger_child_firing"}


async def write_bare_rows(session):
    """A row of each table that names only what has no default in Postgres."""
    needed = "select column_name from information_schema.columns where table_name = :table and is_nullable = 'NO' and column_default is null"
    for table in orm.Base.metadata.sorted_tables:
        if table.name in WITHOUT_BARE_ROW:
            continue
        values = {}
        for name in await session.scalars(sa.text(needed), {"table": table.name}):
            column = table.c[name]
            kind = type(column.type).__name__
            if column.foreign_keys:
                target = next(iter(column.foreign_keys)).column
                values[name] = await session.scalar(sa.select(target).order_by(target.table.c.created.desc()).limit(1))
            elif kind in ("String", "AutoString"):
                values[name] = f"{PREFIX}-bare"
            else:
                values[name] = NAMED_VALUES.get(name, uuid4() if kind == "UUID" else VALUES.get(kind))
        # A table without the columns' defaults.
        bare = sa.table(table.name, *(sa.column(name, table.c[name].type) for name in values))
        await session.execute(sa.insert(bare).values(values))


async def main() -> None:
    db = provide_database_interface()
    async with db.session_context(begin_transaction=True) as session:
        flow = await write_flows(session)
        document = await write_blocks(session)
        queue = await write_work_pools(session, document)
        deployment = await write_deployments(session, flow, queue, document)
        run = await write_flow_runs(session, flow, deployment, queue, document)
        task = await write_task_runs(session, flow, run)
        await write_artifacts(session, run, task)
        await write_limits(session)
        await write_automations(session, deployment)
        await write_rest(session, run, task)
        await write_bare_rows(session)
    report("written", prefix=PREFIX)


if __name__ == "__main__":
    asyncio.run(main())
