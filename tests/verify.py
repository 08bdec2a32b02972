#!/usr/bin/env python3
"""Verifies an export of the record, by docs/FORMAT.md alone: verify.py [EXPORT.jsonl [HANDLE=HASH ...]]

Without a path, or with -, it reads standard input. HANDLE=HASH is a head noted earlier: the chain must still hold it.
"""
import hashlib
import json
import sys

FIELDS = {"commit", "entry", "format", "group", "kind", "previous", "private", "public", "recorded_at", "set"}
NONE = "0" * 64


class Fault(Exception):
    """What is wrong with a line."""


def need(good, what):
    if not good:
        raise Fault(what)


def canonical(value):
    """RFC 8785, for all that a line may hold: objects, arrays, strings, booleans and integers."""
    if type(value) is dict:
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(canonical(name) + ":" + canonical(value[name]) for name in names) + "}"
    if type(value) is list:
        return "[" + ",".join(map(canonical, value)) + "]"
    integer = type(value) is int and abs(value) < 2**53
    need(integer or type(value) in (str, bool), "holds a fraction, a null or too large a number")
    return json.dumps(value, ensure_ascii=False)


def sha256(value):
    return hashlib.sha256(canonical(value).encode()).hexdigest()


class Export:
    """All that must be remembered between the lines."""

    def __init__(self):
        self.heads = {}  # of each incident: number, header hash and commit of its last entry
        self.commits = {0: (NONE, None)}  # of each line: its header's hash, and the one it continues
        self.erased = 0

    def line(self, line):
        """Checks the next line; returns its incident and its header's hash."""
        need(line.endswith(b"\n") and len(line) <= 65537, "has no line feed at its end, or is too long")
        whole = json.loads(line[:-1].decode())
        need(canonical(whole).encode() == line[:-1], "is not in canonical form")
        need(set(whole) in ({"header"}, {"header", "public"}), "is not a header and at most a public body")
        header, entry = whole["header"], whole["header"]["entry"]
        need(type(header["format"]) is int and header["format"] <= 1, "has a format newer than 1")
        need(FIELDS - {"private"} <= set(header) <= FIELDS, "has other header fields than format 1")
        need(set(entry) == {"incident", "number", "previous"}, "has other entry fields than format 1")
        need(type(header["commit"]) is int and type(entry["number"]) is int, "has a number that is none")
        handle, commit, kind, own = entry["incident"], header["commit"], header["kind"], sha256(header)
        number, head, at = self.heads.get(handle, (0, NONE, 0))
        need(handle >= next(reversed(self.heads), ""), "belongs to an incident that should come earlier")
        need(entry["number"] == number + 1, f"is entry {entry['number']} of {handle}, not {number + 1}")
        need(entry["previous"] == head, f"does not continue the chain of {handle}")
        need(commit > at and commit not in self.commits, "has a commit number that does not rise, or is taken")
        need((kind == "opening") == (entry["number"] == 1), "is an opening elsewhere than at the beginning")
        before, after = self.commits.get(commit - 1), self.commits.get(commit + 1)
        need(before is None or before[0] == header["previous"], "does not continue the journal")
        need(after is None or after[1] == own, "is not what the next line of the journal continues")
        if "public" in whole:
            need(sha256(whole["public"]) == header["public"], "has a public body that does not fit its header")
            need(list(whole["public"]["said"]) == [kind], f"says something else than a {kind}")
        self.erased += "public" not in whole
        self.heads[handle], self.commits[commit] = (number + 1, own, commit), (own, header["previous"])
        return handle, own


def main(path="-", *noted):
    export, at, wanted = Export(), 0, {tuple(head.partition("=")[::2]) for head in noted}
    with sys.stdin.buffer if path == "-" else open(path, "rb") as lines:
        for at, line in enumerate(lines, 1):
            try:
                wanted.discard(export.line(line))
            except Fault as fault:
                sys.exit(f"line {at}: it {fault}")
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                sys.exit(f"line {at}: it cannot be read ({type(error).__name__}: {error})")
    for handle, noted_hash in wanted:
        sys.exit(f"no entry of {handle} has the hash {noted_hash}: this is not the record it was noted from")
    print(f"{at} entries in {len(export.heads)} incidents: good, {export.erased} erased")
    for handle, (_, head, _) in export.heads.items():
        print(f"head {handle} {head}")


if __name__ == "__main__":
    main(*sys.argv[1:])
