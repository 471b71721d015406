"""Makes the chat template fixtures of model/text with transformers' own rendering.

    python make_chat_fixtures.py model/text/src/test/resources/io/tidemill/model/text

Writes chat-templates.json: templates in the manners of several families, written for this test, and how
apply_chat_template renders each conversation, or that it refuses.
"""

import json
import pathlib
import sys

from transformers.utils.chat_template_utils import render_jinja_template

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}

TEMPLATES = {
    "chatml": "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content']"
    " + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    "default system": """{%- if messages[0]['role'] == 'system' -%}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- set rest = messages[1:] -%}
{%- else -%}
    {{- '<|im_start|>system\\nYou help.<|im_end|>\\n' }}
    {%- set rest = messages -%}
{%- endif -%}
{%- for message in rest %}
    {%- if (message.role == "user") or (message.role == "assistant" and not loop.last) or not message.tool_calls %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
""",
    "brackets": """{{ bos_token }}{% for message in messages %}
{% if loop.first and message['role'] == 'system' %}
{% set ns = namespace(system=message['content']) %}
{% elif (message['role'] == 'user') != (loop.index0 % 2 == (1 if messages[0].role == 'system' else 0)) %}
{{ '[INST] ' + message['content'].strip() + ' [/INST]' }}
{% elif message['role'] == 'user' %}
{{ raise_exception('Roles must alternate') }}
{% else %}
{{ ' ' ~ message['content'] | trim ~ ' ' ~ eos_token }}
{% endif %}
{% endfor %}""",
    "headers": """{{- bos_token }}
{%- if not date is defined %}
    {%- set date = "26 Jul 2024" %}
{%- endif %}
{%- for message in messages %}
    {%- set content = '<|header|>' + message['role'] + '<|/header|>\\n\\n' + message['content'] | trim + '<|eot|>' %}
    {{- content }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|header|>assistant<|/header|>\\n\\n' }}
{%- endif %}""",
    "generation marks": """{% for message in messages %}
    {% if message.role == 'assistant' %}
<|assistant|>
{% generation %}{{ message.content }}{{ eos_token }}
{% endgeneration %}
    {% else %}
<|{{ message.role }}|>
{{ message.content }}{{ eos_token }}
    {% endif %}
{% endfor %}
{% if add_generation_prompt %}
<|assistant|>
{% endif %}
""",
    "namespace and json": """{# counts the turns #}
{%- set ns = namespace(turns=0, last='') -%}
{%- for message in messages if message.role != 'system' -%}
{%- set ns.turns = ns.turns + 1 -%}{%- set ns.last = message.content -%}
{{ loop.index }}/{{ loop.length }} {{ message | tojson }}
{% else %}
nobody spoke
{% endfor -%}
turns={{ ns.turns }} last={{ ns.last | length }} {{ [1, 2.5, 'x', none, true] }} {{ {'a': {'b': [1]}} | tojson }}
{%- for key, value in messages[-1].items() %} {{ key }}={{ value | upper }}{% endfor %}
{{ messages[-1].content.split(' ')[-1] if 'o' in messages[-1].content else "no o" }}
{{ 'tools' if tools is not none else 'no tools' }} {{ missing | default('absent') }} {{ missing }}|{{ none }}
{{ messages[::-1][0].role }} {{ range(3) | join(',') }} {{ 7 // 2 + 7 % 2 * 3 - 1 }} {{ not false and 1 < 2 <= 2 }}
""",
    "block set and plus": """{% set greeting %}
Dear {{ messages[0].role }},
{% endset %}
{{ greeting }}
   {%+ if true %} kept indent{% endif +%}

{%- if messages|length > 1 and messages[1]['content'] is string %}

two {{ "a" "b" }} {{ 'it\\'s' }} {{ "tab\\there" }}
{%- endif %}
   {{- messages[0].content[:3] }} {{ messages[0]['content'][-2:] }}
end
""",
}

CONVERSATIONS = {
    "one question": [{"role": "user", "content": "Hello there, how do you do?"}],
    "with a system": [
        {"role": "system", "content": "You are brief."},
        {"role": "user", "content": "  What is 2 + 2?  "},
        {"role": "assistant", "content": " Four.\n"},
        {"role": "user", "content": "Sure?"},
    ],
    "answered": [
        {"role": "user", "content": "Say \"hi\" & <b>bye</b> it's"},
        {"role": "assistant", "content": "hi \u00e9\U0001f600\nbye"},
    ],
    "templates inside": [
        {"role": "user", "content": "{{ 7 * 7 }} {% for x in y %} {# gone? #}"},
        {"role": "assistant", "content": "{{ bos_token }}<|im_end|>"},
    ],
    "two questions": [{"role": "user", "content": "One"}, {"role": "user", "content": "Two"}],
    "empty content": [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}],
}


def render(template, messages, prompt):
    try:
        rendered, _ = render_jinja_template(
            conversations=[messages], chat_template=template, add_generation_prompt=prompt, tools=None, **TOKENS
        )
        return {"text": rendered[0]}
    except Exception as refusal:  # jinja2's own exceptions; which one does not matter here
        return {"refusal": str(refusal)}


def main(folder):
    cases = [
        {"template": name, "conversation": title, "addGenerationPrompt": prompt, **render(template, messages, prompt)}
        for name, template in TEMPLATES.items()
        for title, messages in CONVERSATIONS.items()
        for prompt in (False, True)
    ]
    fixture = {
        "madeBy": "bench/peers/make_chat_fixtures.py",
        "tokens": TOKENS,
        "templates": TEMPLATES,
        "conversations": CONVERSATIONS,
        "cases": cases,
    }
    (folder / "chat-templates.json").write_text(json.dumps(fixture, indent=1) + "\n", encoding="utf-8")
    print(f"{len(cases)} cases, {sum('refusal' in case for case in cases)} refused")
    for refusal in sorted({case["refusal"] for case in cases if "refusal" in case}):
        print("  " + refusal)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
