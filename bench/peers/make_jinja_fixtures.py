"""Makes the differential fixtures of model/text's Jinja: small templates and what jinja2 makes of them.

    python make_jinja_fixtures.py model/text/src/test/resources/io/tidemill/model/text [SEED] [COUNT]

Writes jinja-snippets.json.gz: snippets written by hand, one for each feature and each edge known to us, and snippets
that a seeded program draws from a grammar, rendered in the environment of transformers (immutable sandbox, trim_blocks,
lstrip_blocks, loop controls, generation). What jinja2 refuses is kept as a refusal.
"""

import datetime
import gzip
import json
import pathlib
import random
import re
import sys

from transformers.utils import chat_template_utils

NOW = datetime.datetime(2026, 3, 7, 9, 5, 2)
CONTEXT = {
    "s": "Hello World",
    "u": "héllo 😀 ǆ straße",
    "e": "",
    "lines": "one\n  two\r\n\nthree\x0bfour\u2028five",
    "n": 7,
    "z": 0,
    "f": 2.5,
    "t": True,
    "no": None,
    "l": [3, 1, 2],
    "w": ["b", "A", "c", "a"],
    "m": [1, "a", None, True, 2.0, [1], {"k": 1}],
    "d": {"b": 2, "a": 1, "C": 3, "items": 5, "x": {"y": [10, 20]}},
    "people": [
        {"name": "Ada", "age": 36, "tags": ["x"]},
        {"name": "bob", "age": 20, "tags": []},
        {"name": "Cy", "age": 20},
    ],
    "tree": [{"v": 1, "c": [{"v": 2, "c": []}, {"v": 3, "c": [{"v": 4, "c": []}]}]}],
    "given": "from outside",
}

