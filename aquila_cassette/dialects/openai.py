"""Read answers of OpenAI (chat completions, responses, assistant runs) and compatible servers.

Mistral's answers are chat completions too, with content that may be a list of parts. Some servers
(Hugging Face, Perplexity, Writer) never send ``[DONE]``: there a ``finish_reason`` is the end.

Source: https://platform.openai.com/docs/api-reference/chat-streaming, .../responses-streaming,
.../assistants-streaming
"""

from __future__ import annotations

from aquila_cassette.dialects.dialect import EVENT_TYPE, Dialect, every_choice_finished
from aquila_cassette.dialects.framing import Framing, ProviderEvent
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_int, as_str
from aquila_cassette.dialects.message import MessageBuilder

# The last is no event of a stream in the reference, but a state, and some servers send it.
_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")


class _OpenAIChat(Dialect):
    """Chat completions, and the older completions."""

    name = "openai-chat"
    title = "OpenAI chat completions"
    expected = "data: [DONE]"
    events = ({"object": ("chat.completion", "text_completion")},)
    answers = ({"choices": list},)

    def is_complete_at_eof(self, how: Framing, body: bytes) -> bool:
        return every_choice_finished(how, body, choices="choices", reason="finish_reason")

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        # Groq gives its counts in a field of its own.
        usage = as_dict(answer.get("usage")) or as_dict(as_dict(answer.get("x_groq")).get("usage"))
        builder.set_meta(model=as_str(answer.get("model")), usage=usage)
        for choice in as_dicts(answer.get("choices")):
            if as_int(choice.get("index")) == 0:
                _read_choice(choice, builder)


def _read_choice(choice: Table, builder: MessageBuilder) -> None:
    builder.set_meta(finish_reason=as_str(choice.get("finish_reason")))
    # Perplexity and Writer send the whole message so far with each delta.
    message = choice.get("delta", choice.get("message"))
    if not isinstance(message, dict):
        builder.add_text(as_str(choice.get("text")))
        return
    # Servers name the reasoning one way or the other; a few send both, alike.
    thought = as_str(message.get("reasoning_content")) or as_str(message.get("reasoning"))
    if not thought:
        details = as_dicts(message.get("reasoning_details"))
        thought = "".join(as_str(row.get("text")) or as_str(row.get("summary")) for row in details)
    builder.add_reasoning(thought)
    builder.add_text(as_str(message.get("content")))
    for part in as_dicts(message.get("content")):
        _read_part(part, builder)
    builder.add_refusal(as_str(message.get("refusal")))
    for place, call in enumerate(as_dicts(message.get("tool_calls"))):
        _read_chat_call(call, as_int(call.get("index"), place), builder)
    if legacy := as_dict(message.get("function_call")):
        _read_chat_call({"function": legacy}, 0, builder)


def _read_part(part: Table, builder: MessageBuilder) -> None:
    if part.get("type") in ("thinking", "reasoning"):
        thoughts = part.get("thinking") or part.get("summary")
        builder.add_reasoning(as_str(thoughts))
        for thought in as_dicts(thoughts):
            builder.add_reasoning(as_str(thought.get("text")))
    else:
        builder.add_text(as_str(part.get("text")))


def _read_chat_call(call: Table, key: int, builder: MessageBuilder) -> None:
    function = as_dict(call.get("function")) or as_dict(call.get("custom"))
    builder.add_call(
        key,
        id_=as_str(call.get("id")),
        name=as_str(function.get("name")),
        arguments=as_str(function.get("arguments")) or as_str(function.get("input")),
    )


