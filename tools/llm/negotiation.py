"""How a service wants to be asked, found out from its complaints and remembered."""

from __future__ import annotations

import json
import os
import threading
import weakref
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.llm.failures import Failure, Sent
from tools.llm.frames_form import with_frames

Message = dict[str, Any]
"""Of OpenAI's API: ``role``, ``content``, and what else the role has."""


FEW_ODDS = 5
"""Some services tell the odds of no more alternatives than this."""

_NAMED = frozenset(
    {"response_format", "tools", "temperature", "stream", "stream_options", "logprobs"}
)
"""Options that stand under their own names."""

_DOUBTFUL = ("response_format", "tools", "logprobs", "detail", "temperature", "max_tokens")
"""What a service may not take and says so in words of its own, the likeliest first."""

_SECOND_CHANCES = (
    "max_tokens",
    "response_format",
    "tools",
    "temperature",
    "logprobs",
    "system",
    "detail",
)
"""What was left out together is tried again one by one, the most useful first."""


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """One question to a chat model, as it would be asked of OpenAI.

    Attributes:
        messages: Everything said so far; frames with their times as ``tools.llm.frames_form`` has
            them.
        options: What else goes along, by name: ``max_tokens``, ``temperature``,
            ``response_format``, ``tools``, ``logprobs`` (how many alternatives of each token it
            should tell the odds of); a server may refuse any of them.
        may_call: Whether the model may use the tools; else they only explain what was said.
    """

    messages: Sequence[Message]
    options: Mapping[str, Any] = field(default_factory=dict)
    may_call: bool = True


