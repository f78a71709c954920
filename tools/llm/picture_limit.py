"""How many pictures a service takes in one request, read from its complaint. Pure."""

from __future__ import annotations

import re
from typing import Final

_PICTURES: Final = r"(?:images?|image\(s\)|image_urls?|pictures?|图片|图像)"
_COUNT: Final = r"(?<![\d.,])(\d{1,4})(?![\d.,]*\d)"

_ONE: Final = re.compile(
    rf"(?:multiple|several|more than (?:one|1|a single)) {_PICTURES}|multi-?image|"
    rf"\b(?:only|just|a|at most|exactly) (?:one|single|a single) {_PICTURES}|"
    rf"\bone {_PICTURES} (?:per|only|at a)|"
    rf"\b(?:supports?|accepts?|takes?|allows?|expects?) (?:one|single|a single) {_PICTURES}|"
    rf"single {_PICTURES} (?:per|only|input)|一张图",
    re.IGNORECASE,
)
_MOST: Final = re.compile(
    rf"(?:at most|up to|max(?:imum)?(?: (?:number|count))?(?: of| is|:| allowed:?)*|"
    rf"limit(?:ed)?(?: (?:of|is|to|per \w+))*[ :(=]*|no more than|only(?: supports?)?|"
    rf"not exceed|fewer than or equal to|less than or equal to|<=|≤|不超过|最多)\D{{0,6}}?{_COUNT}"
    rf"|{_COUNT} {_PICTURES} (?:max|limit|allowed|per)|(?<![-=])> ?{_COUNT}",
    re.IGNORECASE,
)
_TOO_MANY: Final = re.compile(
    rf"too many {_PICTURES}|(?:number|count|amount) of {_PICTURES}|{_PICTURES}[_ ](?:count|number)|"
    rf"(?:images|pictures|image\(s\)) exceed|"
    rf"(?:at most|up to|max(?:imum)?(?: number)?(?: of)?|more than|only|limit(?: of)?|exceed\w*) "
    rf"(?:\d+ )?{_PICTURES}|{_COUNT} {_PICTURES} (?:max|limit|allowed|per|at (?:most|a))|"
    rf"(?:不超过|最多)\D{{0,6}}\d+\D{{0,2}}(?:图|image)",
    re.IGNORECASE,
)


def most_pictures(said: str, sent: int) -> int | None:
    """How many pictures a request may hold; None where a complaint is about something else.

    Args:
        said: A server's words.
        sent: How many pictures the request held.

    Returns:
        Fewer than were sent, and 1 at least; half of them where it says no number.
    """
    if sent < 2:
        return None
    if _ONE.search(said):
        return 1
    if not _TOO_MANY.search(said):
        return None
    told = [int(number) for match in _MOST.finditer(said) for number in match.groups() if number]
    fitting = [number for number in told if 0 < number < sent]
    if 0 in told and not fitting:
        return None  # It takes no pictures at all.
    return max(fitting) if fitting else sent // 2
