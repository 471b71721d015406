#!/usr/bin/env python3
"""Makes the corpus files of this module from two Debian packages; run once, its output is committed.

    apt-get download r-cran-janeaustenr jargon-text
    for deb in *.deb; do dpkg -x "$deb" unpacked; done
    python3 prepare.py unpacked RESOURCES

RESOURCES is src/main/resources/io/tidemill/model/base. Every file written is gzip of UTF-8 text: a line
"= name" opens a section (a chapter, a lexicon entry), blank lines part its paragraphs, and a paragraph is
one line unless it is verse or a listing. The same input gives the same bytes.
"""

import gzip
import lzma
import pathlib
import re
import struct
import sys
import zlib

HELD_BACK = "persuasion"
ASCII = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "—": "--", "…": "...", "\xa0": " ", "´": "'"})


def r_value(data):
    """Reads one value of R's serialization format (XDR), as far as lists and character vectors need it."""
    version, encoding = struct.unpack(">i8xi", data[2:18])
    position, references = (18 + encoding if version == 3 else 14), []

    def integer():
        nonlocal position
        position += 4
        return struct.unpack(">i", data[position - 4 : position])[0]

    def value():
        nonlocal position
        flags = integer()
        kind, attributes, tag = flags & 255, flags & 512, flags & 1024
        if kind in (241, 242, 251, 253, 254):  # environments, missing argument, NULL: nothing that we need
            return None
        if kind == 255:
            return references[(flags >> 8) - 1]
        if kind == 1:
            references.append(value())
            return references[-1]
        if kind == 9:
            size = integer()
            position += max(size, 0)
            return data[position - size : position].decode() if size >= 0 else None
        if kind == 2:
            pairs = []
            while kind == 2:
                if attributes:
                    value()
                name = value() if tag else None
                pairs.append((name, value()))
                flags = integer()
                kind, attributes, tag = flags & 255, flags & 512, flags & 1024
            return pairs
        if kind in (10, 13, 16, 19):
            read = value if kind in (16, 19) else integer
            items = [read() for _ in range(integer())]
            if attributes:
                value()
            return items
        raise ValueError(f"R value of kind {kind} at byte {position} is not known to this reader")

    return value()


def novels(package):
    """The lines of each novel, in the order of R's lazy-load database."""
    index = r_value(gzip.decompress((package / "Rdata.rdx").read_bytes()))
    database = (package / "Rdata.rdb").read_bytes()
    for offset, size in index[0]:
        packed = database[offset : offset + size]
        kind = packed[4:5]
        if kind == b"Z":
            raw = lzma.decompress(packed[5:], format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 6}])
        else:
            raw = zlib.decompress(packed[4:])
        yield [line or "" for line in r_value(raw)]


def paragraphs(lines, margin):
    """Joins lines up to a blank one; a paragraph with a line indented beyond the margin keeps its line breaks."""
    block = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line.rstrip())
        elif block:
            indented = any(len(l) - len(l.lstrip()) > margin for l in block)
            clean = [re.sub(r"  +", " ", l.strip()) for l in block]
            yield "\n".join(clean) if indented else " ".join(clean)
            block = []


def novel_sections(lines):
    sections, chapter = [], 0
    for paragraph in paragraphs(lines[1:], 0):
        if re.fullmatch(r"(?i)chapter ([0-9]+|[IVXL]+)\.?", paragraph):
            chapter += 1
            sections.append((f"chapter-{chapter}", []))
        elif paragraph.startswith("A NOTE ON THE TEXT"):
            break
        elif not sections or re.fullmatch(r"(VOLUME|Volume) [IVX]+|FINIS|Finis|THE END|[*\s]+|\(End of volume .*|\*Vide .*", paragraph):
            continue
        else:
            text = re.sub(r"_([^_]+)_", r"\1", paragraph).replace("_", "").translate(ASCII)
            sections[-1][1].append(text)
    return sections


def jargon_sections(text):
    lines = [line for line in text.replace("\xa0", " ").split("\n") if not re.search("[─│═┼┤├┴┬┘└┐┌]", line)]
    start = next(i for i, line in enumerate(lines) if line.startswith("Chapter 1."))
    sections, block = [], []

    def close():
        found = list(paragraphs(block, 3))
        block.clear()
        found = [p for p in found if not re.match(r"\(The next cartoon|\[\[|Table of Contents$", p)]
        if sections:
            sections[-1][1].extend(found)

    for line in lines[start:]:
        entry = re.match(r"   :(.+?): ?(.*)$", line)
        if entry:
            close()
            grammar = re.sub(r"/[^/]*/,? ?", "", entry.group(2)).strip(" ,")
            sections.append((entry.group(1), [f"{entry.group(1)}, {grammar}" if grammar else entry.group(1)]))
        elif line[:1].strip():
            close()
            sections.append((re.sub(r"^(Chapter [0-9]+|Appendix [A-Z])\. ", "", line.strip()), []))
        elif re.match(r" {12,}Part ", line):
            close()
            sections.append((line.strip(), []))
        else:
            block.append(line)
    close()
    clean = []
    for name, found in sections:
        found = [re.sub(r"<?[\w.+-]+@[\w-]+(\.[\w-]+)+>?", "", p) for p in found]  # people's addresses stay out
        found = [re.sub(r"\{([^{}]*)\}", r"\1", p).translate(ASCII).strip() for p in found]
        found = [p for p in found if p]
        if sum(map(len, found)) >= 80 and not re.match(r"Part [IVX]+\. |Glossary$", name):
            clean.append((name.translate(ASCII), found))
    return clean


def write(path, sections):
    body = "\n\n".join("\n\n".join([f"= {name}", *found]) for name, found in sections) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(body.encode(), 9, mtime=0))
    print(f"{path.name}: {len(sections)} sections, {len(body)} characters")


def main(unpacked, resources):
    for lines in novels(unpacked / "usr/lib/R/site-library/janeaustenr/data"):
        name = lines[0].lower().replace(" ", "-")
        folder = "demo" if name == HELD_BACK else "corpus"
        write(resources / folder / f"{name}.txt.gz", novel_sections(lines))
    jargon = gzip.decompress((unpacked / "usr/share/doc/jargon-text/jargon.txt.gz").read_bytes()).decode()
    write(resources / "corpus" / "jargon-file.txt.gz", jargon_sections(jargon))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
