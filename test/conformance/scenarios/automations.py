"""Automations by the SDK: made, read, changed and deleted, and made by the triggers of deployments."""

from datetime import timedelta

from prefect import flow
from prefect.automations import Automation
from prefect.events import DeploymentCompoundTrigger, DeploymentEventTrigger
from prefect.events.actions import CancelFlowRun, DoNothing
from prefect.events.schemas.automations import EventTrigger, Posture, SequenceTrigger
from report import report


@flow
def triggered(n: int = 1) -> int:
    return n


def event_trigger(name: str, **fields) -> EventTrigger:
    return EventTrigger(expect={name}, posture=Posture.Reactive, **fields)


def by_hand() -> None:
    sequence = SequenceTrigger(triggers=[event_trigger("one"), event_trigger("two")], within=timedelta(minutes=5))
    automation = Automation(name="conformance-sdk", trigger=sequence, actions=[DoNothing()], tags=["conformance"]).create()
    read = Automation.read(name="conformance-sdk")
    report("created", id=automation.id, same=read == Automation.read(id=automation.id), triggers=len(read.trigger.triggers))

    read.description = "changed"
    read.trigger = EventTrigger(expect={"three"}, posture=Posture.Proactive, within=timedelta(seconds=30))
    read.actions = [CancelFlowRun()]
    read.update()
    changed = Automation.read(id=automation.id)
    report("updated", description=changed.description, within=changed.trigger.within.total_seconds(), action=changed.actions[0].type)

    changed.disable()
    disabled = Automation.read(id=automation.id).enabled
    changed.enable()
    report("switched", disabled=disabled, enabled=Automation.read(id=automation.id).enabled)

    changed.delete()
    try:
        Automation.read(id=automation.id)
        report("deleted", gone=False)
    except ValueError:
        report("deleted", gone=True)


def by_deployment() -> None:
    simple = DeploymentEventTrigger(name="simple", expect={"zz.happened"}, parameters={"n": "{{ event.payload.n }}"})
    compound = DeploymentCompoundTrigger(name="compound", require="all", within=timedelta(hours=1), triggers=[event_trigger("zz.a"), event_trigger("zz.b")])
    deployment = triggered.to_deployment("triggered", triggers=[simple, compound])
    first = deployment.apply()
    # Applied again, the automations are replaced, not added.
    second = deployment.apply()
    report("deployed", id=first, same=first == second)


if __name__ == "__main__":
    by_hand()
    by_deployment()
