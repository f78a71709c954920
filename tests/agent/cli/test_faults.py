"""What libraries say of surroundings is told in our own words; nothing else passes for that."""

import pytest

from agent.cli.faults import FAILED, FAULT, report_fault

SHORT_OF_MEMORY = [
    MemoryError(),
    ImportError("libx.so: failed to map segment from shared object"),
    RuntimeError("can't start new thread"),
    OSError(12, "Cannot allocate memory"),
    RuntimeError("[ONNXRuntimeError] : 6 : std::bad_alloc"),
]


@pytest.mark.parametrize("error", SHORT_OF_MEMORY, ids=repr)
def test_a_lack_of_memory_is_no_fault_of_ours(error: BaseException) -> None:
    said: list[str] = []
    assert report_fault(error, said.append) == FAILED
    assert len(said) == 1
    assert "there is not enough memory" in said[0]


def test_a_lack_of_memory_is_found_behind_another_error() -> None:
    error = RuntimeError("the session could not be made")
    error.__cause__ = MemoryError()
    assert report_fault(error, lambda _: None) == FAILED


@pytest.mark.parametrize(
    "error", [ImportError("no module named x"), KeyError("memory"), ValueError()]
)
def test_anything_else_keeps_its_traceback(error: BaseException) -> None:
    said: list[str] = []
    assert report_fault(error, said.append) == FAULT
    assert "fault in whenabouts" in said[-1]
