"""Limits by tag, global limits, and leases on their slots."""

from uuid import UUID

from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, GlobalConcurrencyLimitUpdate
from prefect.client.schemas.objects import ConcurrencyLeaseHolder

TASK_RUN = UUID("6f1d0c8e-9f5e-4c0e-8a3c-0d5b8f0f1a01")
OTHER_TASK_RUN = UUID("6f1d0c8e-9f5e-4c0e-8a3c-0d5b8f0f1a02")


async def tell(api) -> None:
    await tags(api, api.name("tag"))
    await global_limits(api, api.name("limit"))
    await leases(api, api.name("leased"))


async def tags(api, tag) -> None:
    await api.create_concurrency_limit(tag, 1)
    await api.create_concurrency_limit(tag, 2)
    await api.create_concurrency_limit(tag, 1)
    await api.read_concurrency_limit_by_tag(tag)
    await api.read_concurrency_limit_by_tag(api.name("none"))
    await api.read_concurrency_limits(limit=100, offset=0)
    await api.read_concurrency_limits(limit=1, offset=1000)
    await api.increment_v1_concurrency_slots([tag], TASK_RUN)
    await api.increment_v1_concurrency_slots([tag], OTHER_TASK_RUN)
    await api.increment_v1_concurrency_slots([api.name("none")], TASK_RUN)
    await api.read_concurrency_limit_by_tag(tag)
    await api.decrement_v1_concurrency_slots([tag], TASK_RUN, occupancy_seconds=1.5)
    await api.decrement_v1_concurrency_slots([tag], TASK_RUN, occupancy_seconds=1.5)
    await api.reset_concurrency_limit_by_tag(tag)
    await api.reset_concurrency_limit_by_tag(tag, slot_override=[TASK_RUN, str(OTHER_TASK_RUN)])
    await api.read_concurrency_limit_by_tag(tag)
    await api.reset_concurrency_limit_by_tag(api.name("none"))
    await api.delete_concurrency_limit_by_tag(tag)
    await api.delete_concurrency_limit_by_tag(tag)


async def global_limits(api, name) -> None:
    await api.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=2, slot_decay_per_second=0.0))
    await api.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=2))
    await api.create_global_concurrency_limit(GlobalConcurrencyLimitCreate.model_construct(_fields_set={"name", "limit"}, name=f"{name}/x", limit=-1))
    await api.read_global_concurrency_limit_by_name(name)
    await api.read_global_concurrency_limit_by_name(api.name("none"))
    await api.read_global_concurrency_limits(limit=100)
    await api.read_global_concurrency_limits(limit=1, offset=1000)
    await api.update_global_concurrency_limit(name, GlobalConcurrencyLimitUpdate(limit=3, active_slots=1))
    await api.update_global_concurrency_limit(api.name("none"), GlobalConcurrencyLimitUpdate(limit=3))
    await api.increment_concurrency_slots([name], 2, "concurrency")
    await api.increment_concurrency_slots([name], 9, "concurrency")
    await api.increment_concurrency_slots([name], 1, "rate_limit")
    await api.increment_concurrency_slots([api.name("none")], 1, "concurrency")
    await api.release_concurrency_slots([name], 2, occupancy_seconds=0.5)
    await api.release_concurrency_slots([api.name("none")], 1, occupancy_seconds=0.5)
    await api.read_global_concurrency_limit_by_name(name)
    await api.upsert_global_concurrency_limit_by_name(name, 7)
    await api.upsert_global_concurrency_limit_by_name(f"{name}-new", 1, slot_decay_per_second=2.5)
    await api.read_global_concurrency_limit_by_name(f"{name}-new")
    await api.update_global_concurrency_limit(name, GlobalConcurrencyLimitUpdate(name=f"{name}-new"))
    await api.delete_global_concurrency_limit_by_name(f"{name}-new")
    await api.delete_global_concurrency_limit_by_name(f"{name}-new")


async def leases(api, name) -> None:
    await api.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=1))
    holder = ConcurrencyLeaseHolder(type="task_run", id=TASK_RUN)
    taken = await api.increment_concurrency_slots_with_lease([name], 1, "concurrency", lease_duration=120, holder=holder)
    lease_id = UUID(taken.json()["lease_id"])
    await api.increment_concurrency_slots_with_lease([name], 1, "concurrency", lease_duration=120)
    await api.increment_concurrency_slots_with_lease([api.name("none")], 1, "concurrency", lease_duration=120)
    await api.increment_concurrency_slots_with_lease([name], 1, "concurrency", lease_duration=1)
    await api.renew_concurrency_lease(lease_id, lease_duration=240)
    await api.renew_concurrency_lease(api.unknown(), lease_duration=240)
    await api.read_global_concurrency_limit_by_name(name)
    await api.release_concurrency_slots_with_lease(lease_id)
    await api.release_concurrency_slots_with_lease(lease_id)
    await api.read_global_concurrency_limit_by_name(name)
