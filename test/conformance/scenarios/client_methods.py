"""Every public method of Prefect's client, in stories told to two servers at once: `client_methods.py REAL OURS`."""

import asyncio
import sys
import uuid

from prefect.client.orchestration import PrefectClient, SyncPrefectClient
from report import report
from stories import automations, blocks, deployments, flow_runs, limits, small_objects, work_pools
from witness import Pace, Witness

STORIES = [flow_runs, deployments, work_pools, blocks, limits, automations, small_objects]

#: What no story calls, and why.
WITHHELD = {
    "api_url": "a property; no request",
    "loop": "a property; no request",
}


async def tell(story, client, side: int, prefix: str, pace: Pace, called: set[str]) -> None:
    witness = Witness(client, side, f"{type(client).__name__}: {story.__name__.split('.')[-1]}", prefix, pace, called)
    try:
        await story.tell(witness)
    except Exception as error:
        # What comes next misses on this side, which is reported too.
        witness.say("(the story)", [], "broke off", error)
    finally:
        pace.leave(side)


async def tell_async(story, api: str, *telling) -> None:
    async with PrefectClient(api) as client:
        await tell(story, client, *telling)


async def tell_sync(story, api: str, *telling) -> None:
    with SyncPrefectClient(api) as client:
        await tell(story, client, *telling)


async def main(apis: list[str]) -> None:
    for client_type, teller in ((PrefectClient, tell_async), (SyncPrefectClient, tell_sync)):
        called: set[str] = set()
        for story in STORIES:
            pace, prefix = Pace(), f"z{uuid.uuid4().hex[:8]}"
            await asyncio.gather(*(teller(story, api, side, prefix, pace, called) for side, api in enumerate(apis)))
        public = {method for method in dir(client_type) if not method.startswith("_")}
        report("coverage", client=client_type.__name__, called=len(called), missing=sorted(public - called - set(WITHHELD)), withheld=WITHHELD)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