class _Responses(Dialect):
    name = "openai-responses"
    title = "OpenAI responses"
    expected = "response.completed, response.incomplete or response.failed"
    events = ({"type": ("response.",)}, {EVENT_TYPE: ("response.",)})
    answers = ({"object": ("response",), "output": list},)
    ends = ({"type": _ENDS},)

    _reasoning = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")
    _arguments = (
        "response.function_call_arguments.delta",
        "response.custom_tool_call_input.delta",
        "response.mcp_call_arguments.delta",
    )

    def read_event(self, event: ProviderEvent, builder: MessageBuilder) -> None:
        fields = event.fields
        type_ = fields.get("type")
        delta = as_str(fields.get("delta"))
        key = as_int(fields.get("output_index"))
        if type_ == "response.output_text.delta":
            builder.add_text(delta)
        elif type_ in self._reasoning:
            builder.add_reasoning(delta)
        elif type_ == "response.refusal.delta":
            builder.add_refusal(delta)
        elif type_ in self._arguments:
            builder.add_call(key, arguments=delta)
        elif type_ in ("response.output_item.added", "response.output_item.done"):
            _read_item_call(as_dict(fields.get("item")), key, builder)
        elif "response" in fields:
            response = as_dict(fields["response"])
            _read_state(response, builder)
            if self.is_terminal(event) and not builder.has_content:
                _read_output(response, builder)

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        _read_state(answer, builder)
        _read_output(answer, builder)


def _read_state(response: Table, builder: MessageBuilder) -> None:
    reason = as_str(as_dict(response.get("incomplete_details")).get("reason"))
    builder.set_meta(
        model=as_str(response.get("model")),
        usage=as_dict(response.get("usage")),
        finish_reason=reason or as_str(response.get("status")),
    )
    builder.set_error(as_str(as_dict(response.get("error")).get("message")))


def _read_output(response: Table, builder: MessageBuilder) -> None:
    for key, item in enumerate(as_dicts(response.get("output"))):
        _read_item_call(item, key, builder)
        if item.get("type") == "reasoning":
            for thought in as_dicts(item.get("summary")) + as_dicts(item.get("content")):
                builder.add_reasoning(as_str(thought.get("text")))
        elif item.get("type") == "message":
            for part in as_dicts(item.get("content")):
                builder.add_text(as_str(part.get("text")))
                builder.add_refusal(as_str(part.get("refusal")))


def _read_item_call(item: Table, key: int, builder: MessageBuilder) -> None:
    if item.get("type") in ("function_call", "custom_tool_call", "mcp_call"):
        builder.set_call(
            key,
            id_=as_str(item.get("call_id")),
            name=as_str(item.get("name")),
            arguments=as_str(item.get("arguments")) or as_str(item.get("input")),
        )


class _Runs(Dialect):
    """The runs of assistants."""

    name = "openai-runs"
    title = "OpenAI assistant runs"
    expected = "data: [DONE]"
    events = ({EVENT_TYPE: ("thread.",)},)

    def read_event(self, event: ProviderEvent, builder: MessageBuilder) -> None:
        fields = event.fields
        delta = as_dict(fields.get("delta"))
        if event.type == "thread.message.delta":
            for part in as_dicts(delta.get("content")):
                builder.add_text(as_str(as_dict(part.get("text")).get("value")))
                builder.add_refusal(as_str(part.get("refusal")))
        elif event.type == "thread.run.step.delta":
            for call in as_dicts(as_dict(delta.get("step_details")).get("tool_calls")):
                _read_step_call(call, as_str(fields.get("id")), builder)
        elif fields.get("object") == "thread.run":
            builder.set_meta(
                model=as_str(fields.get("model")),
                usage=as_dict(fields.get("usage")),
                finish_reason=as_str(fields.get("status")),
            )
            builder.set_error(as_str(as_dict(fields.get("last_error")).get("message")))


def _read_step_call(call: Table, step: str, builder: MessageBuilder) -> None:
    type_ = as_str(call.get("type"))
    details = as_dict(call.get(type_))
    builder.add_call(
        (step, as_int(call.get("index"))),
        name=as_str(details.get("name")) or type_,
        arguments=as_str(details.get("arguments")) or as_str(details.get("input")),
    )


OPENAI_CHAT = _OpenAIChat()
OPENAI_RESPONSES = _Responses()
OPENAI_RUNS = _Runs()
