"""Automations and events."""

from datetime import datetime, timedelta, timezone
from uuid import UUID, uuid5

from prefect.client.schemas.sorting import AutomationSort
from prefect.events.actions import DoNothing, RunDeployment
from prefect.events.filters import AutomationFilter, AutomationFilterName, EventFilter, EventNameFilter, EventOccurredFilter, EventResourceFilter
from prefect.events.schemas.automations import AutomationCore, CompoundTrigger, EventTrigger, Posture

NOW = datetime.now(timezone.utc)


async def tell(api) -> None:
    await automations(api)
    await events(api)


def event_trigger(**fields) -> EventTrigger:
    return EventTrigger(**{"expect": {"zz.never"}, "posture": Posture.Reactive, **fields})


async def automations(api) -> None:
    name = api.name("automation")
    both = CompoundTrigger(triggers=[event_trigger(), event_trigger(expect={"zz.other"})], require="all", within=timedelta(minutes=1))
    automation_id = await api.create_automation(AutomationCore(name=name, description="Waits", trigger=event_trigger(threshold=3), actions=[DoNothing()], tags=["told"]))
    await api.create_automation(AutomationCore(name=f"{name}-compound", trigger=both, actions=[DoNothing()], enabled=False))
    await api.create_automation(AutomationCore(name=f"{name}-astray", trigger=event_trigger(), actions=[RunDeployment(deployment_id=api.unknown())]))
    await api.create_automation(AutomationCore(name=f"{name}-idle", trigger=event_trigger(), actions=[]))
    await api.read_automation(automation_id)
    await api.read_automation(str(automation_id))
    await api.read_automation(api.unknown())
    await api.read_automations_by_name(name)
    await api.read_automations_by_name(api.name("none"))
    await api.find_automation(automation_id)
    await api.find_automation(str(automation_id))
    await api.find_automation(name.upper())
    await api.find_automation(api.name("none"))
    await api.find_automation(api.unknown())
    mine = AutomationFilter(name=AutomationFilterName(any_=[name, f"{name}-compound"]))
    await api.read_automations(automations=mine, sort=AutomationSort.NAME_DESC)
    await api.read_automations(automations=mine, sort=AutomationSort.NAME_ASC, limit=1, offset=1)
    await api.pause_automation(automation_id)
    await api.read_automation(automation_id)
    await api.resume_automation(automation_id)
    await api.pause_automation(api.unknown())
    await api.resume_automation(api.unknown())
    await api.update_automation(automation_id, AutomationCore(name=name, description="Changed", trigger=event_trigger(within=timedelta(seconds=30), posture=Posture.Proactive), actions=[DoNothing()]))
    await api.update_automation(api.unknown(), AutomationCore(name=name, trigger=event_trigger(), actions=[DoNothing()]))
    await api.read_automation(automation_id)
    await api.read_resource_related_automations(f"prefect.deployment.{api.unknown()}")
    await api.delete_resource_owned_automations(f"prefect.deployment.{api.unknown()}")
    await api.delete_automation(automation_id)
    await api.delete_automation(automation_id)


async def events(api) -> None:
    name = api.name("event")
    resource = {"prefect.resource.id": f"told.{name}", "kind": "sample"}
    sent = [
        {"id": str(uuid5(UUID(int=n), name)), "event": f"{name}.{n}", "occurred": (NOW + timedelta(seconds=n)).isoformat(), "resource": resource, "related": [], "payload": {"n": n}}
        for n in range(5)
    ]
    await api.request("POST", "/events", json=sent)
    mine = EventFilter(event=EventNameFilter(prefix=[name]), occurred=EventOccurredFilter(since=NOW - timedelta(days=1), until=NOW + timedelta(days=1)))
    await api.until(lambda page: page.total == 5, "read_events", mine, limit=50)
    await api.read_events(mine, limit=50)
    await api.read_events(mine)
    first = await api.read_events(mine, limit=2)
    second = await api.read_events_page(first.next_page)
    await api.read_events_page(second.next_page)
    nothing = EventFilter(event=EventNameFilter(prefix=[name]), resource=EventResourceFilter(id=["none"]), occurred=mine.occurred)
    await api.read_events(nothing, limit=50)