HAND = r"""
{{ 1 }} {{ 1.0 }} {{ 1e3 }} {{ 1e16 }} {{ 1e15 }} {{ 1e-5 }} {{ 0.0001 }} {{ 1_000 }} {{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 00 }}
{{ 0.1 + 0.2 }} {{ 1/3 }} {{ 7/2 }} {{ 6/2 }} {{ 7//2 }} {{ -7//2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 2**10 }} {{ 2**3**2 }} {{ -2**2 }}
{{ 7.5 // 2 }} {{ -7.5 // 2 }} {{ 7.5 % 2 }} {{ -7.5 % 2 }} {{ 7.0 // 2 }} {{ 1e300 * 1e10 }} {{ -1e300 * 1e10 }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1 % 0 }}
{{ 123456789012 * 123456789012 }}
{{ 9223372036854775807 + 1 }}
{{ true + true }} {{ true * 3 }} {{ -true }} {{ +true }} {{ true == 1 }} {{ 1 == 1.0 }} {{ true and 2 }} {{ 0 or 'x' }} {{ not 0 }}
{{ True }} {{ False }} {{ None }} {{ none }} {{ true }} {{ [true, none, 1.0, 'a'] }}
{{ 'a' 'b' "c" }} {{ 'it\'s' }} {{ "tab\there" }} {{ '\x41\u00e9\U0001F600\101\\n' }} {{ '\q' }} {{ 'a\
b' }}
{{ ['it\'s', "say \"x\"", 'both \' and "', '\n\t\r\\', '\x00\x7f\x85\xa0\xad\u200b\u2028é😀\ue000'] }}
{{ (1,) }} {{ (1, 2) }} {{ () }} {{ 1, 2 }} {{ [] }} {{ {} }} {{ {'a': (1,), 'b': [none]} }}
{{ [1, 2] == [1, 2] }} {{ (1, 2) == [1, 2] }} {{ {'a': 1, 'b': 2} == {'b': 2, 'a': 1.0} }} {{ [1] < [2] }} {{ 'a' < 'b' }} {{ (1, 2) < (1, 3) }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1 == 1 }} {{ 1 in [1] in [[1]] }} {{ 3 > 2 >= 2 != 5 }}
{{ 1 < 'a' }}
{{ none < 1 }}
{{ [1] + [2] }} {{ (1,) + (2,) }} {{ 'a' * 3 }} {{ [0] * 2 }} {{ 2 * 'ab' }} {{ 'a' * -1 }} {{ 'a' * 0 }}
{{ [1] + (2,) }}
{{ 'a' + 1 }}
{{ 1 + 'a' }}
{{ 'a' ~ 1 ~ none ~ true ~ 1.5 ~ [1] ~ missing }}
{{ missing }}|{{ missing.x is defined }}
{{ d.missing }}|{{ d.missing is defined }}|{{ d['missing'] is defined }}
{{ d.missing.deeper }}
{{ missing + 1 }}
{{ 1 + missing }}
{{ 'a' + missing }}
{{ missing[0] }}
{{ missing() }}
{{ missing == missing }} {{ missing == none }} {{ missing != 1 }} {{ missing in [missing] }} {{ 'a' in missing }} {{ missing|length }} {{ missing|list }}
{{ missing < 1 }}
{{ missing in 'abc' }}
{{ -missing }}
{{ missing is iterable }} {{ missing is sequence }} {{ missing is callable }} {{ missing is mapping }} {{ missing is none }} {{ missing is string }}
{% for x in missing %}x{% else %}none{% endfor %}
{{ none.x is defined }} {{ none['x'] is defined }} {{ (5).x is defined }}
{{ none.x.y }}
{{ none[1:] }}
{{ 5[1:] }}
{{ missing[1:] }}
{{ s[0] }} {{ s[-1] }} {{ s[99] is defined }} {{ s[1:3] }} {{ s[:-2] }} {{ s[::-1] }} {{ s[::2] }} {{ s[5:1:-1] }} {{ s[-3:] }} {{ u[6] }} {{ u[::-1] }} {{ u[6:8] }}
{{ l[0] }} {{ l[-1] }} {{ l[1:] }} {{ l[::-1] }} {{ l[5:] }} {{ l[:0] }} {{ (1,2,3)[1:] }} {{ l[true] }} {{ l['0'] is defined }} {{ l[1.0] is defined }} {{ l.0 }} {{ m.5.0 }}
{{ l[::0] }}
{{ l['a':] }}
{{ l[:1.5] }}
{{ d.a }} {{ d['a'] }} {{ d.x.y[1] }} {{ d['x']['y'].0 }} {{ d.get('a') }} {{ d.get('q') }} {{ d.get('q', 5) }} {{ d[1] is defined }} {{ d[[1]] is defined }} {{ {1: 'x'}[true] }} {{ {1: 'x'}[1.0] }}
{{ d.get([1]) }}
{{ [1] in d }}
{{ d.items is defined }} {{ d['items'] }} {{ d.items() | list }} {{ d.keys() | list }} {{ d.values() | list }}
{{ d.items() }} {{ d.keys() }} {{ d.values() }} {{ d.items()|length }} {{ d.keys() is sequence }} {{ d.keys() is iterable }} {{ 'a' in d.keys() }} {{ 'a' in d }} {{ d.items()[0] is defined }}
{{ d.items }}
{{ {}.items|string }}
{{ 'yes' if d.copy else 'no' }} {{ 'yes' if d.update else 'no' }} {{ 'yes' if {}['keys'] else 'no' }} {{ {}['keys']['x'] is defined }} {{ l.append is defined }} {{ l.index(1) }} {{ l.count(1) }}
{{ d.update({'a': 2}) }}
{{ l.append(1) }}
{% set x = l.append(1) %}
{{ l.pop() }}
{{ d.pop('a') }}
{{ d.setdefault('a', 1) }}
{{ l.sort() }}
{{ ''.__class__ }}|{{ ''.__class__ is defined }}
{{ ''.__class__.__mro__ }}
{{ d.__len__ }}|{{ d._private is defined }}|{{ {'_p': 1}._p }}|{{ {'_p': 1}['_p'] }}
{{ range.__init__ }}
{{ range(3) }} {{ range(1, 4)|list }} {{ range(5, 0, -2)|list }} {{ range(0)|list }} {{ range(3)|length }} {{ 2 in range(3) }} {{ range(3)[1] }} {{ range(0, 10, 3) }}
{{ range(200000) }}
{{ range(1, 2, 0) }}
{{ range(1.5) }}
{{ range(stop=3) }}
{{ 'x' if false }}|{{ ('x' if false) is defined }}|{{ 1 if true else 2 }}|{{ 1 if 0 else 2 if 0 else 3 }}
{{ ('x' if false).y }}
{{ 'a' if t and n > 3 else 'b' }} {{ not t or n }} {{ not t is defined }} {{ not missing is defined }} {{ t is not none and n is number }}
{{ 'a' in 'abc' }} {{ 'a' not in 'abc' }} {{ not 'a' in 'abc' }} {{ 1 in [1, 2] }} {{ 1 in (1,) }} {{ true in [1] }} {{ '' in 'a' }}
{{ 1 in 'abc' }}
{{ 1 in 5 }}
{{ 1 in none }}
{{ s.startswith('He') }} {{ s.endswith(('x', 'ld')) }} {{ s.startswith(('x', 'y')) }} {{ s.upper() }} {{ s.lower() }} {{ s.find('o') }} {{ s.rfind('o') }} {{ s.find('z') }} {{ s.count('l') }} {{ u.find('s') }}
{{ s.startswith(5) }}
{{ s.startswith(['x']) }}
{{ s.index('z') }}
{{ '  a b  '.strip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'xyaxy'.lstrip('xy') }}|{{ 'xyaxy'.rstrip('yx') }}|{{ '\u00a0a\u2003'.strip() }}|{{ 'a'.strip(none) }}
{{ 'a,b,,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ ' a  b '.split() }} {{ ' a  b c '.split(none, 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a  b c '.rsplit(none, 1) }} {{ 'abc'.split('x') }} {{ ''.split() }} {{ ''.split(',') }} {{ 'a b'.split(maxsplit=1) }} {{ 'aXbXc'.split('X', maxsplit=0) }} {{ ' a b '.split(none, 0) }} {{ ' a b '.rsplit(none, 0) }}
{{ 'a'.split('') }}
{{ s.split(1) }}
{{ s.replace('o', '0') }} {{ s.replace('o', '0', 1) }} {{ 'ab'.replace('', '-') }} {{ 'ab'.replace('', '-', 2) }} {{ 'aaa'.replace('aa', 'b') }} {{ 'aaa'.replace('a', 'b', 0) }}
{{ s.replace('o') }}
{{ s.replace(1, 'a') }}
{{ 'hello wORLD it\'s'.title() }} {{ 'hello wORLD'.capitalize() }} {{ u.title() }} {{ u.upper() }} {{ u.capitalize() }} {{ 'ß'.capitalize() }} {{ 'ǆ'.title() }} {{ 'ΑΣ'.lower() }} {{ 'ﬁx'.title() }}
{{ 'hello wORLD it\'s (a) a-b [c] {d} <e> _f'|title }} {{ 'hELLO'|capitalize }} {{ u|title }}
{{ 'abc'.isalpha() }} {{ 'ab1'.isalnum() }} {{ '12'.isdigit() }} {{ ''.isdigit() }} {{ ' \t'.isspace() }} {{ 'AB'.isupper() }} {{ 'Ab'.islower() }} {{ 'a1'.islower() }} {{ '1'.islower() }}
{{ 'abc'.removeprefix('a') }} {{ 'abc'.removesuffix('c') }} {{ 'abc'.removesuffix('') }} {{ 'a-b-c'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'abc'.partition('-') }} {{ 'abc'.rpartition('-') }}
{{ ','.join(['a', 'b']) }} {{ ''.join('abc') }} {{ '-'.join(w) }}
{{ ','.join([1]) }}
{{ '7'.zfill(3) }} {{ '-7'.zfill(4) }} {{ 'a'.ljust(3) }}| {{ 'a'.rjust(3, '*') }} {{ 'ab'.center(5, '.') }} {{ 'abc'.center(6, '.') }} {{ 'a'.center(4, '.') }} {{ 'ab'.center(7) }}|
{{ 'a\nb\r\nc'.splitlines() }} {{ lines.splitlines() }} {{ 'a\nb'.splitlines(true) }} {{ 'a\n'.splitlines() }} {{ ''.splitlines() }}
{{ 'a{}b{}'.format(1, 'x') }} {{ '{0}{1}{0}'.format('a', 'b') }} {{ '{x}'.format(x=5) }} {{ '{{}}'.format() }} {{ '{:>5}|{:<5}|{:^5}|{:05d}|{:.2f}'.format('a', 'b', 'c', 42, 3.14159) }} {{ '{!r}'.format('a') }} {{ '{}'.format(none) }} {{ '{}'.format(1.0) }}
{{ '{}'.format() }}
{{ '{x.__class__}'.format(x=1) }}
{{ '{'.format() }}
{{ '%s-%d-%r-%.2f-%5s|%-5s|%05d|%+d|%%' % ('a', 3, 'b', 2.345, 'x', 'y', 42, 7) }} {{ '%s' % 5 }} {{ '%s' % [1] }} {{ '%s' % 'a' }} {{ '%(a)s' % d }} {{ '%d' % 3.9 }} {{ '%x' % 255 }} {{ '%.3s' % 'abcdef' }} {{ '%s %s'|format('a', 'b') }} {{ '%(x)s'|format(x=1) }} {{ '%f' % 1 }}
{{ '%s' % () }}
{{ '%s %s' % 'a' }}
{{ '%s' % (1, 2) }}
{{ '%d' % 'a' }}
{{ 'a' % 1 }}
{{ 'a' % d }}
{{ s.encode('utf-8') }}
{{ s.casefold() }}
{{ s.nothing is defined }}
{{ s.nothing() }}
{{ '  x '|trim }}|{{ 'xxaxx'|trim('x') }}|{{ 5|trim }}|{{ missing|trim }}|{{ none|trim }}
{{ s|upper }} {{ s|lower }} {{ 5|upper }} {{ none|lower }} {{ s|length }} {{ u|length }} {{ d|length }} {{ l|count }} {{ s|capitalize }} {{ u|upper }}
{{ 5|length }}
{{ none|length }}
{{ l|join }} {{ l|join(', ') }} {{ people|join('-', attribute='name') }} {{ 'abc'|join('.') }} {{ d|join(',') }} {{ m|join('|') }} {{ [missing, 1]|join('-') }} {{ l|join(1) }}
{{ 5|join }}
{{ missing|default('x') }} {{ e|default('x') }}| {{ e|default('x', true) }} {{ none|default('x') }} {{ none|d('x', boolean=true) }} {{ missing|default }}| {{ d.q|default(d.a) }} {{ missing.x|default('y') }}
{{ l|first }} {{ l|last }} {{ 'abc'|first }} {{ 'abc'|last }} {{ d|first }} {{ d|last }} {{ []|first is defined }} {{ []|last is defined }} {{ d.items()|first }} {{ range(3)|last }} {{ missing|first }}|{{ missing|last }}|
{{ 5|first }}
{{ (l|map('string'))|last }}
{{ l|sort }} {{ w|sort }} {{ w|sort(case_sensitive=true) }} {{ l|sort(reverse=true) }} {{ people|sort(attribute='age')|map(attribute='name')|list }} {{ people|sort(attribute='age,name')|map(attribute='name')|join }} {{ 'bca'|sort }} {{ d|sort }} {{ [none, none]|sort }} {{ [true, 0, 2.5]|sort }} {{ ['é', 'z', '😀', '\uffff']|sort }}
{{ m|sort }}
{{ [1, 'a']|sort }}
{{ [1, none]|sort }}
{{ d|dictsort }} {{ {'b': 1, 'A': 2, 'a': 0}|dictsort }} {{ {'b': 1, 'A': 2, 'a': 0}|dictsort(true) }} {{ {'b': 1, 'A': 2}|dictsort(by='value') }} {{ {'b': 1, 'A': 2}|dictsort(reverse=true) }}
{{ l|dictsort }}
{{ {'a': 1, 'b': 'x'}|dictsort(by='value') }}
{{ l|sum }} {{ [1.5, 2]|sum }} {{ people|sum(attribute='age') }} {{ l|sum(start=10) }} {{ []|sum }} {{ [[1], [2]]|sum(start=[]) }} {{ [true, true]|sum }}
{{ ['a']|sum }}
{{ ['a']|sum(start='') }}
{{ l|min }} {{ l|max }} {{ w|min }} {{ w|max }} {{ w|max(case_sensitive=true) }} {{ []|min is defined }} {{ people|max(attribute='age') }} {{ 'hello'|max }} {{ [1, true]|max }} {{ [true, 1]|max }}
{{ [1, 'a']|max }}
{{ (-5)|abs }} {{ -5|abs }} {{ 2.5|abs }} {{ true|abs }} {{ -0.0|abs }}
{{ 'a'|abs }}
{{ '42'|int }} {{ '42.9'|int }} {{ 'x'|int }} {{ 'x'|int(7) }} {{ 2.9|int }} {{ -2.9|int }} {{ true|int }} {{ none|int }} {{ ' 12 '|int }} {{ '1_000'|int }} {{ '1e3'|int }} {{ 'inf'|int }} {{ 'nan'|int(3) }} {{ [1]|int }} {{ ''|int }} {{ '-5'|int }} {{ '0x10'|int }}
{{ missing|int }}
{{ '3'|int(base=16) }}
{{ '1.5'|float }} {{ 'x'|float }} {{ 2|float }} {{ 'x'|float(1) }} {{ 'inf'|float }} {{ '-inf'|float }} {{ 'nan'|float }} {{ '1e5'|float }} {{ '.5'|float }} {{ '5.'|float }} {{ '1d'|float }} {{ none|float }} {{ '0x1p3'|float }}
{{ missing|float }}
{{ 2.5|round }} {{ 3.5|round }} {{ 2.345|round(2) }} {{ 2.675|round(2) }} {{ 7|round }} {{ 15|round(-1) }} {{ 25|round(-1) }} {{ 2.1|round(0, 'ceil') }} {{ 2.9|round(method='floor') }} {{ -2.5|round }} {{ 1234.5|round(-2) }} {{ 2.123|round(1, 'ceil') }} {{ 7|round(0, 'floor') }} {{ true|round }} {{ 0.4|round }} {{ -0.4|round }}
{{ 'a'|round }}
{{ 2|round(0, 'up') }}
{{ 5|string }} {{ [1]|string }} {{ none|string|length }} {{ s|list }} {{ d|list }} {{ (1,2)|list }} {{ missing|string }}|
{{ 5|list }}
{{ s|reverse }} {{ l|reverse|list }} {{ u|reverse }} {{ d|reverse|list }} {{ (l|map('string'))|reverse }} {{ range(3)|reverse|list }}
{{ l|reverse }}
{{ 5|reverse }}
{{ w|unique|list }} {{ [1, 1.0, true, 2]|unique|list }} {{ w|unique(true)|list }} {{ people|unique(attribute='age')|map(attribute='name')|list }} {{ [none, none]|unique|list }} {{ [(1,), (1.0,)]|unique|list }} {{ [missing, missing]|unique|list|length }} {{ ['a', 'A']|unique|join }}
{{ [[1]]|unique|list }}
{{ l|map('string')|list }} {{ w|map('upper')|join }} {{ people|map(attribute='name')|list }} {{ people|map(attribute='tags.0')|list }} {{ people|map(attribute='tags', default=['q'])|list }} {{ l|map('float')|list }} {{ w|map('replace', 'a', 'z')|list }} {{ []|map('nothing')|list }} {{ [' a ']|map('trim')|list }} {{ ['a']|map('default', 'x')|list }} {{ people|map('items')|map('list')|list|length }}
{{ l|map }}
{{ l|map('nothing')|list }}
{{ l|map('string') }}
{{ l|map('string')|length }}
{% set g = l|map('string') %}{{ g|list }}{{ g|list }}
{% set g = l|map('string') %}{{ g[0] is defined }} {{ '3' in g }} {{ g|list }} {{ g is iterable }} {{ g is sequence }} {{ 'x' if g }}
{{ l|select('odd')|list }} {{ l|reject('odd')|list }} {{ m|select|list }} {{ m|reject|list }} {{ l|select('gt', 1)|list }} {{ l|select('in', [1, 3])|list }} {{ w|select('equalto', 'a')|list }} {{ m|select('string')|list }} {{ l|select('divisibleby', 2)|list }}
{{ people|selectattr('tags')|map(attribute='name')|list }} {{ people|selectattr('age', 'eq', 20)|map(attribute='name')|list }} {{ people|rejectattr('age', '>', 30)|map(attribute='name')|list }} {{ people|selectattr('tags', 'defined')|list|length }} {{ people|rejectattr('tags', 'undefined')|list|length }} {{ people|selectattr('tags.0', 'defined')|map(attribute='name')|join }}
{{ people|selectattr }}
{{ people|selectattr('age', 'nothing')|list }}
{{ people|selectattr('tags', 'gt', 1)|list }}
{{ l|batch(2)|list }} {{ l|batch(2, 'x')|list }} {{ range(7)|slice(3)|list }} {{ range(7)|slice(3, 0)|list }} {{ []|batch(2)|list }} {{ l|slice(5)|list }}
{{ d|items|list }} {{ missing|items|list }} {{ {}|items|list }}
{{ l|items|list }}
{{ 'a\nb\n\nc'|indent }}|{{ 'a\nb'|indent(2) }}|{{ 'a\nb'|indent('--') }}|{{ 'a\nb'|indent(2, true) }}|{{ 'a\n\nb'|indent(2, blank=true) }}|{{ 'a\n'|indent }}|{{ ''|indent(2, true) }}|{{ lines|indent(1) }}
{{ 5|indent }}
{{ 'a'|center(5) }}|{{ 'ab'|center(5) }}|{{ 'abcdefghij klm'|truncate(9) }}|{{ 'abcdefghij klm'|truncate(9, true) }}|{{ 'abc def ghi jkl'|truncate(10, false, '!', 0) }}|{{ 'abc'|truncate(2) }}
{{ 'a b/ü?'|urlencode }} {{ s|replace('o', '0') }} {{ s|replace('o', '0', 1) }} {{ 5|replace(5, 6) }} {{ 'a1'|replace(1, none) }}
{{ '<a href="x">&\'</a>'|e }} {{ '<b>'|escape }} {{ '<b>'|safe }} {{ ('<b>'|safe) ~ '<i>' }} {{ ('<b>'|safe) + '<i>' }} {{ '<i>' + ('<b>'|safe) }} {{ ('<b>'|e)|e }} {{ ('<b>'|e)|forceescape }} {{ 5|e }} {{ ('<b>'|safe)|string }} {{ ('<b>'|safe) is string }} {{ ('<b>'|safe) is escaped }} {{ ('a'|safe) == 'a' }} {{ [('a'|safe)] }} {{ ('a'|safe) in ['a'] }} {{ ('abc'|safe)|length }} {{ {'a': 1}[('a'|safe)] }} {{ ('a'|safe)|tojson }} {{ 'a' in ('abc'|safe) }}
{{ (l|tojson|safe) + (d|tojson) }}
{{ ('<b>'|safe) * 2 }}
{{ ('a'|safe).upper() }} {{ ('a<'|safe).replace('a', '<') }}
{{ ('%s'|safe) % '<' }}
{{ ('a'|safe)|upper }} {{ ('<a>'|safe)|trim }} {{ ('<a>'|safe)|replace('a', '<') }}
{{ ('abc'|safe)[0] }} {{ ('abc'|safe)[1:] }}
{{ d|tojson }} {{ m|tojson }} {{ u|tojson }} {{ "<a href='x'>&\"\\/\x00\x1b\x7f\u2028\t\n\r\x08\x0c"|tojson }} {{ (1, 2)|tojson }} {{ 1.0|tojson }} {{ 1e100|tojson }} {{ none|tojson }} {{ true|tojson }} {{ {1: 2, none: 3}|tojson }} {{ 'inf'|float|tojson }} {{ 'nan'|float|tojson }}
{{ d|tojson(indent=2) }} {{ m|tojson(indent=4) }} {{ []|tojson(indent=2) }} {{ {}|tojson(indent=2) }} {{ {'a': [], 'b': {}}|tojson(indent=1) }} {{ [1]|tojson(indent=0) }} {{ [1]|tojson(indent='--') }} {{ [1, [2]]|tojson(indent=true) }} {{ [1]|tojson(indent=-3) }}
{{ u|tojson(ensure_ascii=true) }} {{ '\x7f'|tojson(true) }} {{ d|tojson(sort_keys=true) }} {{ l|tojson(separators=(',', ':')) }} {{ d|tojson(separators=[';', '=']) }} {{ d|tojson(indent=2, separators=(', ', ' : ')) }}
{{ missing|tojson }}
{{ [missing]|tojson }}
{{ d.items()|tojson }}
{{ range(3)|tojson }}
{{ {(1, 2): 3}|tojson }}
{{ namespace(a=1)|tojson }}
{{ l|tojson(foo=1) }}
{{ {'b': 1, 2: 3}|tojson(sort_keys=true) }}
{{ 1 is odd }} {{ 2 is even }} {{ 4 is divisibleby 2 }} {{ 4 is divisibleby(3) }} {{ none is none }} {{ 1 is number }} {{ true is number }} {{ 1.5 is float }} {{ 1 is integer }} {{ true is integer }} {{ true is boolean }} {{ 1 is boolean }} {{ true is true }} {{ 1 is true }} {{ false is false }} {{ 'a' is string }} {{ d is mapping }} {{ l is sequence }} {{ d is sequence }} {{ s is iterable }} {{ 5 is iterable }} {{ l is iterable }} {{ (1,) is sequence }} {{ range is callable }} {{ 'ab' is lower }} {{ 'AB' is upper }} {{ 5 is lower }} {{ 1 is sameas 1 }} {{ none is sameas none }} {{ true is sameas true }} {{ 1 is eq 1 }} {{ 1 is == 1 }}
{{ 1 is equalto 1.0 }} {{ 1 is ne 2 }} {{ 2 is gt 1 }} {{ 2 is greaterthan 3 }} {{ 1 is lt 2 }} {{ 1 is lessthan(0) }} {{ 1 is ge 1 }} {{ 1 is le 0 }} {{ 1 is in [1] }} {{ 'a' is in 'abc' }} {{ 1 is not in [1] }} {{ 'upper' is filter }} {{ 'nope' is filter }} {{ 'odd' is test }} {{ 'pprint' is filter }}
{{ 'a' is odd }}
{{ none is odd }}
{{ 1 is nothing }}
{{ 1 is odd is even }}
{{ 1 is divisibleby }}
{{ 1 is defined and 2 is defined }} {{ (1 is defined) }} {{ x is not defined or y }} {{ 5 is not none }} {{ not 5 is none }} {{ 1 is defined == true }}
{{ s|nothing }}
{% if false %}{{ s|nothing }}{% endif %}ok
{{ s|upper|lower|title }} {{ s | replace("World", "x") | length + 1 }} {{ -5|abs + 1 }} {{ 'a'|upper ~ 'b'|upper }} {{ 1 + 2|string|length }} {{ [1,2]|first|string + 'x' }}
{{ (s|upper)[0] }} {{ s.upper()[0:2]|lower }} {{ {'f': 'g'}.f }} {{ [[1, 2], [3]][0][1] }} {{ ({'a': [1, {'b': 'c'}]}).a[1].b }}
{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }}{{ loop.previtem }}{{ loop.nextitem }} {% endfor %}
{% for x in l %}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }}{{ loop.previtem is defined }}{{ loop.nextitem|default('end') }}{% endfor %}
{% for x in l %}{{ loop.cycle() }}{% endfor %}
{% for x in l if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }}{{ loop.last }} {% else %}no{% endfor %}
{% for x in l if x > 9 %}x{% else %}no{% endfor %} {% for x in [] %}x{% else %}no{% endfor %} {% for x in '' %}{% else %}e{% endfor %}
{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %} {% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% else %}E{% endfor %}
{% for x in l %}{% break %}{% else %}E{% endfor %}|{% for x in l %}{% continue %}{% else %}E{% endfor %}|{% for x in l %}{% if loop.last %}{% break %}{% endif %}{% else %}E{% endfor %}
{% for a in [1, 2] %}{% for b in [1, 2] %}{% if b == 2 %}{% break %}{% endif %}{{ a }}{{ b }}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}
{% break %}
{% for x in l %}{% macro f() %}{% break %}{% endmacro %}{% endfor %}
{% for x in l %}{% else %}{% break %}{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for k, v in d|dictsort %}{{ k }}{% endfor %}{% for c in 'héy😀' %}[{{ c }}]{% endfor %}
{% for a, b in [[1, 2], (3, 4), 'xy'] %}{{ a }}{{ b }}{% endfor %}{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}{% for a, in [[1]] %}{{ a }}{% endfor %}
{% for a, b in [[1, 2, 3]] %}{% endfor %}
{% for a, b in [1] %}{% endfor %}
{% for x in 5 %}{% endfor %}
{% for x in none %}{% endfor %}
{% for loop in l %}{% endfor %}
{% for x in 1, 2 %}{{ x }}{% endfor %}{% for x in l if x %}{{ x }}{% endfor %}{% for x in (l if t else w) %}{{ x }}{% endfor %}
{% for x in l %}{% set y = x %}{% endfor %}{{ y is defined }} {% set q = 0 %}{% for x in l %}{% set q = q + x %}{{ q }}{% endfor %}{{ q }}
{% set ns = namespace(a=0, l=[]) %}{% for x in l %}{% set ns.a = ns.a + x %}{% set ns.l = ns.l + [x] %}{% endfor %}{{ ns.a }} {{ ns.l }} {{ ns.b is defined }} {{ ns['a'] }}
{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}{% set ns.c = 3 %}{{ ns.c }}{% set ns.a, ns.b = 5, 6 %}{{ ns.a }}{{ ns.b }}
{% set x = {} %}{% set x.a = 1 %}
{% set missing.a = 1 %}
{{ namespace(a=1) }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set a = 1, 2 %}{{ a }}{% set (a, b) = [3, 4] %}{{ a }}{{ b }}{% set a = b if b else 0 %}{{ a }}
{% set a, b = [1] %}
{% set x %}a{{ n }}b{% endset %}[{{ x }}] {% set x | upper %}abc{% endset %}{{ x }} {% set x | replace('a', 'b') | trim %}  aa {% endset %}[{{ x }}]
{% set y = 1 %}{% set x %}{% set y = 2 %}{{ y }}{% endset %}{{ x }}{{ y }}
{% if t %}{% set i = 1 %}{% endif %}{{ i }} {% if no %}{% set j = 1 %}{% endif %}{{ j is defined }} {% if no %}{% set given = 1 %}{% endif %}{{ given }}
{{ given }}{% set given = 'inside' %}{{ given }}
{% for x in [1] %}{{ given }}{% endfor %}{% set given = 'inside' %}{{ given }}
{% macro f() %}{{ given }}{% endmacro %}{{ f() }}{% set given = 'inside' %}{{ f() }}
{% for x in [1, 2] %}{{ given }}{% set given = x %}{{ given }}{% endfor %}{{ given }}
{% for x in [1, 2] %}{% if x == 2 %}{{ given }}{% endif %}{% set given = x %}{% endfor %}{{ given }}
{% for x in [1, 2] %}{% if x == 2 %}{% set given = 'two' %}{% endif %}{{ given }}{% endfor %}{{ given }}
{% set a = 1 %}{% for x in [1, 2] %}{{ a }}{% set a = a + x %}{{ a }}{% endfor %}{{ a }}
{% if not given is defined %}{% set given = 'd' %}{% endif %}{{ given }} {% if not absent is defined %}{% set absent = 'd' %}{% endif %}{{ absent }}
{% set l = l[1:] %}{{ l }}{% set n = n + 1 %}{{ n }}
{% macro f(a, b=2, c=a) %}{{ a }}-{{ b }}-{{ c }};{% endmacro %}{{ f(1) }}{{ f(1, 3) }}{{ f(a=1, c=9) }}{{ f() }}{{ f(b=1) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(b=2) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, a=2) }}
{% macro f(a, b=1, c) %}{% endmacro %}
{% macro f(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, 3, x=4) }}
{% macro f() %}[{{ caller() }}]{% endmacro %}{% call f() %}inner{{ n }}{% endcall %}{% macro g() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) g() %}{{ a }}{{ b }}{% endcall %}
{% macro f() %}{{ caller is defined }}{{ caller() }}{% endmacro %}{{ f() }}
{% macro f() %}x{% endmacro %}{% call f() %}y{% endcall %}
{% macro f() %}{% set a = 5 %}{{ a }}{% endmacro %}{{ f() }}{{ a is defined }}{% macro g() %}{{ f() }}{{ f() | length }}{% endmacro %}{{ g() }}
{% macro fact(n) %}{{ n * (fact(n - 1)|int) if n > 1 else 1 }}{% endmacro %}{{ fact(5) }}
{% macro deep(n) %}{% if n > 0 %}{{ deep(n - 1) }}{% else %}end{% endif %}{% endmacro %}{{ deep(50) }}
{% macro f() %}{{ x }}{% endmacro %}{% for x in l %}{{ f() }}{% endfor %}|{% set x = 1 %}{{ f() }}
{% for x in l %}{% macro f() %}{{ x }}{{ loop.index }}{% endmacro %}{{ f() }}{% endfor %}
{% macro f(n) %}{{ n }}{% endmacro %}{{ n }}{{ f(3) }}{{ n }}{{ f(n=n) }}{{ f(*[1]) }}{{ f(**{'n': 4}) }}
{{ f(1) }}{% macro f(n) %}{{ n }}{% endmacro %}
{% macro f() %}x{% endmacro %}{{ f }}
{% macro f() %}x{% endmacro %}{{ f is callable }}{{ f is defined }}{{ f() is string }}{{ f()|upper }}{{ 'a' + f() }}
{% macro f(x) %}{{ x }}{% endmacro %}{{ f.name }}
{% for x in tree recursive %}{{ x.v }}{{ loop.depth }}{% if x.c %}({{ loop(x.c) }}){% endif %}{% endfor %}
{% for x in tree recursive %}{{ x.v }}{{ loop.index }}{{ loop(x.c) }}{% else %}.{% endfor %}
{% for x in l %}{{ loop(l) }}{% endfor %}
{% for x in tree recursive %}{{ loop() }}{% endfor %}
{{ loop is defined }}{% for x in l %}{% for y in w %}{{ loop.length }}{% endfor %}{{ loop.length }}{% endfor %}
{% for x in l %}{% for y in range(loop.index) %}{{ y }}{% endfor %}{% endfor %}
{% for x in l %}{% set outer = loop %}{% for y in w %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}
{% for x in l %}{{ loop }}{% endfor %}
{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}{% with %}{% set z = 5 %}{{ z }}{% endwith %}{{ z }}{% with n = 1, m = n %}{{ m }}{% endwith %}
{% filter upper %}abc{{ s }}{% endfilter %}{% filter replace('a', 'b')|upper %}aaa{% endfilter %}
{% print 1, 2 %}{% print s %}
{% raw %}{{ x }}{% y %}{% endraw %}|{%- raw -%}  {{ a }}  {%- endraw -%}  |
{% generation %}a{{ n }}{% set q = 1 %}{% endgeneration %}{{ q is defined }}
{% for x in l %}{% generation %}{{ x }}{{ loop.index }}{% endgeneration %}{% endfor %}
{% if 1 %}a{% elif 2 %}b{% else %}c{% endif %}{% if 0 %}a{% elif 2 %}b{% else %}c{% endif %}{% if 0 %}a{% elif '' %}b{% else %}c{% endif %}{% if [] %}a{% endif %}{% if {} %}a{% endif %}{% if 0.0 %}a{% endif %}{% if '0' %}y{% endif %}{% if [0] %}y{% endif %}{% if none %}a{% endif %}
{% if true: %}x{% endif %}{% for x in l: %}{{ x }}{% endfor %}
{% if %}x{% endif %}
{% if true %}x
{% endif %}
{% for x in l %}
{% unknown %}
{% include 'x' %}
{% extends 'x' %}
{% import 'x' as y %}
{% block x %}a{% endblock %}
{% do l.append(1) %}
{% autoescape true %}{{ '<' }}{% endautoescape %}
{% trans %}x{% endtrans %}
{{ 1
{{ 1 }
{{ }}
{{ 1 + }}
{{ (1 }}
{{ [1, }}
{{ a b }}
{{ 'abc }}
{{ 5a }}
{{ a $ b }}
{{ a; b }}
{# never closed
{{ 1 }} }} {{ '}}' }} {{ '%}' }} {{ {'a': {'b': 1}}['a']['b'] }} {{ "{{ x }}" }} {% set x = '{% y %}' %}{{ x }}
a {#- comment -#} b {# c #} d {#+ e +#} f
{{ raise_exception('no') }}
{{ raise_exception(missing) }}
{{ strftime_now('%Y-%m-%d %H:%M:%S %j %y %b %B %a %A %p %I %% %-d %-m') }} {{ strftime_now is defined }}
{{ strftime_now('%d %B %Y') }} {{ strftime_now('') }}
{{ dict(a=1, b=2) }} {{ dict({'a': 1}, c=3) }} {{ dict() }}
{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.current }}
{% set j = joiner('|') %}{{ j() }}{{ j() }}{% set k = joiner() %}{{ k() }}{{ k() }}
{{ cycler() }}
{{ lipsum() }}
{{ s|random }}
{{ people|groupby('age') }}
{{ people|map(attribute='age')|sum }} {{ people|map(attribute='name')|map('lower')|sort|join(',') }} {{ people[0]|items|list }}
{{ s|attr('upper') is defined }} {{ d|attr('a') is defined }} {{ s|attr('upper')() }} {{ d|attr('items')()|list }} {{ namespace(a=5)|attr('a') }}
{{ (1).real }}
{{ 1.5.is_integer() }}
{{ people.0.name }} {{ people.1['name'] }} {{ l.0 + 1 }} {{ m[6].k }} {{ m.6.k }}
{{ [1, 2, 3,] }} {{ {'a': 1,} }} {{ (1, 2,) }} {{ range(3,)|list }} {{ dict(a=1,) }}
{{ 1 if 1 if 1 else 0 else 2 }}
{{ 'a' if 1 == 1 else 'b' ~ 'c' }} {{ 'x' ~ ('a' if 0 else 'b') }} {{ 1 - -1 }} {{ 1 - - 1 }} {{ - - 1 }} {{ +1 }} {{ not not 1 }} {{ 2 - 1 - 1 }} {{ 2 ** -1 }}
{{ 8 / 2 / 2 }} {{ 2 + 3 * 4 ~ 5 }} {{ 1 ~ 2 + 3 }} {{ 1 + 2 ~ 3 }}
{{ 'é' == 'e\u0301' }} {{ u.split(' ')|length }} {{ u|first }} {{ u|last }} {{ u|list|length }}
{{ d.x is mapping and d.x.y is sequence and d.x.y is not string }} {{ d.a is integer }} {{ 'b' in d and d.b }}
{{ messages }}|{{ self is defined }}|{{ context is defined }}
{% set loop = 5 %}{{ loop }}
{% set true = 5 %}
{% set 5 = x %}
{% set x y %}
{% for x in l %}{% for x in w %}{{ x }}{% endfor %}{{ x }}{% endfor %}
{% for i in range(3) %}{% if loop.first %}{% set v = 'f' %}{% elif loop.last %}{% set v = 'l' %}{% endif %}{{ v }}{% endfor %}
{% set v = 'o' %}{% for i in range(3) %}{% if loop.first %}{% set v = 'f' %}{% endif %}{{ v }}{% endfor %}{{ v }}
{% macro outer() %}{% macro inner() %}{{ q }}{% endmacro %}{% set q = 1 %}{{ inner() }}{% set q = 2 %}{{ inner() }}{% endmacro %}{{ outer() }}
{% set ns = namespace() %}{% for x in l %}{% macro f() %}{{ x }}{% endmacro %}{% set ns.f = f %}{% endfor %}[{{ ns.f() }}]
{% set ns = namespace(go=true) %}{% for x in l if ns.go %}{{ x }}{% set ns.go = false %}{% endfor %}
{% set ns = namespace(go=true) %}{% for x in l if ns.go %}{{ x }}{{ loop.last }}{% set ns.go = false %}{% endfor %}
{% for x in l|map('string') %}{{ x }}{{ loop.length }}{{ loop.last }}{% endfor %} {% for x in l|select %}{{ loop.revindex }}{% endfor %}
{% macro m(kwargs) %}{{ kwargs }}{% endmacro %}{{ m(1) }}
{% macro m(caller) %}{{ caller }}{% endmacro %}{{ m(1) }}
{% macro m(caller=none) %}{{ caller }}{% endmacro %}{{ m() }}
{{ 'a'.join }}
{{ s.upper }}
{{ range }}
{{ (1, 2) in [(1, 2)] }} {{ {'a': (1, 2)} }} {{ ((1, 2), 3) }} {{ (1, 2)|first }} {{ (1, 2)|list }} {{ (1, 2) + (3,) }} {{ (1, 2) * 2 }} {{ (1, 2).index(2) }} {{ (1, 2)[::-1] }}
{{ '%s' % (('a', 'b'),) }} {{ '%s' % {'a': 1} }} {{ '%s %s' % ('a', none) }}
""".strip().split("\n")

