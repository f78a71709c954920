"""What an uncaught error turns into: a sentence where its cause is known, else a fault report.

Libraries have their own words for what is wrong around us: a proxy, a list of certificates.
"""

import errno
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tools.text import one_line, shorten, without_passwords

FAILED, FAULT = 2, 70

_PROXY: Final = "look at HTTP_PROXY, HTTPS_PROXY and ALL_PROXY"
_VARIABLE: Final = re.compile(r"\b(?:OTEL|LANGSMITH|LANGCHAIN|OPENAI|AZURE_OPENAI|CHROMA)_[A-Z_]+")
"""Variables that the libraries we use read."""

_SURROUNDINGS: Final = {
    errno.ENAMETOOLONG,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.ELOOP,
}
"""Errors of the system that our code could not have prevented."""

_NO_MEMORY: Final = re.compile(
    r"failed to map segment|cannot allocate memory|can't start new thread|bad_alloc|"
    r"out of memory|not enough memory",
    re.IGNORECASE,
)
"""How libraries say so, whatever they raise."""

_CERTIFICATES: Final = "look at SSL_CERT_FILE, SSL_CERT_DIR and REQUESTS_CA_BUNDLE"


def report_fault(error: BaseException, complain: Callable[[str], None]) -> int:
    """Tell the person about an uncaught error; returns the exit code.

    Args:
        error: The uncaught error.
        complain: Prints a line.
    """
    if sentence := known_cause(error):
        complain(f"whenabouts: {sentence}")
        return FAILED
    for line in "".join(traceback.format_exception(error)).rstrip().splitlines():
        complain(line)
    said = shorten(one_line(str(error)), 200)
    what = type(error).__name__ + (f": {said}" if said else "")
    complain(
        f"whenabouts: this is a fault in whenabouts, not yours ({what}); please report it with the "
        "lines above"
    )
    return FAULT


def known_cause(error: BaseException) -> str:
    """What is wrong outside, and what to do; empty where that is not known."""
    for one in _chain(error):
        said = without_passwords(shorten(one_line(str(one)), 200))
        for explain in (_memory, _engine, _files, _network, _variables):
            if sentence := explain(one, said):
                return sentence
    return ""


def _memory(error: BaseException, said: str) -> str:
    if not (isinstance(error, MemoryError) or _NO_MEMORY.search(said)):
        return ""
    return (
        f"there is not enough memory, or no thread more is allowed ({said or 'MemoryError'}); "
        "close other programs, or raise the limits (ulimit -v, ulimit -u)"
    )


def _engine(error: BaseException, said: str) -> str:
    if type(error).__name__ != "PanicException":
        return ""
    return (
        f"the store's engine, Chroma, crashed ({said}); its files may be damaged: move the "
        "store's folder away, or set WHENABOUTS_HOME to another one"
    )


def _files(error: BaseException, _: str) -> str:
    if isinstance(error, FileNotFoundError) and _is_nowhere():
        return "the folder that this was started in is gone; change to another one and try again"
    if not (isinstance(error, OSError) and error.errno in _SURROUNDINGS):
        return ""
    file = f"{shorten(one_line(str(error.filename)), 80)}: " if error.filename else ""
    return f"{file}{error.strerror}; name another file or folder, or free what is short"


def _is_nowhere() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _network(error: BaseException, said: str) -> str:
    if isinstance(error, ImportError) and "SOCKS" in said:
        return (
            "a SOCKS proxy is set, and the package for it is not installed: pip install "
            f"'httpx[socks]' 'requests[socks]', or {_PROXY}"
        )
    name = type(error).__name__
    if name == "InvalidURL" or (isinstance(error, ValueError) and "proxy URL" in said):
        return f"an address or a proxy that is set cannot be used ({said}); {_PROXY}"
    is_missing = isinstance(error, FileNotFoundError) and _loads_certificates(error)
    if is_missing or type(error).__module__ == "ssl":
        return f"the certificates of authorities cannot be read ({said}); {_CERTIFICATES}"
    return ""


def _variables(error: BaseException, said: str) -> str:
    if type(error).__module__.partition(".")[0] == "openai":
        return f"the service cannot be asked: {said}"
    variable = _VARIABLE.search(said) if isinstance(error, ValueError) else None
    return f"{said}; correct or unset {variable[0]}" if variable else ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _loads_certificates(error: BaseException) -> bool:
    """Whether it was raised where a TLS context is made; the error itself names no file."""
    return any(
        frame.name in {"create_default_context", "create_ssl_context", "load_verify_locations"}
        for frame in traceback.extract_tb(error.__traceback__)
    )
