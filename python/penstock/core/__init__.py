"""Ray Core's names: tasks, actors and objects, on the worker processes that run data jobs too.

`penstock` offers them: `penstock.remote`, `penstock.get`, `penstock.put`, …
"""
