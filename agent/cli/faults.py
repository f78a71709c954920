"""What becomes of an error that nobody caught: a sentence where its cause is known, else a fault.

Libraries fail in words of their own over what is wrong around us: a proxy, a list of certificates.
"""

import traceback
from collections.abc import Callable, Iterator
from typing import Final

from tools.text import one_line, shorten, without_passwords

FAILED, FAULT = 2, 70

_PROXY: Final = "look at HTTP_PROXY, HTTPS_PROXY and ALL_PROXY"
_CERTIFICATES: Final = "look at SSL_CERT_FILE, SSL_CERT_DIR and REQUESTS_CA_BUNDLE"


def report_fault(error: BaseException, complain: Callable[[str], None]) -> int:
    """Tell the person about an uncaught error; returns the exit code.

    Args:
        error: What nobody caught.
        complain: Prints a line, or several.
    """
    if sentence := known_cause(error):
        complain(f"whenabouts: {sentence}")
        return FAILED
    complain("".join(traceback.format_exception(error)).rstrip())
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
        module = type(one).__module__.partition(".")[0]
        name = type(one).__name__
        if name == "PanicException":
            return (
                f"the store's engine, Chroma, broke down ({said}); its files may be damaged: move "
                "the store's folder away, or set WHENABOUTS_HOME to another one"
            )
        if isinstance(one, ImportError) and "SOCKS" in said:
            return (
                "a SOCKS proxy is set, and the package for it is not installed: pip install "
                f"'httpx[socks]' 'requests[socks]', or {_PROXY}"
            )
        if isinstance(one, ValueError) and "proxy URL" in said:
            return f"the proxy that is set cannot be used ({said}); {_PROXY}"
        if module == "ssl" or (isinstance(one, FileNotFoundError) and _loads_certificates(one)):
            return f"the certificates of authorities cannot be read ({said}); {_CERTIFICATES}"
    return ""


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
