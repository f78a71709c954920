"""What is said in a chat and is no question about a video: answered as what it is, not looked for.

In quotes each of these words is looked for, as text or speech.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agent.chat.doors import Door
from agent.chat.follow_up import FollowUpError
from agent.chat.turns import ChatAnswer
from tools.clock import clock
from tools.text import shorten

ASK: Final = "ask when something happens, such as “when does a dog run?”"
TOLD_QUESTIONS = 12
QUESTION_CHARS = 200

Reply = Callable[[re.Match[str], list[ChatAnswer], Door], str]


class NoQuestionError(FollowUpError):
    """What was said is no question about a video; the message answers it in a line or two."""

    def __init__(self, message: str) -> None:
        super().__init__("unclear", message)


def check_is_question(said: str, *, turns: list[ChatAnswer], door: Door, forms: str) -> None:
    """Let a question about a video pass.

    Args:
        said: The user's words.
        turns: Those before it.
        door: Where it was said.
        forms: What can be said, for one who asks for help.

    Raises:
        NoQuestionError: If it is small talk, or a question about the chat itself.
    """
    words = re.sub(r"\s+", " ", said).replace("’", "'").strip().rstrip("?!.,;:) ")
    if _HELP.fullmatch(words):
        raise NoQuestionError(forms)
    for pattern, reply in _TALK:
        if match := pattern.fullmatch(words):
            raise NoQuestionError(reply(match, turns, door))


def without_lead(words: str) -> str:
    """The same without "no, I mean", "thanks," or "can you" before what is meant."""
    while (left := _LEAD.sub("", words, count=1)) != words:
        words = left
    return words


def _next(turns: list[ChatAnswer]) -> str:
    return "go on with “and after that?” or a new question" if turns else ASK


def _welcome(_: re.Match[str], turns: list[ChatAnswer], __: Door) -> str:
    return f"you are welcome; {_next(turns)}"


def _hello(_: re.Match[str], turns: list[ChatAnswer], __: Door) -> str:
    return f"hello; {_next(turns)} (a word in quotes is looked for as text or speech)"


def _fine(_: re.Match[str], turns: list[ChatAnswer], __: Door) -> str:
    return f"fine; {_next(turns)}"


def _only(_: re.Match[str], turns: list[ChatAnswer], __: Door) -> str:
    return f"only what happens in a video is told here; {_next(turns)}"


def _bye(_: re.Match[str], __: list[ChatAnswer], door: Door) -> str:
    return door.leave


def _wrong(_: re.Match[str], turns: list[ChatAnswer], door: Door) -> str:
    return door.wrong if turns else ASK


def _halt(match: re.Match[str], turns: list[ChatAnswer], _: Door) -> str:
    return (
        f"there is nothing to {match[0].split()[0].lower()} here; {_next(turns)} (a word in "
        "quotes is looked for as text or speech)"
    )


def _asked(match: re.Match[str], turns: list[ChatAnswer], _: Door) -> str:
    if not turns:
        return f"nothing was asked yet; {ASK}"
    said = [f"“{shorten(turn.said, QUESTION_CHARS)}”" for turn in turns]
    if match["first"] or match["my_first"]:
        return f"you asked first: {said[0]}"
    if match["last"] or match["my_last"]:
        return f"you asked last: {said[-1]}"
    shown = said[-TOLD_QUESTIONS:]
    left = f"{len(said) - len(shown)} more, " if len(said) > len(shown) else ""
    return f"you asked: {left}{', '.join(shown)}"


def _about_video(_: re.Match[str], turns: list[ChatAnswer], __: Door) -> str:
    video = next((turn.result.video for turn in reversed(turns) if turn.result.video), None)
    if video is None:
        return f"that is told with the first answer; {ASK}"
    return f"the last answer is about {Path(video.path).name}, {clock(video.duration_s)} long"


def _no_summary(_: re.Match[str], __: list[ChatAnswer], ___: Door) -> str:
    return (
        "a whole video is not summed up here; ask for a stretch: “what happens between 0:00 and "
        "1:00?”"
    )


def _talk(pattern: str, reply: Reply) -> tuple[re.Pattern[str], Reply]:
    lead = r"(?:(?:oh|ok|okay|well|ah|yes|no|and|so|please|great|nice|cool|perfect),? )*"
    end = r"(?:[,;.!]* (?:thanks|thank you|(?:good)?bye))*"
    return re.compile(f"{lead}(?:{pattern}){end}", re.IGNORECASE), reply


_THIS = r"(?:it|that|this|the answer|the result)"
_VIDEO = r"(?:(?:the|this) (?:video|film|movie|clip|file))"

_TALK: Final = (
    _talk(
        r"(?:(?:many )?thanks?|thank you|thx|ty|cheers)"
        r"(?:[,;.!]* (?:a lot|a million|so much|very much|again|you|for .{1,60}"
        r"|that(?: i|'| wa)s (?:it|all)(?: for (?:now|today))?))*",
        _welcome,
    ),
    _talk(
        r"(?:hi|hello|hey|hiya|greetings|good (?:morning|afternoon|evening|day))"
        r"(?:,? (?:there|you|again|everybody|all|whenabouts))?|how are you(?: doing)?(?: today)?"
        r"|(?:is )?any(?:body|one) (?:there|here)|test(?:ing)?",
        _hello,
    ),
    _talk(
        r"(?:very |so |really |haha,? )*(?:great|nice(?: one)?|cool"
        r"|good(?: job| work)?|perfect|awesome|wow|lol|(?:ha){1,4}|hm+|excellent)"
        r"|never ?mind|forget (?:it|that|this)|well done|fine|i see|got it|yes|yeah|yep|ok|okay"
        r"|sure|right|all ?right|super"
        r"|i (?:love|like) (?:you|it|this|that)|nothing"
        r"|(?:that|this)(?: i|')s (?:great|nice|cool|good|perfect|right|correct|it|all)",
        _fine,
    ),
    _talk(
        r"tell me (?:a|something) .{1,40}|who am i|where am i|what did you (?:say|mean)",
        _only,
    ),
    _talk(
        r"(?:good ?)?bye(?: bye)?|good ?night|see you(?: later| soon)?|exit|quit|leave|i'm done",
        _bye,
    ),
    _talk(
        rf"no|nope|wrong|{_THIS}(?: i|')s (?:wrong|false|incorrect|nonsense"
        r"|not (?:right|true|correct|it|what i .{1,60}))"
        r"|not (?:that|this|it)(?: one)?|i (?:do not|don't) (?:think so|believe (?:it|that|you))",
        _wrong,
    ),
    _talk(
        r"(?:stop|pause|cancel|undo|reset|rewind|delete|clear)(?: (?:it|that|this|everything|"
        rf"{_VIDEO}))?",
        _halt,
    ),
    _talk(
        r"what (?:did|have|had|do) (?:i|we) (?:just )?(?:already )?(?:ask|say|look for|search)"
        r"(?:ed|ing)?(?: you)?(?: (?:(?P<first>at first|first|at the (?:beginning|start))"
        r"|(?P<last>last|just now|before(?: that)?)|so far|already|until now|until then))?"
        r"|what (?:was|were|is|are) (?:my|our|the) (?:(?P<my_first>first)"
        r"|(?P<my_last>last|previous|latest)|earlier|other)? ?(?:questions?|quer(?:y|ies))",
        _asked,
    ),
    _talk(
        rf"how long is {_VIDEO}|(?:what|which) (?:video|file|film) is (?:this|that|it)"
        rf"|what(?: i|')s {_VIDEO}(?: called|'s name)?"
        r"|(?:what|which) video (?:are we|am i) .{1,40}",
        _about_video,
    ),
    _talk(
        rf"(?:summari[sz]e|sum up|describe) (?:it|that|this|{_VIDEO})(?: for me)?"
        rf"|what(?: i|')s (?:it|this|that|{_VIDEO}) about"
        rf"|what happens in {_VIDEO}|give me a summary(?: .{{1,40}})?",
        _no_summary,
    ),
)

_HELP: Final = re.compile(
    r"(?:please )?(?:help(?: me)?(?: please)?|what can (?:you|i) (?:do|say|ask|type)(?: here)?"
    r"|(?:who|what) are you|how (?:does|do) (?:this|it|you) work|what now|commands)",
    re.IGNORECASE,
)

_LEAD: Final = re.compile(
    r"^(?:(?:no|nope|yes|yeah|sorry|wait|actually|oh|hmm|ok|okay|well|thanks|thank you|rather"
    r"|great|cool|nice|hi|hello|hey)[,;.!…]+\s*(?=\S)"
    r"|(?:(?:no|not|nope|nah|sorry|oh|wait|actually)\b.{0,80}?)?\bi (?:mean|meant|said)[,:]? (?=\S)"
    r"|(?:can|could|would|will) you (?:please )?"
    r"(?=(?:cut|clip|save|show|play|download|export|repeat|say)\b)"
    r"|(?:(?:can|could|would|will) you (?:please )?)?(?:find|look for|search for) (?:me )?(?=\S)"
    r"|i(?:'m| am) looking for (?=\S)|i(?:'d| would)? (?:want|like) to (?:see|find) (?=\S))",
    re.IGNORECASE,
)
