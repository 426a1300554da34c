r"""Which thing each column belongs to: hosts, PCPUs, VMs, vCPU worlds, devices, ports.

A VM is a group that owns a `vmx` world. Names hold any character, so nothing is ever split on `:`
alone: a world's group name is the one that `Group Cpu` gives for the same group id, and numbers
anchor the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.paths import with_numbers
from esxprobe.formats.relations import with_relations
from esxprobe.model import VirtualMachine

if TYPE_CHECKING:
    import polars as pl

# Objects whose every instance is one entity of a kind.
_PLAIN_KINDS = {
    "Physical Disk SCSI Device": "device",
    "Physical Disk Path": "path",
    "Physical Disk NFS Volume": "nfs-volume",
    "Physical Disk Adapter": "adapter",
    "Physical Disk Partition": "partition",
    "Physical Disk Per-Device-Per-World": "device-world",
    "Physical Disk": "disk",
    "Network Port": "port",
    "Interrupt Cookie": "interrupt",
    "Interrupt Vector": "interrupt",
    "RDMA Device": "rdma",
    # Parsers name this object; no capture that was seen has it, so its counters are in no catalog.
    "Numa Node": "numa",
    "Virtual Disk": "vdisk",
    "VSAN": "vsan-role",  # but for the host's own `Enabled?`, which has no instance
}
_HOST_OBJECTS = ("Memory", "Physical Cpu Load", "Power", "VSAN", "Physical Cpu")

# World names that only a VM's own worlds have, as a fence when the group's name is not known.
_WORLD = r"(?:vmx\b|vmm\d|vmx-|NetWorld-VM-|vmast\.|LSI-|PVSCSI-|NUMASched)"
# A port id is at least 0x1000000: eight digits tell it from the world id in a VM port's client.
PORT = r"(?s)^(?P<switch>.*?):(?P<port>\d{8,10}):(?P<client>.*)$"
CONTROLLER = r"(?s)^(?P<vm>.*):(?P<disk>(?:scsi|sata|ide|nvme)\d+:\d+)$"


@dataclass(frozen=True, slots=True)
class Identities:
    """Columns and the things they belong to.

    Attributes:
        columns: The index frame with kind (String, empty when of no entity) and entity (UInt32).
        entities: Frames by kind: entity (UInt32, the row number), name, id, gid (of the VM or group
            it belongs to, null for none), role (what the kind tells apart: `vmx-vcpu-0`, `vdisk`), and what
            else it belongs to (see `relations`): device, adapter, switch, pcpu, null where not known.
        vms: In the order of the header.
    """

    columns: pl.DataFrame
    entities: dict[str, pl.DataFrame]
    vms: tuple[VirtualMachine, ...]


def identify(columns: pl.DataFrame, issues: QualityIssues) -> Identities:
    """Finds the entity of every column.

    Args:
        columns: The index frame of a header (see `paths.index`).
        issues: Counts instances that follow no pattern and names that are ambiguous.
    """
    import polars as pl

    if "thing" not in columns.columns:
        columns = with_numbers(columns)
    things, groups, worlds, owners = parts_of(columns, issues)
    names = groups.join(owners.select("gid"), on="gid", how="semi", maintain_order="left")
    parts = [
        _hosts(things, columns),
        _pcpus(things),
        _split_groups(groups, owners),
        _split_worlds(worlds, owners),
        _ports(things, worlds, issues),
        _disks(things, names, issues),
        _plain(things),
    ]
    rows = pl.concat([part.select(_ROW) for part in parts])
    rows = rows.unique(["object", "instance"], keep="first", maintain_order=True)
    entities, rows = _numbered(rows)
    known = things.join(rows, on=["object", "instance"], how="left", maintain_order="left")
    of_columns = known.select(pl.col("kind").fill_null(""), "entity")[columns["thing"]]
    joined = columns.with_columns(of_columns)
    return Identities(joined, with_relations(entities, columns, worlds), _machines(names, owners))


def parts_of(
    columns: pl.DataFrame, issues: QualityIssues
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The pieces that instances are made of.

    Args:
        columns: object, instance, thing (equal for equal object and instance) and what else an index has.
        issues: Counts what cannot be distinguished.

    Returns:
        things (object, instance), each once; groups (object, instance, gid, name); worlds (object, instance,
        gid, wid, world, group); owners (gid, group, vcpus, modern) of the groups that are VMs.
    """
    things = columns.unique("thing", keep="first", maintain_order=True).select("object", "instance")
    groups = _groups(things)
    worlds = _worlds(things, groups, issues)
    return things, groups, worlds, _owners(worlds, columns)