class Habits:
    """What is known of one model of one service; shared by all that ask it in this process.

    Attributes:
        open_at: Clock time before which nothing is asked: a limit is everyone's.
        has_answered: Whether it ever answered.
        lessons: How often something was learnt about it.
        trying: Held by the one who finds out by trying what it does not take.
        most_pictures: How many it takes in one request; None where it never complained.
    """

    def __init__(self, *, is_openai: bool) -> None:
        self.open_at = 0.0
        self.has_answered = False
        self.lessons = 0
        self.trying = threading.RLock()
        self.most_pictures: int | None = None
        self._lock = threading.Lock()
        self._taken: set[str] = set()
        self._in_vain: set[str] = set()
        self._second_chances: list[str] = []
        # OpenAI's newest models take no temperature, and a limit under its new name only; none of
        # them takes a video.
        self._without: set[str] = {"temperature", "video"} if is_openai else set()
        self._limit_name = "max_completion_tokens" if is_openai else "max_tokens"
        self._renamed = is_openai
        self._takes_both = is_openai
        self._streams = False
        self._plain = False
        self._folds_system = False
        self._objects_only = False
        self._few_odds = False

    def body(
        self, request: ServiceRequest, model: str, *, without: Collection[str] = ()
    ) -> dict[str, Any]:
        """The JSON to send.

        Args:
            request: What is asked.
            model: The service's name for it.
            without: What is left out besides; see ``plainer_forms``.
        """
        tried_again = next(
            (
                name
                for name in self._second_chances
                if name in {"detail", "system"} or request.options.get(name) is not None
            ),
            "",
        )
        left_out = (self._without - {tried_again}).union(without)
        streams = self._streams or "whole" in without
        folds = (self._folds_system and tried_again != "system") or "system" in without
        options = {
            name: value
            for name, value in request.options.items()
            if name not in left_out and value is not None
        }
        messages = [dict(message) for message in request.messages]
        looked_up = any(message["role"] == "tool" for message in messages)
        if self._plain:
            messages = in_plain_words(messages)
            if looked_up:
                options.pop("tools", None)
        if folds:
            messages = without_system(messages)
        if self._plain or folds:
            messages = alternating(messages)
        body: dict[str, Any] = {"model": model, "messages": messages}
        body |= with_frames(messages, as_video="video" not in left_out)
        if "detail" in left_out:
            body["messages"] = [_without_detail(message) for message in body["messages"]]
        if "tools" in options and not self._takes_both:
            # Servers other than OpenAI's own hold a model to the schema even where it wants a tool.
            options.pop("response_format", None)
        if "tools" in options and not request.may_call:
            body["tool_choice"] = "none"
        if "max_tokens" in options:
            body[self._limit_name] = options.pop("max_tokens")
        options |= self._odds(options)
        if "response_format" in options and self._objects_only:
            options["response_format"] = {"type": "json_object"}
        body |= options
        if streams:
            body["stream"] = True
            if "stream_options" not in left_out:
                body["stream_options"] = {"include_usage": True}
        return body

    def _odds(self, options: Mapping[str, Any]) -> dict[str, Any]:
        most = options.get("logprobs")
        if most is None:
            return {}
        return {"logprobs": True, "top_logprobs": min(most, FEW_ODDS) if self._few_odds else most}

    def sent(self, body: Mapping[str, Any]) -> Sent:
        """What of a request a server may complain of."""
        names = set(_NAMED & set(body))
        if self._limit_name in body:
            names.add("max_tokens")
        blocks = [block for message in body["messages"] for block in _blocks_in(message)]
        if any("detail" in block.get("image_url", ()) for block in blocks):
            names.add("detail")
        if any(block.get("type") == "video_url" for block in blocks):
            names.add("video")
        roles = {message["role"] for message in body["messages"]}
        pictures = sum(block.get("type") == "image_url" for block in blocks)
        return Sent(names, look_ups="tool" in roles, system="system" in roles, pictures=pictures)

    def learn(self, failure: Failure, sent: Sent, *, knew: int) -> bool:
        """Ask in another form from now on; False where no other form is known.

        Args:
            failure: What was complained of.
            sent: In what.
            knew: ``lessons`` when that was sent; others may have learnt more since.
        """
        with self._lock:
            if self.lessons > knew:
                return True
            has_learnt = self._refuses_again(failure, sent) or self._learn(failure, sent)
            self.lessons += has_learnt
            return has_learnt

    def is_too_much(self, sent: Sent) -> bool:
        """Whether a request holds more pictures than it is known to take."""
        return self.most_pictures is not None and sent.pictures > self.most_pictures

    def note_most_pictures(self, most: int) -> None:
        """It takes no more pictures than this at once."""
        with self._lock:
            self.most_pictures = min(most, self.most_pictures or most)

    def release(self) -> None:
        """Let go of its locks, whoever holds them."""
        self.trying, self._lock = threading.RLock(), threading.Lock()

    def note_taken(self, sent: Sent) -> None:
        """It answered a request of this form, so nothing in it is to be doubted."""
        self.has_answered = True
        held = _held(sent)
        self._taken |= held
        if again := held.intersection(self._second_chances):
            with self._lock:
                self._second_chances = [one for one in self._second_chances if one not in again]
                self._without -= again
                self._folds_system = self._folds_system and "system" not in again

    def plainer_forms(self, sent: Sent) -> Iterator[frozenset[str]]:
        """What to leave out where it refused a request in words that nobody knows.

        One thing at a time, then all of them. Nothing where it took them before, or where leaving
        them out was tried and did not help. ``whole`` left out is a stream.
        """
        held = _held(sent) - self._taken
        if held <= self._in_vain:
            return
        doubtful = [name for name in (*_DOUBTFUL, "system") if name in held]
        for name in doubtful:
            yield frozenset({name})
        if len(doubtful) > 1:
            yield frozenset(doubtful)
        if not self._streams:
            yield frozenset({"whole"})

    def forgo(self, without: Collection[str]) -> None:
        """From now on ask without these: that was what it refused."""
        with self._lock:
            self._streams = self._streams or "whole" in without
            self._folds_system = self._folds_system or "system" in without
            self._without |= set(without) - {"whole", "system"}
            if len(without) > 2:
                # Of two, neither was enough; of more, some may have done no harm.
                self._second_chances = [one for one in _SECOND_CHANCES if one in without]
            self.lessons += 1

    def note_in_vain(self, sent: Sent) -> None:
        """It refuses a request like this in every form."""
        self._in_vain |= _held(sent)

    def embedding_forms(self) -> list[dict[str, str]]:
        """What goes along with texts to embed, the form it takes first."""
        named = {"encoding_format": "float"}
        if "encoding_format" in self._taken:
            return [named]
        return [{}] if "encoding_format" in self._without else [named, {}]

    def note_embedded(self, form: Mapping[str, str]) -> None:
        """It embedded texts that were sent with this."""
        self.has_answered = True
        (self._taken if form else self._without).add("encoding_format")

    def _refuses_again(self, failure: Failure, sent: Sent) -> bool:
        """Whether a request was refused that gave something a second chance; it gets no third."""
        if failure.kind in {"busy", "key", "credit", "declined"}:
            return False
        again = _held(sent).intersection(self._second_chances)
        self._second_chances = [one for one in self._second_chances if one not in again]
        return bool(again)

    def _learn(self, failure: Failure, sent: Sent) -> bool:
        if failure.kind == "stream" and not self._streams:
            self._streams = True
            return True
        if failure.kind == "history" and not (self._plain and self._folds_system):
            # First without look-ups; should roles still not alternate, without the system's.
            self._plain, self._folds_system = True, self._plain
            return True
        if failure.kind == "system" and not self._folds_system:
            self._folds_system = True
            return True
        return failure.kind == "option" and self._do_without(failure, sent)

    def _do_without(self, failure: Failure, sent: Sent) -> bool:
        said, option = failure.said.lower(), failure.option
        if option == "max_tokens" and not self._renamed and "max_completion_tokens" in said:
            self._renamed, self._limit_name = True, "max_completion_tokens"
            return True
        if option == "response_format" and not self._objects_only and "json_object" in said:
            self._objects_only = True
            return True
        if option == "logprobs" and not self._few_odds and "top_logprobs" in said:
            self._few_odds = True
            return True
        if option in self._without or option not in sent.options:
            return False
        self._without.add(option)
        return True


