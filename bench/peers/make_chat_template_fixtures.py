"""Makes the fixtures of stock chat templates: every template that TRL ships, as transformers renders it.

    python make_chat_template_fixtures.py model/text/src/test/resources/io/tidemill/model/text

Writes stock-templates.json.gz: the templates (TRL's package, Apache-2.0, named in NOTICE), conversations with and
without system prompt, tools, tool calls and reasoning, the settings that a template reads, and for each the text, with
the spans that transformers marks as the assistant's, or that it refuses.
"""

import datetime
import gzip
import importlib.metadata
import json
import pathlib
import sys

import jinja2.meta
import tokenizers
import trl
from tokenizers import decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

NOW = datetime.datetime(2026, 3, 7, 9, 5, 2)
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Looks up the weather; <b>today's</b> & tomorrow's.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Name of the city, e.g. Zürich"},
                "unit": {"type": "string", "enum": ["celsius", "kelvin"], "default": "celsius"},
                "days": {"type": "integer", "description": "How many", "default": 1, "nullable": True},
                "where": {
                    "type": "object",
                    "properties": {"lat": {"type": "number"}, "on": {"type": "boolean"}},
                    "required": ["lat"],
                },
                "tags": {"type": "array", "items": {"type": "string"}, "description": "Tags"},
                "any": {"oneOf": [{"type": "string"}, {"type": "integer", "description": "id"}]},
            },
            "required": ["city"],
        },
        "return": {"type": "string"},
    },
}
CLOCK = {
    "type": "function",
    "function": {"name": "clock.now", "description": "The time.", "parameters": {"type": "object", "properties": {}}},
}


def user(content):
    return {"role": "user", "content": content}


def assistant(content, **more):
    return {"role": "assistant", "content": content, **more}


def system(content):
    return {"role": "system", "content": content}


def called(name, arguments, call_id="call00001"):
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def tool(content, **more):
    return {"role": "tool", "content": content, **more}


ARGUMENTS = {"city": "Zürich \"old\" <town>", "days": 2, "x": 1.5, "on": True, "none": None, "where": {"lat": 47.0, "l": [1, "b"]}}
ASKED = [user("How is the weather in Zürich?")]
CONVERSATIONS = {
    "one question": [user("Hello there, how do you do?")],
    "one answer": [user("Hi"), assistant("Hello! I'm fine.")],
    "system": [system("You are brief."), user("  What is 2 + 2?  "), assistant(" Four.\n"), user("Sure?")],
    "long": [user("One"), assistant("Two"), user("Three"), assistant("Four"), user("Five"), assistant("Six")],
    "system and long": [system("S\n"), user("One"), assistant("Two"), user("Three"), assistant("Four")],
    "unicode": [user("héllo 😀 你好 👩‍👧 e\u0301 \u00a0\u2028x"), assistant("naïve\t😀\n\n  ende  "), user("مرحبا")],
    "empty": [user(""), assistant("")],
    "empty system": [system(""), user("x"), assistant("y")],
    "templates inside": [
        user("{{ 7 * 7 }} {% for x in y %} {# gone? #} %} }}"),
        assistant("{{ bos_token }}<|im_end|></s><|eot_id|><end_of_turn>"),
    ],
    "html": [user("Say \"hi\" & <b>bye</b> it's \\n \\u00e9 /think /no_think"), assistant("<tool_call>{}</tool_call> </think> x")],
    "two questions": [user("One"), user("Two")],
    "begins with the assistant": [assistant("Hi"), user("Yes")],
    "developer": [{"role": "developer", "content": "Be good."}, user("x")],
    "strange role": [{"role": "critic", "content": "no"}, user("x")],
    "reasoning": [
        user("2+2?"),
        assistant("4", reasoning_content="Two and two.\nSo 4."),
        user("3+3?"),
        assistant("6", reasoning_content="\nThree and three\n"),
    ],
    "thinking": [user("2+2?"), assistant("4", thinking="Two and two."), user("3+3?"), assistant("6", thinking="So: six")],
    "thoughts in the content": [user("2+2?"), assistant("<think>\nhmm\n</think>\n\n4"), user("and?"), assistant("<think>a</think>b")],
    "parts": [
        {"role": "user", "content": [{"type": "text", "text": "What is "}, {"type": "image"}, {"type": "text", "text": "this? é"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "A cat."}]},
        {"role": "user", "content": [{"type": "video"}, {"type": "text", "text": "And?"}]},
    ],
    "parts with system": [
        {"role": "system", "content": [{"type": "text", "text": "Look well."}]},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
    ],
    "call": ASKED + [assistant("", tool_calls=[called("get_weather", ARGUMENTS)])],
    "call without content": ASKED
    + [
        {"role": "assistant", "tool_calls": [called("get_weather", {"city": "Bern"})]},
        tool("Sunny", name="get_weather", tool_call_id="call00001"),
        assistant("It is sunny."),
    ],
    "call with none": ASKED
    + [assistant(None, tool_calls=[called("get_weather", {})]), tool("{\"t\": 21.5}"), assistant("21.5 degrees")],
    "call with words": ASKED
    + [
        assistant("I look.", tool_calls=[called("get_weather", ARGUMENTS)], reasoning_content="I need the tool."),
        tool("Sunny & <warm>", name="get_weather", tool_call_id="call00001"),
        assistant("Sunny.", reasoning_content="Good."),
        user("Thanks"),
    ],
    "two calls": [system("Use tools."), *ASKED]
    + [
        assistant("", tool_calls=[called("get_weather", {"city": "A"}), called("clock.now", {}, "call00002")]),
        tool("rain", name="get_weather", tool_call_id="call00001"),
        tool("noon", name="clock.now", tool_call_id="call00002"),
        assistant("Rain at noon."),
    ],
    "arguments as text": ASKED
    + [
        assistant("", tool_calls=[called("get_weather", "{\"city\": \"Bern\"}")]),
        tool("Sunny", name="get_weather", tool_call_id="call00001"),
    ],
    "call thought over": ASKED
    + [
        assistant("", thinking="Need weather", tool_calls=[called("get_weather", {"city": "Bern"})]),
        tool("Sunny", name="get_weather", tool_call_id="call00001"),
    ],
}
CHOICES = {
    "enable_thinking": [True, False],
    "thinking": [True, False],
    "add_vision_id": [True],
    "truncate_history_thinking": [False],
    "preserve_thinking": [True],
    "reasoning_effort": ["high", "none"],
    "builtin_tools": [["browser", "python"]],
    "model_identity": ["You are Tide."],
    "date_string": ["1 May 2026"],
    "tools_in_user_message": [False],
    "custom_tools": [[WEATHER]],
    "knowledge_cutoff": ["2020"],
    "current_date": ["2026-01-01"],
    "reasoning_strength": ["low"],
    "low_effort": [True],
    "medium_effort": [True],
    "documents": [[{"title": "T", "text": "X"}]],
}
CHOSEN = ["one question", "system", "reasoning", "thinking", "call with words", "two calls", "parts"]


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