_ROW = ["object", "instance", "kind", "key", "name", "id", "gid", "role"]


def _row(frame: pl.DataFrame, kind: pl.Expr, *, key: pl.Expr, **extra: pl.Expr) -> pl.DataFrame:
    """Rows in the common shape; `key` tells the entities of a kind apart."""
    import polars as pl

    columns = {"name": key, "id": pl.lit(""), "gid": pl.lit(None, pl.String), "role": pl.lit("")} | extra
    named = [expression.cast(pl.String).alias(column) for column, expression in columns.items()]
    return frame.with_columns(kind.alias("kind"), key.cast(pl.String).alias("key"), *named)


def _of(things: pl.DataFrame, *objects: str) -> pl.DataFrame:
    import polars as pl

    return things.filter(pl.col("object").is_in(objects))


def _hosts(things: pl.DataFrame, columns: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    host = columns["host"].filter(columns["host"] != "")
    name = host[0] if len(host) else ""
    whole = _of(things, *_HOST_OBJECTS).filter(pl.col("instance").is_in(["", "_Total"]))
    return _row(whole, pl.lit("host"), key=pl.lit("host"), name=pl.lit(name))


def _pcpus(things: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    number = pl.col("instance").str.extract(r"^(?:PCPU )?(\d+)$")
    pcpus = _of(things, "Physical Cpu", "PCPU Power State").with_columns(number.alias("number"))
    pcpus = pcpus.filter(pl.col("number").is_not_null())
    states = _of(things, "Power").filter(pl.col("instance") != "")
    return pl.concat(
        [
            _row(
                pcpus,
                pl.lit("pcpu"),
                key=pl.col("number"),
                name="PCPU " + pl.col("number"),
                id=pl.col("number"),
            ).select(_ROW),
            _row(states, pl.lit("pstate"), key=pl.col("instance"), name="P" + pl.col("instance")).select(_ROW),
        ]
    )


def _groups(things: pl.DataFrame) -> pl.DataFrame:
    """Object, instance, gid and name of every group that either group object shows."""
    import polars as pl

    grammar = r"(?s)^(?P<gid>\d+):(?P<name>.*)$"
    return (
        _of(things, "Group Cpu", "Group Memory")
        .with_columns(pl.col("instance").str.extract_groups(grammar).alias("g"))
        .unnest("g")
        .filter(pl.col("gid").is_not_null())
    )


def _worlds(things: pl.DataFrame, groups: pl.DataFrame, issues: QualityIssues) -> pl.DataFrame:
    """Object, instance, gid, wid and world name of every world."""
    import polars as pl

    names = groups.select("gid", pl.col("name").alias("group")).unique("gid", keep="first")
    worlds = (
        _of(things, "Vcpu")
        .with_columns(pl.col("instance").str.extract_groups(r"(?s)^(?P<gid>\d+):(?P<rest>.*)$").alias("g"))
        .unnest("g")
        .join(names, on="gid", how="left", maintain_order="left")
        .with_columns((pl.col("group") + ":").alias("prefix"))
    )
    known = pl.col("rest").str.starts_with(pl.col("prefix"))
    after = pl.when(known).then(pl.col("rest").str.slice(pl.col("prefix").str.len_chars()))
    fenced = rf"(?s)^(.*?):(\d+):({_WORLD}.*)$"
    plain = r"(?s)^(.*?):(\d+):(.*)$"
    worlds = worlds.with_columns(
        pl.coalesce(
            after.str.extract(r"(?s)^(\d+):", 1),
            pl.col("rest").str.extract(fenced, 2),
            pl.col("rest").str.extract(plain, 2),
        ).alias("wid"),
        pl.coalesce(
            after.str.extract(r"(?s)^\d+:(.*)$", 1),
            pl.col("rest").str.extract(fenced, 3),
            pl.col("rest").str.extract(plain, 3),
        ).alias("world"),
        pl.coalesce("group", pl.col("rest").str.extract(fenced, 1), pl.col("rest").str.extract(plain, 1)).alias(
            "group"
        ),
    )
    lost = worlds.filter(pl.col("wid").is_null())
    if lost.height:
        issues.add(
            "unparsed-instance",
            lost.height,
            f"{lost.height} worlds, the first is Vcpu({lost['instance'][0]})",
        )
    return worlds.filter(pl.col("wid").is_not_null())


def _owners(worlds: pl.DataFrame, columns: pl.DataFrame) -> pl.DataFrame:
    """gid, group name and vCPU count of every group that is a VM."""
    import polars as pl

    vcpu = pl.col("world").str.contains(r"^vmx-vcpu-\d+(?::|$)")
    vmm = pl.col("world").str.contains(r"^vmm\d+(?::|$)")
    owns = (pl.col("world") == "vmx") | vcpu | vmm
    owners = (
        worlds.group_by("gid", maintain_order=True)
        .agg(
            pl.col("group").first(),
            owns.any().alias("is_vm"),
            # Distinct worlds: a renamed VM in a joined capture shows each of them under both names.
            pl.when(vcpu.any())
            .then(pl.col("wid").filter(vcpu).n_unique())
            .otherwise(pl.col("wid").filter(vmm).n_unique())
            .cast(pl.UInt32)
            .alias("vcpus"),
            vcpu.any().alias("modern"),
        )
        .filter("is_vm")
        .drop("is_vm")
    )
    if worlds.height:
        return owners
    # Without any world in the capture: at group level only VMs have % VmWait.
    waits = columns.filter((pl.col("object") == "Group Cpu") & (pl.col("counter") == "% VmWait"))
    return waits.select(
        pl.col("instance").str.extract(r"(?s)^(\d+):").alias("gid"),
        pl.col("instance").str.extract(r"(?s)^\d+:(.*)$").alias("group"),
        pl.lit(0, pl.UInt32).alias("vcpus"),
        pl.lit(value=True).alias("modern"),
    ).filter(pl.col("gid").is_not_null())


def _split_groups(groups: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    is_vm = pl.col("gid").is_in(owners["gid"].implode())
    kind = pl.when(is_vm).then(pl.lit("vm")).otherwise(pl.lit("group"))
    return _row(groups, kind, key=pl.col("gid"), name=pl.col("name"), id=pl.col("gid"), gid=pl.col("gid"))


def _split_worlds(worlds: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Worlds of VMs' vCPUs as kind vcpu, every other world as kind world."""
    import polars as pl

    owned = worlds.join(owners.select("gid", "modern"), on="gid", how="left", maintain_order="left")
    number = pl.col("world").str.extract(r"^vmx-vcpu-(\d+)(?::|$)", 1)
    old = pl.col("world").str.extract(r"^vmm(\d+)(?::|$)", 1)
    vcpu = pl.when("modern").then(number).otherwise(old)
    owned = owned.with_columns(pl.when(pl.col("modern").is_not_null()).then(vcpu).alias("vcpu"))
    is_vcpu = pl.col("vcpu").is_not_null()
    name = pl.when(is_vcpu).then("vCPU " + pl.col("vcpu")).otherwise(pl.col("world"))
    return _row(
        owned,
        pl.when(is_vcpu).then(pl.lit("vcpu")).otherwise(pl.lit("world")),
        key=pl.col("gid") + ":" + pl.col("wid"),
        name=name,
        id=pl.col("wid"),
        gid=pl.col("gid"),
        role=pl.col("world"),
    )


def _ports(things: pl.DataFrame, worlds: pl.DataFrame, issues: QualityIssues) -> pl.DataFrame:
    """Ports, a VM's one found through the leader world id that its NetWorld-VM-<wid> carries."""
    import polars as pl

    ports = (
        _of(things, "Network Port")
        .with_columns(pl.col("instance").str.extract_groups(PORT).alias("p"))
        .unnest("p")
        .with_columns(pl.col("client").str.extract(r"^(\d+):", 1).alias("leader"))
    )
    lost = ports.filter(pl.col("port").is_null())
    if lost.height:
        issues.add("unparsed-instance", lost.height, f"{lost.height} ports, the first is {lost['instance'][0]}")
    leader = pl.col("world").str.extract(r"^(?:NetWorld-VM-|vmast\.|LSI-|PVSCSI-)(\d+)", 1)
    leaders = (
        worlds.select(leader.alias("leader"), pl.col("gid").alias("owner"))
        .drop_nulls()
        .unique("leader", keep="first")
    )
    ports = ports.join(leaders, on="leader", how="left", maintain_order="left")
    return _row(
        ports,
        pl.lit("port"),
        key=pl.col("instance"),
        name=pl.col("instance"),
        id=pl.col("port").fill_null(""),
        gid=pl.col("owner"),
        role=pl.col("client").fill_null(""),
    )


def _disks(things: pl.DataFrame, names: pl.DataFrame, issues: QualityIssues) -> pl.DataFrame:
    """Virtual disks and the VM totals beside them; esxtop gives the VM's name here and no id."""
    import polars as pl

    by_name = (
        names.unique("gid", keep="first")
        .group_by("name", maintain_order=True)
        .agg(pl.col("gid").first().alias("owner"), pl.len().alias("namesakes"))
    )
    disks = (
        _of(things, "Virtual Disk")
        .with_columns(pl.col("instance").str.extract_groups(CONTROLLER).alias("d"))
        .unnest("d")
    )
    # A VM may be called `a:scsi0:0`: a whole instance that is a VM's name is that VM's total.
    whole = pl.col("instance").is_in(by_name["name"].implode()) | pl.col("disk").is_null()
    disks = disks.with_columns(
        pl.when(whole).then("instance").otherwise("vm").alias("name"),
        pl.when(whole).then(pl.lit("vm-disks")).otherwise(pl.lit("vdisk")).alias("which"),
    ).join(by_name, on="name", how="left", maintain_order="left")
    shared = disks.filter(pl.col("namesakes") > 1)
    if shared.height:
        issues.add(
            "ambiguous-name",
            shared.height,
            f"{shared.height} virtual disks of VMs called {shared['name'][0]!r}",
        )
    owner = pl.when(pl.col("namesakes") == 1).then("owner")
    return _row(
        disks,
        pl.col("which"),
        key=pl.col("instance"),
        name=pl.col("instance"),
        id=pl.col("instance"),
        gid=owner,
        role=pl.col("which"),
    )


def _plain(things: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    plain = _of(things, *_PLAIN_KINDS)
    kind = pl.col("object").replace_strict(_PLAIN_KINDS, default="")
    return _row(plain, kind, key=pl.col("instance"), id=pl.col("instance"))


def _numbered(rows: pl.DataFrame) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Entity numbers by kind, in order of first sight."""
    import polars as pl

    things = rows.unique(["kind", "key"], keep="first", maintain_order=True)
    things = things.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).over("kind").alias("entity"))
    entities = {
        str(kind): part.select("entity", "name", "id", "gid", "role")
        for (kind,), part in things.partition_by("kind", as_dict=True, maintain_order=True).items()
    }
    numbered = rows.join(
        things.select("kind", "key", "entity"), on=["kind", "key"], how="left", maintain_order="left"
    )
    return entities, numbered.select("object", "instance", "kind", "entity")


def _machines(names: pl.DataFrame, owners: pl.DataFrame) -> tuple[VirtualMachine, ...]:
    import polars as pl

    known = names.unique("gid", keep="first", maintain_order=True).select("gid", "name")
    rows = owners.join(known, on="gid", how="left", maintain_order="left").with_columns(
        pl.coalesce("name", "group").alias("name")
    )
    return tuple(VirtualMachine(row["name"], row["gid"], row["vcpus"]) for row in rows.iter_rows(named=True))
