"""Flows, flow runs with their states and inputs, and task runs."""

from datetime import datetime, timedelta, timezone

from prefect import flow, states, task
from prefect.client.schemas import filters, sorting
from prefect.client.schemas.objects import FlowRunPolicy
from prefect.client.schemas.filters import FlowFilter, FlowRunFilter, TaskRunFilter


SOON = datetime.now(timezone.utc) + timedelta(minutes=10)


@flow(version="7", retries=2, retry_delay_seconds=3)
def told(n: int = 1) -> int:
    return n


@task(tags=["of-the-task"], retries=1, retry_delay_seconds=[60, 120])
def step(n: int) -> int:
    return n


async def tell(api) -> None:
    await server(api)
    flow_id = await flows(api)
    await flow_run_life(api)
    await flow_run_inputs(api)
    await task_runs(api)
    await api.delete_flow(flow_id)
    await api.delete_flow(flow_id)
    await api.read_flow(flow_id)


async def server(api) -> None:
    await api.hello()
    await api.api_healthcheck()
    await api.api_version()
    await api.client_version()
    await api.raise_for_api_version_mismatch()
    await api.raise_for_api_version_mismatch_once()
    await api.request("GET", "/admin/version")
    await api.request("GET", "/nothing/here")
    await api.request("POST", "/flows/filter", json={"limit": "many"})
    await api.request("PUT", "/flows/filter", json={})


async def flows(api):
    flow_id = await api.create_flow_from_name(api.name("flow"))
    await api.create_flow_from_name(api.name("flow"))
    await api.create_flow_from_name("")
    await api.create_flow(told.with_options(name=api.name("other-flow")))
    await api.read_flow(flow_id)
    await api.read_flow(api.unknown())
    await api.read_flow_by_name(api.name("flow"))
    await api.read_flow_by_name(api.name("no-flow"))
    mine = FlowFilter(name=filters.FlowFilterName(like_=api.name("")))
    await api.read_flows(flow_filter=mine)
    await api.read_flows(flow_filter=mine, sort=sorting.FlowSort.NAME_DESC, limit=1, offset=1)
    await api.read_flows(flow_filter=mine, limit=100_000)
    await api.read_flows(flow_filter=mine, flow_run_filter=FlowRunFilter(name=filters.FlowRunFilterName(any_=["none"])))
    return flow_id


async def flow_run_life(api) -> None:
    mine = FlowFilter(name=filters.FlowFilterName(any_=[api.name("runs")]))
    named = told.with_options(name=api.name("runs"))
    run = await api.create_flow_run(named, name="first", parameters={"n": 2}, tags=["a", "b"], context={"k": 1}, job_variables={"cpu": 2})
    await api.create_flow_run(named, name="second", state=states.Scheduled(name="Later", scheduled_time=SOON), work_pool_name=api.name("no-pool"))
    second = await api.create_flow_run(named, name="second", state=states.Pending())
    await api.create_flow_run(named, name="child", parent_task_run_id=api.unknown())
    await api.read_flow_run(run.id)
    await api.read_flow_run(api.unknown())
    await api.update_flow_run(run.id, name="renamed", tags=["c"], parameters={"n": 3}, flow_version="8", infrastructure_pid="pid-1", job_variables={"cpu": 4}, empirical_policy=FlowRunPolicy(retries=5, retry_delay=1))
    await api.update_flow_run(api.unknown(), name="renamed")
    await api.update_flow_run_labels(run.id, {"team": "a", "size": 2, "warm": True, "share": 0.5})
    await api.update_flow_run_labels(api.unknown(), {"team": "a"})
    await api.set_flow_run_name(run.id, "named-again")
    await api.set_flow_run_name(api.unknown(), "named-again")
    await api.read_flow_run(run.id)
    await api.set_flow_run_state(run.id, states.Pending())
    await api.set_flow_run_state(run.id, states.Running(message="on its way"))
    await api.set_flow_run_state(run.id, states.Running())
    await api.set_flow_run_state(run.id, states.Paused(pause_expiration_time=SOON, pause_key="k1"))
    await api.resume_flow_run(run.id)
    await api.resume_flow_run(run.id)
    await api.set_flow_run_state(run.id, states.Running())
    await api.set_flow_run_state(run.id, states.Failed(message="went wrong"))
    await api.set_flow_run_state(run.id, states.Running())
    await api.set_flow_run_state(run.id, states.Completed(message="done"), force=True)
    await api.set_flow_run_state(run.id, states.Pending())
    await api.set_flow_run_state(str(second.id), states.Cancelling())
    await api.set_flow_run_state(second.id, states.Cancelled(message="stopped"))
    await api.set_flow_run_state(api.unknown(), states.Running())
    await api.resume_flow_run(api.unknown())
    history = await api.read_flow_run_states(run.id)
    await api.read_flow_run_states(api.unknown())
    await api.read_flow_run_state(history[0].id)
    await api.read_flow_run_state(api.unknown())
    await api.read_flow_runs(flow_filter=mine, sort=sorting.FlowRunSort.NAME_ASC)
    await api.read_flow_runs(flow_filter=mine, flow_run_filter=FlowRunFilter(state=filters.FlowRunFilterState(name=filters.FlowRunFilterStateName(any_=["Completed"]))))
    await api.read_flow_runs(flow_filter=mine, flow_run_filter=FlowRunFilter(tags=filters.FlowRunFilterTags(is_null_=True)), sort=sorting.FlowRunSort.NAME_DESC, limit=1)
    await api.count_flow_runs(flow_filter=mine)
    await api.count_flow_runs(flow_filter=mine, flow_run_filter=FlowRunFilter(tags=filters.FlowRunFilterTags(all_=["c"])))
    await api.delete_flow_run(second.id)
    await api.delete_flow_run(second.id)


