"""Cores and memory are those of the container, not those of the machine around it."""

from pathlib import Path

import pytest

from omnishot.machine import cores, memory, processor


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, "proc/meminfo", "MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    600 kB\n")
    return tmp_path


def test_without_groups_all_of_the_machine_may_be_used(root: Path) -> None:
    assert cores(root) >= 1
    assert memory(root) == {"total": 1_024_000, "available": 614_400, "limit": None}


def test_a_share_of_the_time_is_as_many_cores(root: Path) -> None:
    write(root, "proc/self/cgroup", "0::/job\n")
    write(root, "sys/fs/cgroup/job/cpu.max", "100000 100000\n")
    assert cores(root) == 1
    write(root, "sys/fs/cgroup/job/cpu.max", "5000 100000\n")
    assert cores(root) == 1
    write(root, "sys/fs/cgroup/job/cpu.max", "max 100000\n")
    assert cores(root) == cores(Path("/nowhere"))


def test_limits_of_outer_groups_and_of_containers_count(root: Path) -> None:
    write(root, "proc/self/cgroup", "0::/docker/4f3a/inner\n")
    write(root, "sys/fs/cgroup/memory.max", "300000\n")
    write(root, "sys/fs/cgroup/memory.current", "100000\n")
    assert memory(root) == {"total": 1_024_000, "available": 200_000, "limit": 300_000}


def test_the_first_kind_of_groups_is_known_too(root: Path) -> None:
    write(root, "proc/self/cgroup", "4:memory:/job\n1:cpu,cpuacct:/job\n")
    write(root, "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "100000\n")
    write(root, "sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n")
    write(root, "sys/fs/cgroup/memory/job/memory.limit_in_bytes", "500000\n")
    write(root, "sys/fs/cgroup/memory/job/memory.usage_in_bytes", "450000\n")
    assert cores(root) == 1
    assert memory(root)["available"] == 50_000
    write(root, "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "-1\n")
    write(root, "sys/fs/cgroup/memory/job/memory.limit_in_bytes", f"{2**63 - 4096}\n")
    assert memory(root)["limit"] is None
    assert cores(root) == cores(Path("/nowhere"))


def test_another_system_says_nothing(tmp_path: Path) -> None:
    assert memory(tmp_path) == {"total": None, "available": None, "limit": None}
    assert processor()
