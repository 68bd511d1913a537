"""The tutorial's workflow and activities, used from another language: see `in-python`."""

import asyncio
import os
import sys
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker


@workflow.defn(name="in_python")
class InPython:
    """A workflow in Python that calls an activity in Rust."""

    @workflow.run
    async def run(self, topic: str) -> str:
        return await workflow.execute_activity(
            "research",
            topic,
            task_queue="research",
            start_to_close_timeout=timedelta(seconds=30),
            result_type=str,
        )


async def reach(run, state):
    """Waits until a run is in a state, and gives its fields."""
    while True:
        now = await run.query("state")
        if state in now:
            return now[state]
        await asyncio.sleep(0.2)


async def main():
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])

    day = {"secs": 86_400, "nanos": 0}
    run = await client.start_workflow(
        "research_workflow",
        args=["chess", day],
        id="from-python",
        task_queue="research",
        result_type=str,
    )
    fields = await reach(run, "Approval")
    assert fields["findings"] == "three sources agree on chess", fields
    assert await run.query("status") == "running"
    await run.signal("approval", True)
    assert await run.result() == "REPORT: three sources agree on chess."

    worker = Worker(
        client,
        task_queue="python",
        workflows=[InPython],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        found = await client.execute_workflow(
            "in_python", "go", id="in-python", task_queue="python", result_type=str
        )
    assert found == "three sources agree on go", found
    print("started, signaled, asked and called from Python")


asyncio.run(main())
# The interpreter may crash where it clears up after the SDK's threads.
sys.stdout.flush()
os._exit(0)
