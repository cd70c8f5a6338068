"""The operators' plan on disk, for `diemcau agenda`: one changes it at a time, as with the register of certificates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agent.agenda.plan import Plan, read_plan, write_plan
from agent.errors import AgentError
from agent.files import locked, replace_file


def load(path: Path) -> Plan:
    """What is planned; nothing, where there is no file yet. Raises AgentError for one that is no plan."""
    return read_plan(path.read_bytes()) if path.exists() else Plan()


@contextmanager
def changing(path: Path) -> Iterator[Plan]:
    """The plan, which nobody else changes meanwhile; whoever wants to waits. Saved whole at the end, unless it raises.

    Raises AgentError for a file that is no plan or that cannot be written.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(path.with_name(f".{path.name}.lock")))
        except OSError as error:
            raise _unwritable(path, error) from error
        plan = load(path)
        yield plan
        try:
            replace_file(path, write_plan(plan))
        except OSError as error:
            raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> AgentError:
    return AgentError("plan-not-written", f"{path}: {error.strerror}; try --plan FILE")
