"""Read answers of OpenAI (chat completions, responses, assistant runs) and compatible servers.

Mistral's answers are chat completions too, with content that may be a list of parts. Some servers
(Hugging Face, Perplexity, Writer) never send ``[DONE]``: there a ``finish_reason`` is the end.

Source: https://platform.openai.com/docs/api-reference/chat-streaming, .../responses-streaming,
.../assistants-streaming
"""

from __future__ import annotations

from collections.abc import Iterator

from aquila_cassette.dialects.dialect import (
    EVENT_TYPE,
    Dialect,
    has_every_choice_finished,
    read_function,
)
from aquila_cassette.dialects.framing import ProviderEvent
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_int, as_str
from aquila_cassette.dialects.message import MessageBuilder


class _OpenAIChat(Dialect):
    """Chat completions, and the older completions."""

    name = "openai-chat"
    title = "OpenAI chat completions"
    expected = "data: [DONE]"
    events = ({"object": ("chat.completion", "text_completion")},)
    answers = ({"choices": list},)

    def is_complete_at_eof(self, events: Iterator[ProviderEvent]) -> bool:
        return has_every_choice_finished(events, choices="choices", reason="finish_reason")

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        # Groq gives its counts in a field of its own.
        usage = answer.get("usage") or as_dict(answer.get("x_groq")).get("usage")
        builder.set_meta(model=answer.get("model"), usage=usage)
        for choice in as_dicts(answer.get("choices")):
            if as_int(choice.get("index")) == 0:
                _read_choice(choice, builder)


def _read_choice(choice: Table, builder: MessageBuilder) -> None:
    builder.set_meta(finish_reason=choice.get("finish_reason"))
    # Perplexity and Writer send the whole message so far with each delta.
    message = choice.get("delta", choice.get("message"))
    if not isinstance(message, dict):
        builder.add_text(choice.get("text"))
        return
    # Servers name the reasoning one way or the other; a few send both, alike.
    thought = as_str(message.get("reasoning_content")) or as_str(message.get("reasoning"))
    if not thought:
        details = as_dicts(message.get("reasoning_details"))
        thought = "".join(as_str(row.get("text")) or as_str(row.get("summary")) for row in details)
    builder.add_reasoning(thought)
    builder.add_text(message.get("content"))
    for part in as_dicts(message.get("content")):
        if part.get("type") in ("thinking", "reasoning"):
            thoughts = part.get("thinking") or part.get("summary")
            builder.add_reasoning(thoughts)
            for row in as_dicts(thoughts):
                builder.add_reasoning(row.get("text"))
        else:
            builder.add_text(part.get("text"))
    builder.add_refusal(message.get("refusal"))
    for place, call in enumerate(as_dicts(message.get("tool_calls"))):
        read_function(call, as_int(call.get("index"), place), builder)
    if legacy := as_dict(message.get("function_call")):
        read_function({"function": legacy}, 0, builder)


class _Responses(Dialect):
    name = "openai-responses"
    title = "OpenAI responses"
    expected = "response.completed, response.incomplete or response.failed"
    events = ({"type": ("response.",)}, {EVENT_TYPE: ("response.",)})
    answers = ({"object": ("response",), "output": list},)
    # The last is no event of a stream in the reference, but a state, and some servers send it.
    ends = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")

    def read_event(self, event: ProviderEvent, builder: MessageBuilder) -> None:
        fields = event.fields
        delta = fields.get("delta")
        key = as_int(fields.get("output_index"))
        match fields.get("type"):
            case "response.output_text.delta":
                builder.add_text(delta)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                builder.add_reasoning(delta)
            case "response.refusal.delta":
                builder.add_refusal(delta)
            case (
                "response.function_call_arguments.delta"
                | "response.custom_tool_call_input.delta"
                | "response.mcp_call_arguments.delta"
            ):
                builder.add_call(key, arguments=as_str(delta))
            case "response.output_item.added" | "response.output_item.done":
                _read_item_call(as_dict(fields.get("item")), key, builder)
            case _ if "response" in fields:
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
        model=response.get("model"),
        usage=response.get("usage"),
        finish_reason=reason or response.get("status"),
    )
    builder.set_error(as_dict(response.get("error")).get("message"))


def _read_output(response: Table, builder: MessageBuilder) -> None:
    for key, item in enumerate(as_dicts(response.get("output"))):
        _read_item_call(item, key, builder)
        if item.get("type") == "reasoning":
            for thought in as_dicts(item.get("summary")) + as_dicts(item.get("content")):
                builder.add_reasoning(thought.get("text"))
        elif item.get("type") == "message":
            for part in as_dicts(item.get("content")):
                builder.add_text(part.get("text"))
                builder.add_refusal(part.get("refusal"))


def _read_item_call(item: Table, key: int, builder: MessageBuilder) -> None:
    if item.get("type") in ("function_call", "custom_tool_call", "mcp_call"):
        given = as_str(item.get("arguments")) or item.get("input")
        builder.set_call(key, id_=item.get("call_id"), name=item.get("name"), arguments=given)


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
                builder.add_text(as_dict(part.get("text")).get("value"))
                builder.add_refusal(part.get("refusal"))
        elif event.type == "thread.run.step.delta":
            for call in as_dicts(as_dict(delta.get("step_details")).get("tool_calls")):
                type_ = as_str(call.get("type"))
                details = as_dict(call.get(type_))
                builder.add_call(
                    (as_str(fields.get("id")), as_int(call.get("index"))),
                    name=as_str(details.get("name")) or type_,
                    arguments=as_str(details.get("arguments")) or details.get("input"),
                )
        elif fields.get("object") == "thread.run":
            _read_state({**fields, "error": fields.get("last_error")}, builder)


OPENAI_CHAT = _OpenAIChat()
OPENAI_RESPONSES = _Responses()
OPENAI_RUNS = _Runs()