# Snippets of several lines, for white space.
LINES = [
    "a\n{% if true %}\nb\n{% endif %}\nc\n",
    "a\n  {% if true %}\n  b\n  {% endif %}\n  c",
    "a\n  {%+ if true %}\n  b\n  {%- endif +%}\n  c",
    "a  {% if true %}  b  {% endif %}  c",
    "  {% set x = 1 %}  \n  {{ x }}\n\n",
    "{% set x = 1 %}\n\n{{ x }}\n",
    "{{ 1 }}\n\n",
    "{{ 1 }}\r\n{{ 2 }}\r{{ 3 }}\r\n",
    "x\n   {{- 1 -}}   \n y",
    "x\n   {{ 1 }}   \n y",
    "{#- c -#}\n  x\n  {# c #}\n  y\n{# c\nd #}z\n",
    "  {# c #}  {% if 1 %}\n x {% endif %}",
    "\t{% if 1 %}\n\t\tx\n\t{% endif %}\n",
    "{% for x in l %}\n  {{ x }}\n{% endfor %}\n",
    "{% for x in l -%}\n  {{ x }}\n{%- endfor %}\n",
    "{%- for x in l %}\n  {{ x }},\n{%- endfor -%}\n",
    "\u00a0{% if 1 %}x{% endif %}\u00a0{%- if 1 %}y{% endif %}",
    "\u00a0\u2003{%- if 1 -%}\u3000x{% endif %}",
    "a\n\u2003{% if 1 %}x{% endif %}",
    "{% macro f() %}\n  x\n{% endmacro %}\n[{{ f() }}]\n",
    "{% set x %}\n  a\n{% endset %}\n[{{ x }}]\n",
    "  {% raw %}\n  {{ x }}\n  {% endraw %}\n  y",
    "a {%- raw %} b {% endraw -%} c",
    "{% generation %}\n x \n{% endgeneration %}\n",
    "{%if true%}x{%endif%}{{1}}{{-1}}{{ -1 }}{%-if 1-%}y{%-endif-%}",
    "{% if true %}{% else %}{% endif %}\n\n\nx",
    "{{ 'a\nb' }}{{ 'a\r\nb' }}",
    "{% for x in l %}\n{% if x == 1 %}\n{% continue %}\n{% endif %}\n{{ x }}\n{% endfor %}",
    "line {{ 1 }}\n{% if 1 %} \nx\n{% endif %} \ny",
    "",
    "\n",
    "\n\n",
    "plain { text } {x} %} #} }}",
    "{",
    "a{",
    "{%",
    "{{",
    "{#",
    "{% endif %}",
    "{% else %}",
    "{{ x }}{% if 1 %}\x0b{%- endif %}\x1c{%- if 1 %}z{% endif %}",
]