async def flow_run_inputs(api) -> None:
    run = await api.create_flow_run(told.with_options(name=api.name("inputs")), name="with-inputs")
    for key in ("form-a", "form-b", "other"):
        await api.create_flow_run_input(run.id, key=key, value=f'{{"of": "{key}"}}', sender="prefect.flow-run.x")
    await api.create_flow_run_input(run.id, key="form-a", value="1")
    await api.create_flow_run_input(run.id, key="not a key", value="1")
    await api.create_flow_run_input(api.unknown(), key="form-a", value="1")
    await api.read_flow_run_input(run.id, "form-a")
    await api.read_flow_run_input(run.id, "form-z")
    await api.filter_flow_run_input(run.id, key_prefix="form", limit=10, exclude_keys={"form-b"})
    await api.filter_flow_run_input(run.id, key_prefix="form", limit=1, exclude_keys=set())
    await api.filter_flow_run_input(run.id, key_prefix="none", limit=10, exclude_keys=set())
    await api.delete_flow_run_input(run.id, "form-a")
    await api.delete_flow_run_input(run.id, "form-a")


async def task_runs(api) -> None:
    run = await api.create_flow_run(told.with_options(name=api.name("tasks")), name="with-tasks", state=states.Running())
    first = await api.create_task_run(step, flow_run_id=run.id, dynamic_key="0", name="step-0", extra_tags=["extra"], task_inputs={"n": []})
    await api.create_task_run(step, flow_run_id=run.id, dynamic_key="0", name="step-0-again")
    second = await api.create_task_run(step, flow_run_id=run.id, dynamic_key="1", name="step-1", state=states.Scheduled(scheduled_time=SOON))
    await api.create_task_run(step, flow_run_id=None, dynamic_key="0", name="alone", state=states.Running())
    await api.create_task_run(step, flow_run_id=api.unknown(), dynamic_key="0", name="nowhere")
    await api.read_task_run(first.id)
    await api.read_task_run(api.unknown())
    await api.set_task_run_name(first.id, "renamed")
    await api.set_task_run_name(api.unknown(), "renamed")
    await api.set_task_run_state(first.id, states.Running())
    await api.set_task_run_state(first.id, states.Failed(message="again, please"))
    await api.set_task_run_state(first.id, states.Running())
    await api.set_task_run_state(first.id, states.Completed())
    await api.set_task_run_state(first.id, states.Running())
    await api.set_task_run_state(second.id, states.Running(), force=True)
    await api.set_task_run_state(api.unknown(), states.Running())
    await api.read_task_run_states(first.id)
    await api.read_task_run_states(api.unknown())
    of_run = FlowRunFilter(id=filters.FlowRunFilterId(any_=[run.id]))
    await api.read_task_runs(flow_run_filter=of_run, sort=sorting.TaskRunSort.NAME_ASC)
    await api.read_task_runs(flow_run_filter=of_run, task_run_filter=TaskRunFilter(tags=filters.TaskRunFilterTags(all_=["extra"])))
    await api.read_task_runs(flow_run_filter=of_run, sort=sorting.TaskRunSort.NAME_DESC, limit=1, offset=1)
    await api.read_task_runs(task_run_filter=TaskRunFilter(flow_run_id=filters.TaskRunFilterFlowRunId(any_=[run.id]), name=filters.TaskRunFilterName(like_="step-")), sort=sorting.TaskRunSort.NAME_ASC)
    await api.delete_task_run(second.id)
    await api.delete_task_run(second.id)
