"""Amazon Personalize that really trains and recommends: control plane, events, runtime, recipes."""

from __future__ import annotations

from importlib import import_module

from localcloud.context import CloudContext

# Each module registers the operations of one kind of resource.
OPERATION_MODULES = (
    "batch_inference",
    "batch_segment",
    "campaigns",
    "catalogue",
    "data_deletion_jobs",
    "dataset_groups",
    "datasets",
    "event_trackers",
    "events",
    "export_jobs",
    "filter_resources",
    "import_jobs",
    "metric_attributions",
    "recommenders",
    "runtime",
    "schemas",
    "solution_versions",
    "solutions",
    "tags",
)


def register_operations() -> None:
    """Import every module that answers operations."""
    for name in OPERATION_MODULES:
        import_module(f"localcloud.personalize.{name}")


def install(context: CloudContext) -> None:
    """Plug the three services into moto; state lives in the data folder when there is one."""
    # Imported late: a training process imports this package too and needs no services.
    from localcloud.personalize.service import Personalize, plug_into_moto  # noqa: PLC0415

    register_operations()
    folder = (context.data_dir or context.work_dir) / "personalize"
    personalize = Personalize(folder, context.endpoint_url)
    plug_into_moto(personalize)
    context.on_stop(personalize.stop)