_KNOWN: weakref.WeakValueDictionary[tuple[str, str, str], Habits] = weakref.WeakValueDictionary()
_KNOWN_LOCK = threading.Lock()


def habits_of(address: str, key: str, model: str, *, is_openai: bool) -> Habits:
    """What is known of a model, as long as anybody asks it."""
    with _KNOWN_LOCK:
        habits = _KNOWN.get((address, key, model))
        if habits is None:
            _KNOWN[address, key, model] = habits = Habits(is_openai=is_openai)
        return habits


def _release_all() -> None:
    """Let go of what threads held that stayed in the process that was forked."""
    global _KNOWN_LOCK  # noqa: PLW0603  # its holder is gone
    _KNOWN_LOCK = threading.Lock()
    for habits in list(_KNOWN.values()):
        habits.release()


os.register_at_fork(after_in_child=_release_all)


def _held(sent: Sent) -> set[str]:
    return set(sent.options) | ({"system"} if sent.system else set())


def in_plain_words(messages: Sequence[Message]) -> list[Message]:
    """The same conversation without tools: what was looked up is told by the user."""
    plain: list[Message] = []
    asked: dict[str, str] = {}
    for message in messages:
        if message["role"] == "assistant" and message.get("tool_calls"):
            for call in message["tool_calls"]:
                function = call["function"]
                asked[call["id"]] = f"{function['name']} {function['arguments']}"
        elif message["role"] == "tool":
            what = asked.get(message.get("tool_call_id", ""), "a look-up")
            found = _text_of(message["content"])
            plain.append({"role": "user", "content": f"You looked up {what}. It showed:\n{found}"})
        else:
            kept = {name: message[name] for name in ("role", "content")}
            plain.append(kept)
    return plain


def without_system(messages: Sequence[Message]) -> list[Message]:
    """The same with what the system says told by the user."""
    return [
        message | {"role": "user"} if message["role"] == "system" else message
        for message in messages
    ]


def alternating(messages: Sequence[Message]) -> list[Message]:
    """The same with neighbours of one role joined."""
    joined: list[Message] = []
    for message in messages:
        last = joined[-1] if joined else None
        if last is None or last["role"] != message["role"] or "tool_calls" in message:
            joined.append(message)
            continue
        one, other = last["content"], message["content"]
        if isinstance(one, str) and isinstance(other, str):
            content: Any = f"{one}\n\n{other}"
        else:
            content = [*_blocks(one), *_blocks(other)]
        joined[-1] = last | {"content": content}
    return joined


def _blocks_in(message: Message) -> list[Any]:
    content = message.get("content")
    return content if isinstance(content, list) else []


def _blocks(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())


def _text_of(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def _without_detail(message: Message) -> Message:
    if not isinstance(message.get("content"), list):
        return message
    blocks = [
        block | {"image_url": {"url": block["image_url"]["url"]}}
        if block.get("type") == "image_url"
        else block
        for block in message["content"]
    ]
    return message | {"content": blocks}