def render(template, messages, tools, prompt, options):
    try:
        texts, spans = chat_template_utils.render_jinja_template(
            conversations=[json.loads(json.dumps(messages))],
            tools=tools,
            chat_template=template,
            return_assistant_tokens_mask=True,
            add_generation_prompt=prompt,
            **TOKENS,
            **options,
        )
        return {"text": texts[0], "spans": spans[0]} if spans and spans[0] else {"text": texts[0]}
    except Exception as refusal:  # jinja2's own exceptions and Python's; which one does not matter here
        return {"refusal": f"{type(refusal).__name__}: {refusal}"[:80]}


def cases(name, source):
    environment = chat_template_utils._compile_jinja_template(source).environment
    reads = jinja2.meta.find_undeclared_variables(environment.parse(source))
    for title, messages in CONVERSATIONS.items():
        for tools in [[], ["WEATHER", "CLOCK"]] if "tools" in reads else [[]]:
            for prompt in (False, True):
                yield title, tools, prompt, {}
    for option in sorted(reads & set(CHOICES)):
        for value in CHOICES[option]:
            for title in CHOSEN:
                yield title, ["WEATHER"] if "tools" in reads and title in ("system", "two calls") else [], True, {option: value}


MASKED = {
    "long": CONVERSATIONS["long"],
    "reasoning": CONVERSATIONS["reasoning"],
    "unicode": [user("héllo 😀"), assistant("naïve 😀 你好"), user("ok?"), assistant("ende")],
    "call": CONVERSATIONS["call with words"][:-1],
}


def tokenizer(folder):
    """The vocabulary of bpe-600.json as transformers' tokenizer."""
    fixture = json.loads((folder / "bpe-600.json").read_text(encoding="utf-8"))
    vocabulary = {token: i for i, token in enumerate(fixture["tokens"])}
    model = models.BPE(vocab=vocabulary, merges=[tuple(merge) for merge in fixture["merges"]])
    plain = tokenizers.Tokenizer(model)
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    plain.decoder = decoders.ByteLevel()
    plain.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    return PreTrainedTokenizerFast(tokenizer_object=plain, bos_token="<|endoftext|>", eos_token="<|im_end|>")


def masks(folder, templates):
    """For the templates with marks: ids and the mask that transformers' own call gives."""
    encoder = tokenizer(folder)
    for name, source in templates.items():
        if "generation" not in source or "endgeneration" not in source:
            continue
        for title, messages in MASKED.items():
            try:
                encoded = encoder.apply_chat_template(
                    messages, chat_template=source, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
                )
            except Exception:  # not every template takes tool calls
                continue
            yield {
                "template": name,
                "conversation": title,
                "ids": encoded["input_ids"],
                "mask": encoded["assistant_masks"],
            }


def main(folder):
    chat_template_utils.datetime = FixedDate
    named = {"WEATHER": WEATHER, "CLOCK": CLOCK}
    paths = sorted((pathlib.Path(trl.__file__).parent / "chat_templates").glob("*.jinja"))
    templates = {path.name: path.read_text(encoding="utf-8") for path in paths}
    written = []
    for name, source in templates.items():
        for title, tools, prompt, options in cases(name, source):
            given = [named[tool] for tool in tools] or None
            case = {"template": name, "conversation": title, "tools": tools, "prompt": prompt, "options": options}
            written.append(case | render(source, CONVERSATIONS[title], given, prompt, options))
    fixture = {
        "madeBy": "bench/peers/make_chat_template_fixtures.py",
        "versions": {p: importlib.metadata.version(p) for p in ("trl", "transformers", "jinja2")},
        "now": NOW.isoformat(),
        "tokens": TOKENS,
        "tools": named,
        "templates": templates,
        "conversations": CONVERSATIONS,
        "cases": written,
        "maskedConversations": MASKED,
        "masks": list(masks(folder, templates)),
    }
    data = json.dumps(fixture, ensure_ascii=False).encode("utf-8", "surrogatepass")
    (folder / "stock-templates.json.gz").write_bytes(gzip.compress(data, 9, mtime=0))
    refused = sum("refusal" in case for case in written)
    marked = sum("spans" in case for case in written)
    print(f"{len(templates)} templates, {len(written)} cases, {refused} refused, {marked} with spans, {len(fixture['masks'])} masks, {len(data)} bytes")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
