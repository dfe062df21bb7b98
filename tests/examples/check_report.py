#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_report.py PAGE: whether a report is well-formed XML and HTML, and its pictures are
pictures."""
import base64
import html.parser
import sys
import xml.etree.ElementTree

EMPTY = {"meta", "link", "img"}
SIGNATURES = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}


class Page(html.parser.HTMLParser):
    """Checks that tags are closed in the order of a stack, and decodes the pictures."""

    def __init__(self):
        super().__init__()
        self.stack, self.pictures, self.ids = [], 0, set()

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), "an attribute twice: %s" % attributes
        values = dict(attributes)
        assert tag != "script" and not any(name.startswith("on") for name in names), attributes
        if "id" in values:
            assert values["id"] not in self.ids, "the id %s twice" % values["id"]
            self.ids.add(values["id"])
        if tag == "img":
            self.look_at(values["src"])
        if tag not in EMPTY:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in EMPTY:
            self.stack.pop()

    def handle_endtag(self, tag):
        assert self.stack and self.stack.pop() == tag, "</%s> at %s" % (tag, self.getpos())

    def look_at(self, source):
        kind, text = source.removeprefix("data:").split(";base64,")
        assert base64.b64decode(text, validate=True).startswith(SIGNATURES[kind]), source[:60]
        self.pictures += 1


def main(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert text.startswith("<!DOCTYPE html>\n")
    xml.etree.ElementTree.fromstring(text.split("\n", 1)[1])
    page = Page()
    page.feed(text)
    page.close()
    assert not page.stack, "not closed: %s" % page.stack
    assert page.pictures > 40, "only %d pictures" % page.pictures
    print("%d bytes, %d pictures" % (len(text.encode()), page.pictures))


main(sys.argv[1])
