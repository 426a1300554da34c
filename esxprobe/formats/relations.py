r"""Which device, adapter, switch or PCPU a thing belongs to, as far as its name or its place in the header says.

esxtop gives no such columns. Names carry most of it (`vmhba0:C0:T5:L0` is a path of vmhba0,
`naa.6006...-480214` is what world 480214 does on a device). Which device a path leads to is in no name:
there the header's order tells, which lists each device followed by its paths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

# What an entity frame gets besides its own columns.
RELATED = ("device", "adapter", "switch", "pcpu")

_DEVICE, _PATH = "Physical Disk SCSI Device", "Physical Disk Path"
# Newer paths can carry their device's name at the end.
_ENDS_IN_DEVICE = r"-((?:naa|eui|t10|mpx)\..+)$"


def with_relations(
    entities: dict[str, pl.DataFrame], columns: pl.DataFrame, worlds: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """The frames of entities with device, adapter, switch and pcpu (String, null where not known).

    What a world does on a device also gets the gid of the VM or group that the world belongs to.

    Args:
        entities: By kind: entity, name, id, gid, role.
        columns: The columns in header order: object, instance.
        worlds: gid, wid and world name of every world.
    """
    return {kind: _of_kind(kind, frame, columns, worlds) for kind, frame in entities.items()}


def _of_kind(kind: str, frame: pl.DataFrame, columns: pl.DataFrame, worlds: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    name = pl.col("name")
    related = dict.fromkeys(RELATED, pl.lit(None, pl.String))
    match kind:
        case "device":
            related["device"] = name
        case "partition" | "device-world":
            related["device"] = name.str.extract(r"(?s)^(.*)-\d+$", 1)
        case "adapter":
            related["adapter"] = name
        case "path" | "disk":
            related["adapter"] = name.str.extract(r"^([^:]+)(?::|$)", 1)
        case "port":
            related["switch"] = name.str.extract(r"(?s)^(.*?):\d{8,10}:", 1)
        case "pcpu":
            related["pcpu"] = pl.col("id")
        case "interrupt":
            related["pcpu"] = name.str.extract(r":(?:CPU|PCPU ?)(\d+)$", 1)
    frame = frame.with_columns(expression.alias(column) for column, expression in related.items())
    if kind == "path":
        leads = _devices_of_paths(columns)
        frame = frame.with_columns(
            pl.coalesce(
                name.str.extract(_ENDS_IN_DEVICE, 1),
                name.replace_strict(leads, default=None, return_dtype=pl.String),
            ).alias("device")
        )
    if kind == "device-world":
        owners = _owners_of_worlds(worlds)
        world = name.str.extract(r"-(\d+)$", 1)
        frame = frame.with_columns(world.replace_strict(owners, default=None, return_dtype=pl.String).alias("gid"))
    return frame


def _devices_of_paths(columns: pl.DataFrame) -> dict[str, str]:
    """Path to device where the header lists each device followed by its paths, otherwise nothing.

    A header that lists all devices and then all paths would give every path to the last device; such an order
    says nothing.
    """
    import polars as pl

    things = (
        columns.filter(pl.col("object").is_in([_DEVICE, _PATH]))
        .select("object", "instance")
        .unique(maintain_order=True)
    )
    if not things.height or things["object"][0] != _DEVICE:
        return {}
    device = pl.when(pl.col("object") == _DEVICE).then("instance").forward_fill()
    led = things.with_columns(device.alias("device")).filter(pl.col("object") == _PATH)
    devices = things.height - led.height
    if devices > 1 and led["device"].n_unique() < 2:
        return {}
    return dict(led.select("instance", "device").iter_rows())


def _owners_of_worlds(worlds: pl.DataFrame) -> dict[str, str]:
    """World id to group id: of every world, and of the leader that a VM's helper worlds name."""
    import polars as pl

    if not worlds.height:
        return {}
    leader = pl.col("world").str.extract(r"^(?:NetWorld-VM-|vmast\.|LSI-|PVSCSI-)(\d+)", 1)
    owners: dict[str, str] = dict(worlds.select("wid", "gid").iter_rows())
    owners.update(worlds.select(leader.alias("wid"), "gid").drop_nulls().iter_rows())
    return owners
