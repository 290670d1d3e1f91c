"""Work pools, their queues and workers, and queues without a pool."""

from datetime import datetime, timezone

from prefect.client.schemas import filters
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import WorkerMetadata, WorkPoolStorageConfiguration

TEMPLATE = {"job_configuration": {"command": "{{ command }}"}, "variables": {"type": "object", "properties": {"command": {"type": "string", "default": "run"}}}}
YEARS_AHEAD = datetime(2032, 1, 1, tzinfo=timezone.utc)


async def tell(api) -> None:
    pool = api.name("pool")
    await pools(api, pool)
    await queues(api, pool)
    await workers(api, pool)
    await runs(api, pool)
    await default_queues(api)
    await api.read_worker_metadata()
    await api.delete_work_pool(pool)
    await api.delete_work_pool(pool)


async def pools(api, pool) -> None:
    await api.create_work_pool(WorkPoolCreate(name=pool, type="process", base_job_template=TEMPLATE, description="A pool", is_paused=True, concurrency_limit=3))
    await api.create_work_pool(WorkPoolCreate(name=pool, type="process"))
    await api.create_work_pool(WorkPoolCreate(name=pool, type="process", base_job_template=TEMPLATE, description="Overwritten"), overwrite=True)
    await api.create_work_pool(WorkPoolCreate.model_construct(name="prefect-reserved", type="process"))
    await api.create_work_pool(WorkPoolCreate.model_construct(name=f"{pool}/x", type="process"))
    await api.create_work_pool(WorkPoolCreate(name=api.name("second"), type="docker", base_job_template={"variables": {}}))
    await api.create_work_pool(WorkPoolCreate(name=api.name("second"), type="docker"))
    await api.read_work_pool(pool)
    await api.read_work_pool(api.name("none"))
    await api.update_work_pool(pool, WorkPoolUpdate(description="Changed", is_paused=False, concurrency_limit=2))
    await api.update_work_pool(pool, WorkPoolUpdate(storage_configuration=WorkPoolStorageConfiguration(bundle_upload_step={"a.b": {"c": "d"}})))
    await api.update_work_pool(pool, WorkPoolUpdate(concurrency_limit=None))
    await api.update_work_pool(api.name("none"), WorkPoolUpdate(description="x"))
    await api.update_work_pool(pool, WorkPoolUpdate.model_construct(_fields_set={"concurrency_limit"}, concurrency_limit=-1))
    await api.read_work_pool(pool)
    names = filters.WorkPoolFilterName(any_=[pool, api.name("second")])
    await api.read_work_pools(work_pool_filter=filters.WorkPoolFilter(name=names))
    await api.read_work_pools(work_pool_filter=filters.WorkPoolFilter(name=names, type=filters.WorkPoolFilterType(any_=["docker"])))
    await api.read_work_pools(work_pool_filter=filters.WorkPoolFilter(name=names), limit=1, offset=1)


async def queues(api, pool) -> None:
    queue = await api.create_work_queue(name="fast", description="The fast ones", is_paused=True, concurrency_limit=4, priority=1, work_pool_name=pool)
    await api.create_work_queue(name="fast", work_pool_name=pool)
    await api.create_work_queue(name="fast", work_pool_name=api.name("none"))
    await api.create_work_queue(name="a/b", work_pool_name=pool)
    await api.read_work_queue(queue.id)
    await api.read_work_queue(api.unknown())
    await api.read_work_queue_by_name("fast", work_pool_name=pool)
    await api.read_work_queue_by_name("none", work_pool_name=pool)
    await api.update_work_queue(queue.id, is_paused=False, description="Changed", priority=2, concurrency_limit=None)
    await api.update_work_queue(queue.id)
    await api.update_work_queue(api.unknown(), is_paused=False)
    await api.update_work_queue(queue.id, name="default")
    await api.update_work_queue(queue.id, last_polled=YEARS_AHEAD)
    await api.read_work_queue_status(queue.id)
    await api.read_work_queue_status(api.unknown())
    await api.read_work_queues(work_pool_name=pool)
    await api.read_work_queues(work_pool_name=pool, work_queue_filter=filters.WorkQueueFilter(name=filters.WorkQueueFilterName(startswith_=["fa"])), limit=1)
    await api.read_work_queues(work_pool_name=api.name("none"))
    await api.match_work_queues(["fa", "de"], work_pool_name=pool)
    await api.match_work_queues(["zz"], work_pool_name=pool)
    await api.read_work_queue_concurrency_status(queue.id)
    await api.read_work_queue_concurrency_status(api.unknown(), page=2, limit=1)
    default = await api.read_work_queue_by_name("default", work_pool_name=pool)
    await api.delete_work_queue_by_id(default.id)
    await api.delete_work_queue_by_id(queue.id)
    await api.delete_work_queue_by_id(queue.id)


