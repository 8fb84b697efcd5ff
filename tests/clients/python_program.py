"""A program of an integrator: Camunda's client library for Python, unmodified, against whatever CAMUNDA_REST_ADDRESS names.

Run by `test_python_sdk.py` in a process of its own; prints what it saw as one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from camunda_orchestration_sdk import CamundaAsyncClient, ConsistencyOptions, WorkerConfig, models
from camunda_orchestration_sdk.errors import ConflictError, NotFoundError
from camunda_orchestration_sdk.runtime.job_worker import ConnectedJobContext, JobError, JobFailure

PATIENT = ConsistencyOptions(wait_up_to_ms=30_000, poll_interval_ms=20)


class Shop:
    """The worker's side: what it is told to do with an order, and what it was handed."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.broken = True

    async def charge(self, job: ConnectedJobContext) -> dict[str, Any]:
        variables = job.variables.to_dict()
        headers = job.custom_headers.to_dict()
        self.seen.append({"number": variables["number"], "retries": job.retries, "amount": variables["amount"], **headers})
        match variables["number"]:
            case "poor":
                raise JobError("NO_MONEY", "the account is empty", {"missing": 5})
            case "slow" if job.retries > 1:
                raise JobFailure("the bank is closed", retries=1, retry_back_off=1)
            case "broken" if self.broken:
                raise JobFailure("the bank is gone", retries=0)
        return {"charged": variables["amount"]}


async def start(client: CamundaAsyncClient, number: str) -> str:
    """Start an order; return its instance's key."""
    variables = models.ProcessInstanceCreationInstructionByIdVariables.from_dict({"number": number, "price": 10.5, "count": 2})
    data = models.ProcessCreationById(process_definition_id="order", variables=variables)
    return str((await client.create_process_instance(data=data)).process_instance_key)


async def state(client: CamundaAsyncClient, key: str, wanted: str) -> str:
    """Wait until an instance is found in a state."""
    query = models.ProcessInstanceSearchQuery.from_dict({"filter": {"processInstanceKey": key, "state": wanted}})
    (found,) = (await client.search_process_instances(data=query, consistency=PATIENT)).items
    return str(found.state)


async def check(client: CamundaAsyncClient, key: str) -> str:
    """Find the user task of an order, assign it and complete it."""
    query = models.UserTaskSearchQuery.from_dict({"filter": {"processInstanceKey": key, "state": "CREATED"}})
    (task,) = (await client.search_user_tasks(data=query, consistency=PATIENT)).items
    assign = models.UserTaskAssignmentRequest.from_dict({"assignee": "root"})
    await client.assign_user_task(user_task_key=task.user_task_key, data=assign)
    complete = models.UserTaskCompletionRequest.from_dict({"variables": {"checked": True}})
    await client.complete_user_task(user_task_key=task.user_task_key, data=complete)
    return str(task.element_id)


async def resolve(client: CamundaAsyncClient, key: str, shop: Shop) -> dict[str, str]:
    """Find the incident of an order, mend what was wrong, give the job tries again and resolve it."""
    query = models.IncidentSearchQuery.from_dict({"filter": {"processInstanceKey": key}})
    (incident,) = (await client.search_incidents(data=query, consistency=PATIENT)).items
    shop.broken = False
    update = models.JobUpdateRequest.from_dict({"changeset": {"retries": 3}})
    await client.update_job(job_key=incident.job_key, data=update)
    await client.resolve_incident(incident_key=incident.incident_key, data=models.IncidentResolutionRequest())
    return {"type": str(incident.error_type), "message": incident.error_message}


async def main(bpmn: str) -> dict[str, Any]:
    """Do it all; return what was seen."""
    shop = Shop()
    seen: dict[str, Any] = {}
    async with CamundaAsyncClient() as client:
        seen["version"] = (await client.get_topology()).gateway_version
        deployed = await client.deploy_resources_from_files([bpmn])
        seen["deployed"] = [str(process.process_definition_id) for process in deployed.processes]
        config = WorkerConfig(job_type="charge", worker_name="shop", job_timeout_milliseconds=60_000, max_concurrent_jobs=4)
        client.create_job_worker(config, shop.charge)
        working = asyncio.create_task(client.run_workers())
        good, poor, slow, broken = [await start(client, number) for number in ("good", "poor", "slow", "broken")]
        seen["case"] = good
        seen["poor"] = await state(client, poor, "COMPLETED")
        seen["incident"] = await resolve(client, broken, shop)
        seen["tasks"] = [await check(client, key) for key in (good, slow, broken)]
        message = {"name": "shipped", "correlationKey": "good", "variables": {"by": "rail"}, "timeToLive": 1000, "messageId": "m"}
        await client.publish_message(data=models.MessagePublicationRequest.from_dict(message))
        seen["good"] = await state(client, good, "COMPLETED")
        correlation = models.MessageCorrelationRequest.from_dict({"name": "shipped", "correlationKey": "slow"})
        seen["correlated"] = str((await client.correlate_message(data=correlation)).process_instance_key) == slow
        try:
            await client.correlate_message(data=correlation)
        except NotFoundError:
            seen["nobody"] = True
        waiting = models.MessagePublicationRequest.from_dict({**message, "correlationKey": "later"})
        await client.publish_message(data=waiting)
        try:
            await client.publish_message(data=waiting)
        except ConflictError:
            seen["again"] = "refused"
        except Exception as error:  # the library documents no 409 here
            seen["again"] = "refused" if getattr(error, "status_code", None) == 409 else repr(error)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    seen["jobs"] = shop.seen
    return seen


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1]))))