VALUES = [
    "s", "u", "e", "n", "z", "f", "t", "no", "l", "w", "m", "d", "people", "missing", "d.x", "d.q", "l[0]", "people[0].name",
    "'abc'", "'Ab c'", "''", "' x '", "0", "1", "-2", "3.5", "1.0", "true", "false", "none", "[]", "[1, 2]", "['a', 'B']",
    "(1, 2)", "{}", "{'k': 1}", "range(3)", "lines", "[[1, 'a'], [0, 'b']]", "'a,b'", "'<&>'",
]
FILTERS = [
    "upper", "lower", "title", "capitalize", "trim", "length", "list", "string", "first", "last", "join", "join('-')",
    "sort", "reverse", "unique", "sum", "min", "max", "abs", "int", "float", "round", "round(1)", "default('D')", "default('D', true)",
    "tojson", "tojson(indent=1)", "replace('a', 'bb')", "indent(2)", "map('string')", "map('upper')", "select", "reject",
    "select('string')", "reject('none')", "dictsort", "items", "batch(2)", "slice(2)", "e", "safe", "map(attribute='name')",
    "selectattr('age')", "center(9)", "truncate(4, true, '', 0)", "list", "string", "tojson", "urlencode", "map('length')",
    "sort(reverse=true)", "sort(attribute='age')", "map(attribute=0)", "attr('x')",
]
METHODS = [
    "upper()", "strip()", "split()", "split(',')", "title()", "startswith('a')", "endswith('c')", "replace('a', 'x')", "get('k')",
    "get('k', 2)", "keys()", "items()", "values()", "find('b')", "count('a')", "index(1)", "lstrip('a')", "splitlines()", "join(['x', 'y'])",
    "capitalize()", "isdigit()", "partition('b')", "rsplit(none, 1)", "zfill(4)", "append(1)", "k", "name", "x", "items", "copy()", "format(1)",
]
TESTS = [
    "defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping", "iterable", "sequence", "true",
    "false", "odd", "even", "callable", "in [1, 'abc']", "eq 1", "gt 0", "divisibleby 2", "lower", "upper", "escaped", "lt 'b'",
]
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]


