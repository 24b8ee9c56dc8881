"""A wire simulator of the providers: their real protocols, real media, scripted faults and a bill. See README.md."""

from tests.simulator.faults import Fault
from tests.simulator.llm import ChatRequest, Reply
from tests.simulator.simulator import Simulator

__all__ = ["ChatRequest", "Fault", "Reply", "Simulator"]
