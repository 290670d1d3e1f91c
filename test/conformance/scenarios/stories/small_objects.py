"""Variables, artifacts and logs."""

from datetime import datetime, timezone

from prefect import flow
from prefect.client.schemas import filters, sorting
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate, LogCreate, VariableCreate, VariableUpdate

NOW = datetime.now(timezone.utc)


@flow
def told() -> None: ...


async def tell(api) -> None:
    run = await api.create_flow_run(told.with_options(name=api.name("flow")), name="small-objects")
    await variables(api, api.name("variable").replace("-", "_"))
    await artifacts(api, api.name("artifact"), run.id)
    await logs(api, run.id)


async def variables(api, name) -> None:
    await api.create_variable(VariableCreate(name=name, value={"a": [1, 2.5, None, "ü"]}, tags=["x", "y"]))
    await api.create_variable(VariableCreate(name=name, value=1))
    await api.create_variable(VariableCreate.model_construct(name="Not a name", value=1))
    await api.create_variable(VariableCreate.model_construct(_fields_set={"name", "value"}, name=f"{name}_long", value="x" * 6000))
    await api.read_variable_by_name(name)
    await api.read_variable_by_name(f"{name}_none")
    await api.update_variable(VariableUpdate(name=name, value=12345678901234567890, tags=[]))
    await api.update_variable(VariableUpdate(name=f"{name}_none", value=1))
    await api.read_variable_by_name(name)
    await api.read_variables(limit=100)
    await api.read_variables(limit=1)
    await api.delete_variable_by_name(name)
    await api.delete_variable_by_name(name)


async def artifacts(api, key, run_id) -> None:
    first = await api.create_artifact(ArtifactCreate(key=key, type="markdown", description="First", data="# One", metadata_={"a": "b"}, flow_run_id=run_id))
    second = await api.create_artifact(ArtifactCreate(key=key, type="table", data=[{"a": 1}], flow_run_id=run_id))
    unkeyed = await api.create_artifact(ArtifactCreate(type="progress", data=0.5, flow_run_id=run_id))
    await api.create_artifact(ArtifactCreate.model_construct(_fields_set={"key"}, key="Not A Key"))
    await api.update_artifact(first.id, ArtifactUpdate(data="# Two", description="Changed", metadata_={"c": "d"}))
    await api.update_artifact(api.unknown(), ArtifactUpdate(data="# Two"))
    of_run = filters.FlowRunFilter(id=filters.FlowRunFilterId(any_=[run_id]))
    await api.read_artifacts(flow_run_filter=of_run, sort=sorting.ArtifactSort.CREATED_DESC)
    await api.read_artifacts(artifact_filter=filters.ArtifactFilter(key=filters.ArtifactFilterKey(any_=[key])), sort=sorting.ArtifactSort.CREATED_DESC, limit=1, offset=1)
    latest = filters.ArtifactCollectionFilter(key=filters.ArtifactCollectionFilterKey(any_=[key]))
    await api.read_latest_artifacts(artifact_filter=latest)
    await api.delete_artifact(second.id)
    await api.read_latest_artifacts(artifact_filter=latest, sort=sorting.ArtifactCollectionSort.KEY_ASC, limit=5)
    await api.delete_artifact(second.id)
    await api.delete_artifact(unkeyed.id)


async def logs(api, run_id) -> None:
    lines = [LogCreate(name="told", level=10 * level, message=f"line {level} ü", timestamp=NOW.replace(microsecond=level), flow_run_id=run_id) for level in range(1, 5)]
    await api.create_logs(lines)
    await api.create_logs([line.model_dump(mode="json") for line in lines[:1]])
    await api.create_logs([{"name": "told"}])
    await api.create_logs([])
    of_run = filters.LogFilter(flow_run_id=filters.LogFilterFlowRunId(any_=[run_id]))
    await api.until(lambda read: len(read) == 5, "read_logs", of_run)
    loud = filters.LogFilter(flow_run_id=of_run.flow_run_id, level=filters.LogFilterLevel(ge_=30))
    await api.read_logs(loud, sort=sorting.LogSort.TIMESTAMP_DESC)
    await api.read_logs(of_run, limit=2, offset=1, sort=sorting.LogSort.TIMESTAMP_ASC)
    await api.read_logs(filters.LogFilter(flow_run_id=of_run.flow_run_id, text=filters.LogFilterTextSearch(query="line 3")))
    await api.read_logs(of_run, limit=100_000)