def expression(draw, depth):
    kind = draw.random()
    if depth <= 0 or kind < 0.12:
        return draw.choice(VALUES)
    inner = expression(draw, depth - 1)
    if kind < 0.36:
        return f"{inner}|{draw.choice(FILTERS)}" if draw.random() < 0.5 else f"({inner})|{draw.choice(FILTERS)}"
    if kind < 0.50:
        return f"({inner}).{draw.choice(METHODS)}"
    if kind < 0.60:
        return f"{inner} is {draw.choice(['', 'not '])}{draw.choice(TESTS)}"
    if kind < 0.82:
        other = expression(draw, depth - 1)
        operator = draw.choice(BINARY)
        return f"{inner} {operator} {other}" if draw.random() < 0.5 else f"({inner}) {operator} ({other})"
    if kind < 0.88:
        bounds = [draw.choice(["", "", "0", "1", "-1", "2", "-2"]) for _ in range(draw.choice([1, 2, 2, 3]))]
        return f"({inner})[{':'.join(bounds) or '0'}]"
    if kind < 0.92:
        return f"{inner} if {expression(draw, depth - 1)} else {draw.choice(VALUES)}"
    if kind < 0.95:
        return f"not {inner}"
    if kind < 0.97:
        return f"[{inner}, {draw.choice(VALUES)}]"
    return f"-{inner}"


