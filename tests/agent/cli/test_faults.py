"""What libraries say of surroundings is told in our own words; nothing else passes for that."""

import pytest

from agent.cli.faults import FAILED, FAULT, report_fault
from agent.cli.main import main
from tools.errors import StoreError

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


@pytest.mark.parametrize("error", [RuntimeError("Error calling __set_name__"), StoreError("x")])
def test_an_interrupt_that_comes_out_as_another_error_is_still_one(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: object) -> int:
        raise error from KeyboardInterrupt()

    monkeypatch.setattr("agent.cli.main._parse_and_run", fails)
    assert main([]) in {2, 70}
    capsys.readouterr()
    monkeypatch.setattr("agent.ending._asked", [(15, 0.0)])
    assert main([]) == 143
    assert "interrupted" in capsys.readouterr().err
