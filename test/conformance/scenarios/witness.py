"""Calls the methods of a client and reports what came of each, in step with the same story told to another server."""

import asyncio
import json
import re
import uuid

import httpx
from pydantic import BaseModel, TypeAdapter
from report import report

anything = TypeAdapter(object)
PAGE_TOKEN = re.compile(r"page-token=[^&]*")


def dump(value: object) -> object:
    """A result or an argument as JSON; an answer as its status and body; an error as its type and the answer behind it."""
    if isinstance(value, httpx.Response):
        return {"status": value.status_code, "body": json.loads(value.content) if value.content else None}
    if isinstance(value, BaseException):
        answer = getattr(getattr(value, "http_exc", None) or value, "response", None)
        return {"exception": type(value).__name__, **(dump(answer) if answer is not None else {"text": str(value)})}
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", warnings=False)
    if isinstance(value, dict):
        return {str(key): dump(member) for key, member in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [dump(member) for member in value]
    return anything.dump_python(value, mode="json", warnings=False, fallback=lambda other: getattr(other, "__name__", str(other)))


class Pace:
    """Lets two stories take every step at the same time, so that the clocks of their servers can be compared."""

    def __init__(self) -> None:
        self._steps = (asyncio.Queue(), asyncio.Queue())
        self._alone = False

    async def step(self, side: int) -> None:
        self._steps[1 - side].put_nowait(None)
        if not self._alone:
            await self._steps[side].get()

    def leave(self, side: int) -> None:
        self._alone = True
        self._steps[1 - side].put_nowait(None)


class Witness:
    """A client, asynchronous or not, every call of which is reported and gives its result or its exception."""

    def __init__(self, client, side: int, story: str, prefix: str, pace: Pace, called: set[str]) -> None:
        self.client = client
        self.side = side
        self._story = story
        self._prefix = prefix
        self._pace = pace
        self._called = called
        self._origin = str(client.api_url).split("/api")[0]
        self._requests: list[str] = []
        self._is_async = asyncio.iscoroutinefunction(client.hello)
        client._client.event_hooks = {"request": [], "response": [self._note_later if self._is_async else self._note]}

    def _note(self, response: httpx.Response) -> None:
        path = PAGE_TOKEN.sub("page-token=…", response.request.url.raw_path.decode())
        self._requests.append(f"{response.request.method} {path} {response.status_code}")

    async def _note_later(self, response: httpx.Response) -> None:
        self._note(response)

    def name(self, text: str) -> str:
        """A name that nothing else has, the same on both servers."""
        return f"{self._prefix}-{text}"

    def unknown(self) -> uuid.UUID:
        """An id that nothing has, the same on both servers."""
        return uuid.uuid5(uuid.NAMESPACE_OID, self._prefix)

    async def quietly(self, method: str, *args, **kwargs):
        """A call that is not compared."""
        call = getattr(self.client, method)
        return await call(*args, **kwargs) if self._is_async else await asyncio.to_thread(call, *args, **kwargs)

    async def until(self, is_done, method: str, *args, **kwargs) -> None:
        """Asks again until the result is as wished, or much time has passed."""
        for _ in range(240):
            if is_done(await self.quietly(method, *args, **kwargs)):
                return
            await asyncio.sleep(0.25)

    def say(self, method: str, arguments: object, outcome: str, result: object) -> None:
        text = json.dumps(dump(result)).replace(self._origin, "http://server")
        report(method, story=self._story, side=self.side, arguments=arguments, outcome=outcome, requests=self._requests, result=json.loads(text))

    def __getattr__(self, method: str):
        async def call(*args, **kwargs):
            await self._pace.step(self.side)
            self._called.add(method)
            self._requests.clear()
            arguments = dump([*args, kwargs] if kwargs else args)
            try:
                outcome, result = "returned", await self.quietly(method, *args, **kwargs)
            except Exception as error:
                outcome, result = "raised", error
            self.say(method, arguments, outcome, result)
            return result

        return call
