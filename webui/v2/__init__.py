"""The Camunda 8 Orchestration Cluster REST API under /v2: Camunda Modeler and Camunda's client libraries are its clients.

One module a family of endpoints; each has a `router` that `routers` lists. How a request goes: `routing` finds the operation,
`authentication` says who asks, `schemas` check what was sent, the operation calls one command or query as that person, and
`problems` answers what went wrong (RFC 9457). `openapi` describes what is registered; `missing` what Camunda has and we do not.
"""
