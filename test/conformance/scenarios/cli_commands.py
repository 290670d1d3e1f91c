"""Commands of Prefect's CLI, each given to two servers, all in this process: `cli_commands.py REAL OURS`."""

import contextlib
import io
import json
import os
import re
import sys
import uuid
from datetime import datetime, timezone

import prefect.logging.configuration
from command_list import COMMANDS
from prefect import flow, states, task
from prefect.cli._app import _run_cli
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate, BlockDocumentCreate, BlockSchemaCreate, BlockTypeCreate, LogCreate
from prefect.context import SettingsContext
from prefect.settings import PREFECT_API_TLS_INSECURE_SKIP_VERIFY, PREFECT_API_URL, temporary_settings
from report import report

NOW = datetime.now(timezone.utc)
#: Moments and how long ago they were; the machine's clock is nothing to compare.
TIMES = [
    re.compile(r"(?:pendulum|datetime)?\.?[Dd]ate[Tt]ime\((?:[^()]|\([^()]*\))*\)"),
    re.compile(r"'?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?'?"),
    re.compile(r"\b(?:in )?(?:just now|now|(?:an?|\d+) (?:micro|milli)?(?:second|minute|hour|day|week|month|year)s?)\b(?: ago| from now)?"),
]
BORDER = re.compile(r"[\s\u2500-\u257f]*")
CELLS = re.compile(r"[│┃|]")


@flow
def told(n: int = 1) -> int:
    return n


@task
def step() -> None: ...


def prepare(prefix: str) -> dict[str, object]:
    """What commands can only look at: runs, a deployment, logs, artifacts, a block."""
    with get_client(sync_client=True) as client:
        named = told.with_options(name=f"{prefix}-flow")
        deployment = client.create_deployment(client.create_flow(named), name="told", tags=["listed"], parameters={"n": 1}, entrypoint="flows.py:told", parameter_openapi_schema={"type": "object", "properties": {"n": {"type": "integer", "title": "n"}}})
        done = client.create_flow_run(named, name=f"{prefix}-done", state=states.Completed(message="well done"))
        running = client.create_flow_run(named, name=f"{prefix}-running", state=states.Running())
        failed = client.create_flow_run_from_deployment(deployment, name=f"{prefix}-failed", state=states.Scheduled())
        client.set_flow_run_state(failed.id, states.Failed(message="went wrong"), force=True)
        task_run = client.create_task_run(step, flow_run_id=done.id, dynamic_key="0", name=f"{prefix}-step", state=states.Completed())
        client.create_logs([LogCreate(name="told", level=20, message=f"line {n}", timestamp=NOW.replace(microsecond=n), flow_run_id=done.id, task_run_id=task_run.id) for n in range(3)])
        artifacts = [client.create_artifact(ArtifactCreate(key=f"{prefix}-artifact", type="markdown", data=f"# {n}", flow_run_id=done.id)) for n in range(2)]
        own_type = client.create_block_type(BlockTypeCreate(name=f"{prefix}-type", slug=f"{prefix}-type", description="Of the story"))
        client.create_block_schema(BlockSchemaCreate(fields={"title": prefix, "type": "object", "properties": {"user": {"type": "string"}}}, block_type_id=own_type.id))
        block_type = client.read_block_type_by_slug("secret")
        schema = client.get_most_recent_block_schema_for_block_type(block_type.id)
        block = client.create_block_document(BlockDocumentCreate(name=f"{prefix}-secret", data={"value": "hush"}, block_schema_id=schema.id, block_type_id=block_type.id))
    objects = {"deployment": deployment, "done": done.id, "running": running.id, "failed": failed.id, "task_run": task_run.id, "artifact": artifacts[0].id, "block": block.id}
    return {**{name: str(value) for name, value in objects.items()}, "p": prefix, "nothing": str(uuid.uuid5(uuid.NAMESPACE_OID, prefix))}


def read_output(text: str, api: str) -> object:
    """JSON where it is that, else the lines: cells of tables without borders and padding, no times."""
    text = text.replace(api, "http://server/api").replace(api.removesuffix("/api"), "http://server")
    try:
        return json.loads(text)
    except ValueError:
        pass
    for times in TIMES:
        text = times.sub("<time>", text)
    rows = [[" ".join(cell.split()) for cell in CELLS.split(line) if cell.strip()] for line in text.splitlines() if not BORDER.fullmatch(line)]
    return [row for row in rows if row]


def run(arguments: list[str]) -> tuple[int, str]:
    """The exit code and all output of one command."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            _run_cli(["--no-prompt", *arguments])
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, output.getvalue()


def note_ids(output: str, facts: dict[str, str], names: tuple[str, ...]) -> None:
    """Remembers the ids of an output under the given names, for the commands that follow."""
    for name, found in zip(names, re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", output)):
        facts[name] = found


def make_settings(updates: dict) -> SettingsContext:
    """Settings to enter again and again."""
    with temporary_settings(updates=updates) as settings:
        return SettingsContext(profile=SettingsContext.get().profile, settings=settings)


def fill(word: str, facts: dict[str, str]) -> str:
    """A word of a command as it is given; braces in JSON are its own."""
    return (word.replace("@p@", facts["p"]) if '"' in word else word.format_map(facts)).replace("·", " ")


def main(apis: list[str]) -> None:
    # What a command costs beside its requests is spent once: settings, logging, the certificates of authorities.
    prefect.logging.configuration.setup_logging = lambda *_: {}
    os.environ["SSL_CERT_FILE"] = os.devnull
    settings = [make_settings({PREFECT_API_URL: api, PREFECT_API_TLS_INSECURE_SKIP_VERIFY: True}) for api in apis]
    prefix = f"z{uuid.uuid4().hex[:8]}"
    facts = []
    for context in settings:
        with context:
            facts.append(prepare(prefix))
    report("prepared", story="cli", side=0, arguments=[], outcome=0, requests=[], result=facts[0])
    report("prepared", story="cli", side=1, arguments=[], outcome=0, requests=[], result=facts[1])
    for command in COMMANDS:
        words, *names = command if isinstance(command, tuple) else (command,)
        for side, api in enumerate(apis):
            arguments = [fill(word, facts[side]) for word in words.split(" ")]
            with settings[side]:
                code, output = run(arguments)
            note_ids(output, facts[side], tuple(names))
            report(" ".join(words.split(" ")[:2]), story="cli", side=side, arguments=arguments, outcome=code, requests=[], result=read_output(output, api))


if __name__ == "__main__":
    main(sys.argv[1:])
