"""`python -m tests.simulator --port N`: the simulator as a program of its own, until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import threading

from tests.simulator.simulator import Simulator


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=9911)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--scale", type=float, default=0.01, help="times every latency; 0.01: a minute takes 0.6 s")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--storm", type=float, default=0.0, help="probability that a call meets a fault")
    given = parser.parse_args()
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *unused: over.set())
    with Simulator(port=given.port, host=given.host, scale=given.scale, seed=given.seed) as simulator:
        if given.storm:
            simulator.storm(given.storm, given.seed)
        for name, value in simulator.env().items():
            print(f"{name}={value}", flush=True)
        over.wait()


main()