async def workers(api, pool) -> None:
    await api.send_worker_heartbeat(pool, "worker-1", heartbeat_interval_seconds=30)
    await api.send_worker_heartbeat(pool, "worker-1", heartbeat_interval_seconds=20, get_worker_id=True)
    await api.send_worker_heartbeat(pool, "worker-2", worker_metadata=WorkerMetadata(integrations=[{"name": "prefect-aws", "version": "0.5"}], host="x"))
    await api.send_worker_heartbeat(api.name("none"), "worker-1")
    await api.send_worker_heartbeat(pool, "a/b")
    await api.read_workers_for_work_pool(pool)
    await api.read_workers_for_work_pool(pool, worker_filter=filters.WorkerFilter(status=filters.WorkerFilterStatus(any_=["ONLINE"])), limit=1, offset=1)
    await api.read_workers_for_work_pool(pool, worker_filter=filters.WorkerFilter(status=filters.WorkerFilterStatus(any_=["OFFLINE"])))
    await api.read_workers_for_work_pool(api.name("none"))
    await api.read_work_pool(pool)


async def runs(api, pool) -> None:
    queue_name = api.name("busy")
    flow_id = await api.create_flow_from_name(api.name("flow"))
    deployment_id = await api.create_deployment(flow_id, name="pooled", work_pool_name=pool, work_queue_name=queue_name)
    for name in ("first", "second"):
        await api.create_flow_run_from_deployment(deployment_id, name=name)
    await api.get_scheduled_flow_runs_for_work_pool(pool)
    await api.get_scheduled_flow_runs_for_work_pool(pool, work_queue_names=[queue_name], scheduled_before=YEARS_AHEAD)
    await api.get_scheduled_flow_runs_for_work_pool(pool, work_queue_names=["default"])
    await api.get_scheduled_flow_runs_for_work_pool(api.name("none"))
    queue = await api.read_work_queue_by_name(queue_name, work_pool_name=pool)
    await api.get_runs_in_work_queue(queue.id)
    await api.get_runs_in_work_queue(queue.id, limit=1, scheduled_before=YEARS_AHEAD)
    await api.get_runs_in_work_queue(api.unknown())
    await api.read_work_queue_concurrency_status(queue.id, page=1, limit=5)
    await api.read_work_pool_concurrency_status(pool)
    await api.read_work_pool_concurrency_status(pool, page=2, limit=1, flow_run_limit=1)
    await api.read_work_pool_concurrency_status(api.name("none"))


async def default_queues(api) -> None:
    name = api.name("queue")
    queue = await api.create_work_queue(name=name, concurrency_limit=1)
    await api.create_work_queue(name=name)
    await api.read_work_queue_by_name(name)
    await api.read_work_queue_by_name(api.name("none"))
    await api.match_work_queues([name])
    await api.update_work_queue(queue.id, name=f"{name}-renamed")
    await api.read_work_queues(work_queue_filter=filters.WorkQueueFilter(name=filters.WorkQueueFilterName(any_=[f"{name}-renamed"])))
    await api.delete_work_queue_by_id(queue.id)