NAMES = ["a", "b", "given", "n"]


def statements(draw, depth, in_loop=False):
    """A program over few names, so that scopes shadow each other."""
    parts = []
    for _ in range(draw.randint(1, 4)):
        name = draw.choice(NAMES)
        kind = draw.random()
        if depth <= 0 or kind < 0.25:
            parts.append("[{{ " + draw.choice(NAMES) + " }}]")
        elif kind < 0.45:
            parts.append("{% set " + name + " = " + draw.choice(["1", "'q'", "given", "n", f"{name} ~ '+'", "a", "b"]) + " %}")
        elif kind < 0.60:
            condition = draw.choice(["true", "false", "a", f"{name} is defined", "n == 7", "given"])
            other = "{% else %}" + statements(draw, depth - 1, in_loop) if draw.random() < 0.5 else ""
            if draw.random() < 0.3:
                other = "{% elif " + draw.choice(["a", "b is defined"]) + " %}" + statements(draw, depth - 1, in_loop) + other
            parts.append("{% if " + condition + " %}" + statements(draw, depth - 1, in_loop) + other + "{% endif %}")
        elif kind < 0.76:
            test = draw.choice(["", "", " if " + draw.choice(["a", "n", name + " != 2", "b is defined"])])
            body = statements(draw, depth - 1, True) + draw.choice(["", "{{ loop.index }}", "{{ loop.last }}", "{{ loop.length }}"])
            other = "{% else %}" + statements(draw, depth - 1, in_loop) if draw.random() < 0.3 else ""
            parts.append("{% for " + name + " in [1, 2]" + test + " %}" + body + other + "{% endfor %}")
        elif kind < 0.82:
            parts.append("{% set " + name + " %}" + statements(draw, depth - 1, in_loop) + "{% endset %}")
        elif kind < 0.90:
            arguments = draw.choice(["", "a", "a=1", "b=given", "a, b=a"])
            call = draw.choice(["f()", "f(5)", "f(a=6)", "f(given)"])
            parts.append("{% macro f(" + arguments + ") %}" + statements(draw, depth - 1) + "{% endmacro %}{{ " + call + " }}")
            if draw.random() < 0.5:
                parts.append(statements(draw, depth - 1, in_loop) + "{{ f() }}")
        elif kind < 0.94:
            parts.append("{% with " + name + " = " + draw.choice(NAMES) + " %}" + statements(draw, depth - 1, in_loop) + "{% endwith %}")
        elif kind < 0.97:
            parts.append("{% generation %}" + statements(draw, depth - 1) + "{% endgeneration %}")
        elif in_loop:
            parts.append("{% if loop.index == 2 %}{% " + draw.choice(["break", "continue"]) + " %}{% endif %}")
        else:
            parts.append("{% filter upper %}" + statements(draw, depth - 1, in_loop) + "{% endfilter %}")
    return "".join(parts)


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


