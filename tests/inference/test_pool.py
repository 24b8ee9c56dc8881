"""The pool: work is done elsewhere, errors come home, and no process is left, whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import Cancelled, DiskFull, EngineFailed, EngineTimeout, InvalidInput
from pipeline.inference.pool import EnginePool
from tests.inference import jobs

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def pool() -> Iterator[EnginePool]:
    pool = EnginePool(2)
    yield pool
    pool.close()


def eventually(true: Callable[[], bool]) -> bool:
    """Whether it comes true within twenty seconds (it takes milliseconds; a busy machine gets its time)."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


def test_work_is_done_in_another_process_that_stays_warm(pool: EnginePool) -> None:
    first = pool.run(jobs.pid, timeout_s=60)
    assert first != os.getpid()
    assert pool.run(jobs.pid, timeout_s=60) == first
    assert pool.run(jobs.add, 2, 3, timeout_s=60) == 5


def test_fresh_work_has_a_process_of_its_own(pool: EnginePool) -> None:
    pids = [pool.run(jobs.pid, fresh=True, timeout_s=60) for _ in range(4)]
    assert len({*pids, pool.run(jobs.pid, timeout_s=60)}) == 5
    assert not any(jobs.alive(pid) for pid in pids)


def test_workers_stand_back(pool: EnginePool) -> None:
    deaf_to_interrupts, niceness, threads = pool.run(jobs.manners, timeout_s=60)
    assert deaf_to_interrupts
    assert niceness > os.nice(0)
    assert threads == 1


def test_errors_come_home_as_they_are(pool: EnginePool) -> None:
    with pytest.raises(InvalidInput) as refused:
        pool.run(jobs.refuse, timeout_s=60)
    error = refused.value
    assert (error.detail, error.hint, error.field) == ("No such voice.", "Choose another.", "voice")
    with pytest.raises(EngineFailed, match="KeyError: 'mouth'") as failed:
        pool.run(jobs.blunder, timeout_s=60)
    assert not failed.value.transient
    assert "in blunder" in str(failed.value.__cause__)
    with pytest.raises(DiskFull):
        pool.run(jobs.fill_disk, timeout_s=60)
    with pytest.raises(EngineFailed, match="pickle"):
        pool.run(jobs.unpicklable, timeout_s=60)


@pytest.mark.parametrize(("job", "how"), [(jobs.crash, "signal 11"), (jobs.leave, "exit code 3")])
def test_a_crash_hurts_only_its_own_work(pool: EnginePool, job: Callable[[], None], how: str) -> None:
    pool.run(jobs.pid, timeout_s=60)
    with pytest.raises(EngineFailed, match=how) as crashed:
        pool.run(job, timeout_s=60)
    assert crashed.value.transient
    assert pool.run(jobs.add, 1, 1, timeout_s=60) == 2


def test_a_worker_that_died_in_its_sleep_is_replaced(pool: EnginePool) -> None:
    pid = pool.run(jobs.pid, timeout_s=60)
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not jobs.alive(pid))
    assert pool.run(jobs.pid, timeout_s=60) != pid


@pytest.mark.parametrize("fresh", [False, True])
def test_work_that_takes_too_long_is_ended_with_all_it_started(pool: EnginePool, tmp_path: Path, fresh: bool) -> None:
    with pytest.raises(EngineTimeout) as late:
        pool.run(jobs.encode_for_ever, tmp_path, fresh=fresh, timeout_s=3)
    assert late.value.transient
    started = pids(tmp_path)
    assert len(started) == 2
    assert eventually(lambda: not any(map(jobs.alive, started)))
    assert pool.run(jobs.add, 1, 1, timeout_s=60) == 2


def pids(folder: Path) -> list[int]:
    return [int(file.stem) for file in folder.glob("*.pid")]


def test_cancelled_work_is_ended_with_all_it_started(pool: EnginePool, tmp_path: Path) -> None:
    cancel = threading.Event()
    with ThreadPoolExecutor() as threads:
        work = threads.submit(pool.run, jobs.encode_for_ever, tmp_path, timeout_s=600, cancel=cancel)
        assert eventually(lambda: any(tmp_path.glob("ready-*")))
        cancel.set()
        with pytest.raises(Cancelled):
            work.result()
    assert eventually(lambda: not any(map(jobs.alive, pids(tmp_path))))


def test_cancelled_work_does_not_begin(pool: EnginePool) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        pool.run(jobs.pid, timeout_s=60, cancel=cancel)


def test_many_threads_share_a_bounded_number_of_processes(pool: EnginePool) -> None:
    with ThreadPoolExecutor(12) as threads:
        runs = [threads.submit(pool.run, jobs.times, 0.05, fresh=bool(n % 3 == 0), timeout_s=60) for n in range(24)]
        spans = [run.result() for run in runs]
    at_once = [sum(start <= moment < end for start, end in spans) for moment, _ in spans]
    assert max(at_once) <= 2


def test_closing_ends_everything(tmp_path: Path) -> None:
    pool = EnginePool(2)
    idle = pool.run(jobs.pid, timeout_s=60)
    with ThreadPoolExecutor() as threads:
        work = [threads.submit(pool.run, jobs.encode_for_ever, tmp_path, timeout_s=600) for _ in range(3)]
        assert eventually(lambda: len(list(tmp_path.glob("ready-*"))) == 2)
        pool.close()
        for run in work:
            with pytest.raises(Cancelled):
                run.result()
    assert eventually(lambda: not any(map(jobs.alive, [idle, *pids(tmp_path)])))
    with pytest.raises(Cancelled):
        pool.run(jobs.pid, timeout_s=60)
    pool.close()


def test_nothing_outlives_an_owner_that_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-m", "tests.inference.owner", str(tmp_path)], cwd=ROOT)
    try:
        assert eventually(lambda: len(list(tmp_path.glob("ready-*"))) == 2)
        started = [*pids(tmp_path), *jobs.children(owner.pid)]
        assert len(started) >= 5  # two workers, two encoders, and the server that forks
    finally:
        owner.kill()
        owner.wait()
    assert eventually(lambda: not any(map(jobs.alive, started)))


def test_it_works_from_another_folder_and_keeps_its_owner_light(tmp_path: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pipeline.inference.pool import EnginePool\n"
        "from tests.inference import jobs\n"
        "pool = EnginePool(1)\n"
        "print(pool.run(jobs.add, 1, 2, timeout_s=60), pool.run(jobs.add, 3, 4, fresh=True, timeout_s=60))\n"
        "pool.close()\n"
        "print([name for name in ('cv2', 'skia', 'espeakng_loader') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["3 7", "[]"]
