# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of real kernels are understood: of hosts, of containers with cgroup 1 and 2, and broken ones."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import (
    DeadlineExceeded,
    InvalidInput,
    StoreError,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._host.client import Watch, watch
from ansible_collections.dataops.upkeep.plugins.module_utils._host.facts import (
    CpuTimes,
    Listener,
    Load,
    Memory,
    OomKills,
    OpenFiles,
    Swap,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._host.health import identify
from ansible_collections.dataops.upkeep.plugins.module_utils._host.observe_cpu import observe_cpu, observe_load
from ansible_collections.dataops.upkeep.plugins.module_utils._host.observe_disk import (
    observe_disk,
    parse_mounts,
    real_mounts,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._host.observe_memory import (
    observe_memory,
    observe_oom_kills,
    observe_open_files,
    observe_swap,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._host.observe_ports import observe_ports, parse_address
from ansible_collections.dataops.upkeep.plugins.module_utils._host.observe_processes import (
    matching,
    observe_processes,
    rules_of,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._host.reader import Host, NotLinux
from ansible_collections.dataops.upkeep.plugins.module_utils._host.sample import parse_cpu_times, process_cpu_seconds
from tests.unit._host.hosts import MEMINFO, STAT, Ticking, context_of, host_in, watch_of

KIB = 1024
CGROUP2 = {
    "sys/fs/cgroup/memory.max": "1073741824\n",
    "sys/fs/cgroup/memory.current": "900000000\n",
    "sys/fs/cgroup/memory.stat": "anon 1\nfile 2\ninactive_file 400000000\nactive_file 9\n",
    "sys/fs/cgroup/memory.events": "low 0\nhigh 0\nmax 5\noom 1\noom_kill 2\n",
    "sys/fs/cgroup/cpu.max": "50000 100000\n",
    "sys/fs/cgroup/cpu.stat": "usage_usec 1500000\nuser_usec 1\nsystem_usec 1\n",
}
CGROUP1 = {
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": "900000000\n",
    "sys/fs/cgroup/memory/memory.stat": "inactive_file 1\ntotal_inactive_file 400000000\n",
    "sys/fs/cgroup/memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
    "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    "sys/fs/cgroup/cpuacct/cpuacct.usage": "1500000000\n",
}
CGROUP1_ROOT = {
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": "900000000\n",
    "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
    "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
}
CGROUP2_UNLIMITED = {
    "sys/fs/cgroup/memory.max": "max\n",
    "sys/fs/cgroup/memory.current": "900000000\n",
    "sys/fs/cgroup/cpu.max": "max 100000\n",
}


def test_cpu_times_count_guests_once() -> None:
    assert parse_cpu_times(STAT) == CpuTimes(
        busy=8523 + 100 + 2589 + 7 + 61 + 12, iowait=535, steal=12, total=8523 + 100 + 2589 + 7 + 61 + 12 + 248656 + 535
    )


def test_cpu_times_of_old_kernels_have_fewer_columns() -> None:
    assert parse_cpu_times("cpu 1 2 3 4\n") == CpuTimes(6, 0, 0, 10)


@pytest.mark.parametrize("text", ["", "cpu\n", "cpu a b c d\n", "intr 1 2 3 4\n"])
def test_broken_cpu_times_are_an_error(text: str) -> None:
    if text == "cpu\n":
        assert parse_cpu_times(text).total == 0
    else:
        with pytest.raises(StoreError):
            parse_cpu_times(text)


def test_cpu_is_measured_over_the_interval_and_others_shorten_the_wait(tmp_path: Path) -> None:
    ticking = Ticking()
    context = context_of(ticking)
    watched = watch_of(host_in(tmp_path), context)
    ticking.at = 0.4
    (tmp_path / "proc/stat").write_text(STAT.replace("cpu  8523", "cpu  8603").replace("248656", "248676"))
    use = observe_cpu(watched, context)
    assert ticking.slept == [pytest.approx(0.6)]
    assert (use.second.busy - use.first.busy, use.second.total - use.first.total) == (80, 100)
    assert use.limit is None
    assert observe_cpu(watched, context).second == use.second
    assert len(ticking.slept) == 1


def test_no_time_for_the_interval(tmp_path: Path) -> None:
    context = context_of(seconds=0.5)
    with pytest.raises(DeadlineExceeded):
        observe_cpu(watch_of(host_in(tmp_path), context), context)


@pytest.mark.parametrize("files", [CGROUP1, CGROUP2])
def test_cpu_of_a_container(tmp_path: Path, files: dict[str, str]) -> None:
    context = context_of()
    watched = watch_of(host_in(tmp_path, {**files}), context)
    for name in ("sys/fs/cgroup/cpu.stat", "sys/fs/cgroup/cpuacct/cpuacct.usage"):
        if name in files:
            (tmp_path / name).write_text(files[name].replace("15", "17"))
    use = observe_cpu(watched, context)
    assert use.limit == 0.5
    assert use.container_seconds == pytest.approx(0.2)


@pytest.mark.parametrize("files", [CGROUP1_ROOT, CGROUP2_UNLIMITED, {}])
def test_cpu_without_a_limit(tmp_path: Path, files: dict[str, str]) -> None:
    context = context_of()
    use = observe_cpu(watch_of(host_in(tmp_path, {**files}), context), context)
    assert (use.limit, use.container_seconds) == (None, None)


def test_load(tmp_path: Path) -> None:
    assert observe_load(watch_of(host_in(tmp_path)), context_of()) == Load(0.52, 0.71, 0.65, 2, 1304.59)


@pytest.mark.parametrize("files", [CGROUP1_ROOT, CGROUP2_UNLIMITED, {}])
def test_memory_of_a_host(tmp_path: Path, files: dict[str, str]) -> None:
    watched = watch_of(host_in(tmp_path, {**files}))
    assert observe_memory(watched, context_of()) == Memory(24684084 * KIB, 20000000 * KIB)
    assert observe_swap(watched, context_of()) == Swap(2097148 * KIB, 2000000 * KIB)
    assert observe_oom_kills(watched, context_of()) == OomKills(3, 1795320000)
    assert observe_open_files(watched, context_of()) == OpenFiles(651, 2466170)


@pytest.mark.parametrize("files", [CGROUP1, CGROUP2])
def test_memory_of_a_container_without_pages_that_can_be_dropped(tmp_path: Path, files: dict[str, str]) -> None:
    watched = watch_of(host_in(tmp_path, {**files}))
    assert observe_memory(watched, context_of()) == Memory(1073741824, 573741824, limited=True)
    assert observe_oom_kills(watched, context_of()) == OomKills(2, 1795320000)


def test_memory_that_the_host_does_not_have_is_not_available_to_a_container(tmp_path: Path) -> None:
    meminfo = MEMINFO.replace("20000000", "1000")
    memory = observe_memory(watch_of(host_in(tmp_path, {**CGROUP2, "proc/meminfo": meminfo})), context_of())
    assert memory.available == 1000 * KIB


def test_an_old_kernel_does_not_tell_what_is_available(tmp_path: Path) -> None:
    meminfo = "\n".join(line for line in MEMINFO.splitlines() if "Available" not in line)
    watched = watch_of(host_in(tmp_path, {"proc/meminfo": meminfo}))
    assert observe_memory(watched, context_of()).available is None


@pytest.mark.parametrize(
    ("observe", "changed"),
    [
        (observe_memory, {"proc/meminfo": None}),
        (observe_memory, {"proc/meminfo": "garbage"}),
        (observe_load, {"proc/loadavg": ""}),
        (observe_open_files, {"proc/sys/fs/file-nr": "1 2"}),
        (observe_oom_kills, {"proc/vmstat": None}),
        (observe_ports, {"proc/net/tcp": None}),
        (observe_disk, {"proc/self/mountinfo": None}),
    ],
)
def test_what_cannot_be_read_is_an_error_and_no_zero(
    tmp_path: Path, observe: Callable[..., object], changed: dict[str, str | None]
) -> None:
    with pytest.raises(StoreError):
        observe(watch_of(host_in(tmp_path, changed)), context_of())


def test_a_host_without_proc(tmp_path: Path) -> None:
    with pytest.raises(NotLinux, match="needs Linux"), watch(context_of(), Host(tmp_path), [], 1.0):
        pass


def test_what_the_host_is(tmp_path: Path) -> None:
    assert identify(watch_of(host_in(tmp_path))) == {
        "version": "6.1.0-28-amd64",
        "system": "Debian GNU/Linux 12 (bookworm)",
    }


MOUNTS = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
24 27 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw,size=12334460k
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
42 27 254:0 /var/lib/x /var/lib/containers/storage/overlay rw,relatime - ext4 /dev/vda rw,discard
43 27 0:50 / /var/lib/docker/overlay2/a/merged rw,relatime - overlay overlay rw,lowerdir=/l
44 27 0:27 / /tmp rw - tmpfs tmpfs rw
45 27 7:1 / /snap/core/1 ro,nodev - squashfs /dev/loop1 ro
46 27 8:17 / /mnt/my\040disk rw,relatime shared:5 - xfs /dev/sdb1 rw
47 27 8:33 /home /home rw - btrfs /dev/sdc rw,subvol=/home
48 27 8:33 / /pool rw - btrfs /dev/sdc rw
49 27 0:60 / /nfs ro,relatime - nfs4 server:/export rw,vers=4.2
50 27 8:49 / /broken rw,relatime - ext4 /dev/sdd ro,errors=remount-ro
51 27 8:65 / /hidden rw - ext4 /dev/sde rw
52 27 8:81 / /hidden rw - ext4 /dev/sdf rw
53 27 0:70 / /auto rw - autofs systemd-1 rw
not a mount
"""


def test_the_mounts_that_can_fill() -> None:
    mounts = real_mounts(parse_mounts(MOUNTS))
    assert [mount.point for mount in mounts] == ["/", "/broken", "/hidden", "/mnt/my disk", "/nfs", "/pool"]
    assert [mount.point for mount in mounts if mount.read_only] == ["/broken", "/nfs"]
    assert next(mount.device for mount in mounts if mount.point == "/hidden") == "8:81"


CONTAINER_MOUNTS = r"""
100 90 0:80 / / rw,relatime - overlay overlay rw,lowerdir=/l,upperdir=/u
101 100 0:81 / /proc rw - proc proc rw
102 100 254:0 /containers/1/hosts /etc/hosts rw,relatime - ext4 /dev/vda rw
104 100 254:0 /volumes/logs /var/log/application rw,relatime - ext4 /dev/vda rw
105 100 8:33 /key /etc/key rw,relatime - ext4 /dev/sdc rw
103 100 8:17 /volumes/data /data rw,relatime - ext4 /dev/sdb rw
"""


def folders(root: Path, *names: str) -> None:
    for name in names:
        (root / name).mkdir(parents=True)


def test_in_a_container_the_root_counts_and_files_that_are_mounted_do_not(tmp_path: Path) -> None:
    folders(tmp_path, "data", "etc", "var/log/application")
    (tmp_path / "etc/hosts").write_text("")
    (tmp_path / "etc/key").write_text("")
    host = host_in(tmp_path, {"proc/self/mountinfo": CONTAINER_MOUNTS})
    uses = observe_disk(watch_of(host), context_of(mounts=None))
    assert [use.mount for use in uses] == ["/", "/data", "/var/log/application"]
    assert all(use.used > 0 and use.available > 0 for use in uses)


def test_numbers_are_those_of_df(tmp_path: Path) -> None:
    blocks = os.statvfs_result((4096, 4096, 1000, 300, 250, 500, 100, 90, 0, 255))
    host = host_in(tmp_path, {"proc/self/mountinfo": CONTAINER_MOUNTS}, lambda path: blocks)
    [use] = observe_disk(watch_of(host), context_of(mounts=["/"]))
    assert (use.used, use.available, use.inodes_used, use.inodes_available) == (700 * 4096, 250 * 4096, 400, 90)


def test_no_number_of_inodes_is_none(tmp_path: Path) -> None:
    blocks = os.statvfs_result((4096, 4096, 1000, 300, 250, 0, 0, 0, 0, 255))
    host = host_in(tmp_path, {"proc/self/mountinfo": CONTAINER_MOUNTS}, lambda path: blocks)
    [use] = observe_disk(watch_of(host), context_of(mounts=["/"]))
    assert (use.inodes_used, use.inodes_available) == (None, None)


def test_a_file_system_that_hangs_does_not_hang_the_check(tmp_path: Path) -> None:
    folders(tmp_path, "data")
    gate = threading.Event()

    def statvfs(path: str) -> os.statvfs_result:
        if path.endswith("/data"):
            gate.wait(60)
        return os.statvfs(path)

    host = host_in(tmp_path, {"proc/self/mountinfo": CONTAINER_MOUNTS}, statvfs)
    uses = observe_disk(watch_of(host), context_of(seconds=0.1, mounts=None))
    gate.set()
    assert [(use.mount, use.hangs) for use in uses] == [("/", False), ("/data", True)]


def test_a_mount_that_was_asked_for_is_never_left_out(tmp_path: Path) -> None:
    folders(tmp_path, "tmp")
    host = host_in(tmp_path, {"proc/self/mountinfo": MOUNTS})
    uses = observe_disk(watch_of(host), context_of(mounts=["/tmp/", "/srv", "/pool"]))  # noqa: S108
    assert [(use.mount, use.error) for use in uses] == [
        ("/tmp", ""),  # noqa: S108
        ("/srv", "nothing is mounted there"),
        ("/pool", "it cannot be asked"),
    ]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0100007F", "127.0.0.1"),
        ("00000000", "0.0.0.0"),
        ("00000000000000000000000000000000", "::"),
        ("00000000000000000000000001000000", "::1"),
        ("0000000000000000FFFF00000100007F", "127.0.0.1"),
        ("B80D01200000000067452301EFCDAB89", "2001:db8::123:4567:89ab:cdef"),
    ],
)
def test_addresses(text: str, address: str) -> None:
    assert parse_address(text) == address


TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1060 1 0 100 0 0 10 0
   1: 0100007F:1538 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 1061 1 0 20 4 30 10 -1
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1062 1 0 100 0 0 10 0
"""


def test_listeners_and_whose_they_are(tmp_path: Path) -> None:
    host = host_in(tmp_path, {"proc/net/tcp": TCP, "proc/77/comm": "postgres\n", "proc/78/comm": "sh\n"})
    folders(tmp_path, "proc/77/fd")
    (tmp_path / "proc/77/fd/3").symlink_to("socket:[1060]")
    (tmp_path / "proc/77/fd/4").symlink_to("/dev/null")
    ports = observe_ports(watch_of(host), context_of(expected_ports=[80]))
    assert ports.listeners == [Listener("0.0.0.0", 80, "", True), Listener("127.0.0.1", 5432, "postgres", False)]
    assert ports.expected == [80]


PROCESS_STAT = "77 (a b) c) S 1 77 77 0 -1 4194560 5 0 0 0 250 150 0 0 20 0 1 0 100 1000 200 18446744073709551615"


def test_cpu_of_a_process_with_an_odd_name() -> None:
    assert process_cpu_seconds(PROCESS_STAT, 100) == 4.0


def process(root: Path, pid: int, line: str, ticks: int = 100) -> None:
    folder = root / "proc" / str(pid)
    (folder / "fd").mkdir(parents=True, exist_ok=True)
    (folder / "cmdline").write_text(line.replace(" ", "\0"))
    (folder / "stat").write_text(PROCESS_STAT.replace("250 150", f"{ticks} 0"))
    (folder / "status").write_text("Name:\tx\nPPid:\t1\nVmRSS:\t   2048 kB\n")
    (folder / "limits").write_text("Limit  Soft Limit  Hard Limit\nMax open files            4          8     files\n")
    (folder / "fd/0").write_text("")


def test_processes_by_their_command_line(tmp_path: Path) -> None:
    host = host_in(tmp_path)
    process(tmp_path, 71, "node /srv/server.js")
    process(tmp_path, 72, "node /srv/worker.js")
    process(tmp_path, os.getpid(), "python node")
    params = {"processes": [{"name": "node", "minimum": 1}, {"name": "w", "pattern": r"worker\.js$", "minimum": 1}]}
    rules = rules_of(params)
    assert [(rule.name, pids) for rule, pids in matching(host, rules)] == [("node", [71, 72]), ("w", [72])]
    context = context_of()
    watched = Watch(host, matching(host, rules), 1.0, context)
    ticks = os.sysconf("SC_CLK_TCK")
    process(tmp_path, 71, "node /srv/server.js", ticks=100 + ticks // 2)
    (tmp_path / "proc/72/status").unlink()
    node, worker = observe_processes(watched, context)
    assert node.resident == {71: 2048 * KIB}
    assert node.cpu_percent == {71: pytest.approx(50)}
    assert node.open_files_percent == {71: 25}
    assert worker.resident == {}


def test_without_rules_nobody_waits(tmp_path: Path) -> None:
    ticking = Ticking()
    context = context_of(ticking)
    assert observe_processes(watch_of(host_in(tmp_path), context), context) == []
    assert ticking.slept == []


@pytest.mark.parametrize(
    "processes",
    [[{"name": "a", "pattern": "(", "minimum": 1}], [{"name": "a", "minimum": 1}, {"name": "a", "minimum": 1}]],
)
def test_rules_that_cannot_be_understood(processes: list[dict[str, object]]) -> None:
    with pytest.raises(InvalidInput):
        rules_of({"processes": processes})
