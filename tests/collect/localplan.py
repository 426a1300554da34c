"""The small host whose capture the stand-in esxtop repeats."""

from hostsim import USER_GROUPS, HostPlan, VmPlan

PLAN = HostPlan(
    host="local.example.com",
    pcpus=2,
    vms=(VmPlan("web01", 1_200_100, 1, 1024),),
    user_groups=(USER_GROUPS[0], *USER_GROUPS[-3:]),
    system_worlds=1,
    helper_worlds=1,
    power_states=("%C-State C0",),
    samples=20,
)