def render(source):
    try:
        template = chat_template_utils._cached_compile_jinja_template(source)
        return {"text": template.render(**json.loads(json.dumps(CONTEXT)))}
    except Exception as refusal:  # any of Python's and jinja2's
        return {"refusal": f"{type(refusal).__name__}: {refusal}"[:80]}


def main(folder, seed, count):
    chat_template_utils.datetime = FixedDate
    draw = random.Random(seed)
    sources = HAND + LINES
    # Lines of several outputs are there once whole and once output by output.
    sources += [each for line in HAND if "{%" not in line for each in re.findall(r"\{\{ .*? \}\}", line)]
    sources += ["{{ " + expression(draw, draw.randint(1, 3)) + " }}" for _ in range(count)]
    sources += [statements(draw, 3) for _ in range(count // 3)]
    cases = [{"source": source, **render(source)} for source in dict.fromkeys(sources)]
    for case in cases:  # an address in memory differs from run to run; ours refuses to print one
        if re.search(r"0x[0-9a-f]{8,}|<(class|function|built-in|Macro|Namespace|LoopContext)", case.get("text", "")):
            case["text"] = None
    fixture = {"madeBy": "bench/peers/make_jinja_fixtures.py", "seed": seed, "now": NOW.isoformat(), "context": CONTEXT, "cases": cases}
    data = json.dumps(fixture, ensure_ascii=False).encode("utf-8", "surrogatepass")
    (folder / "jinja-snippets.json.gz").write_bytes(gzip.compress(data, 9, mtime=0))
    print(f"{len(cases)} snippets, {sum('refusal' in case for case in cases)} refused by jinja2, {len(data)} bytes")


if __name__ == "__main__":
    main(
        pathlib.Path(sys.argv[1]),
        int(sys.argv[2]) if len(sys.argv) > 2 else 20261123,
        int(sys.argv[3]) if len(sys.argv) > 3 else 2400,
    )
