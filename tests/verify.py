#!/usr/bin/env python3
"""Verifies an export of the record, by docs/FORMAT.md alone.

    verify.py [--at N[=HASH]] [EXPORT.jsonl [INCIDENT=HASH ...]]

Without a path, or with -, it reads standard input. INCIDENT=HASH is a head noted earlier, or at least its first 20
digits: the chain must still hold it. --at N prints the head of the whole record at commit N, which only an export of
all incidents gives; with =HASH it must be that one.
"""
import hashlib
import json
import re
import sys
from datetime import date
from decimal import Decimal

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


# What bodies may hold. A shape is a function of a value and the body's Body; it says what is wrong by raising Fault.


class Body:
    """The body that is looked at: what it may refer to, and what in it only format 2 has."""

    def __init__(self, number, kinds):
        self.number, self.kinds, self.newer = number, kinds, []

    def two(self, what):
        self.newer.append(what)


def matching(pattern, what):
    def shape(value, _):
        need(type(value) is str and re.fullmatch(pattern, value), f"has {value!r} for {what}")

    return shape


def one_of(what, codes, newer=""):
    def shape(value, body):
        need(type(value) is str and value in (codes + " " + newer).split(), f"has {value!r} for a {what}")
        if value in newer.split():
            body.two(f"the {what} {value}")

    return shape


def many(shape, least=1, most=65536):
    def list_of(value, body):
        need(type(value) is list and least <= len(value) <= most, f"has {value!r} for a list of {least} or more")
        for item in value:
            shape(item, body)

    return list_of


def table(what, /, **shapes):
    """An object. A name that ends in _ may be left out, one in __ too, and only format 2 has it."""
    known = {name.rstrip("_"): (shape, name) for name, shape in shapes.items()}
    least = {name for name in shapes if not name.endswith("_")}

    def shape(value, body):
        need(type(value) is dict and least <= set(value) <= set(known), f"has other fields than those of a {what}")
        for name, item in value.items():
            of, spelt = known[name]
            if spelt.endswith("__"):
                body.two(f"the field {name} of a {what}")
            of(item, body)

    return shape


def string(value, _):
    need(type(value) is str and value, f"has {value!r} for words")


def true(value, _):
    need(value is True, f"has {value!r} where only true is written")


def flag(value, _):
    need(type(value) is bool, f"has {value!r} for true or false")


LANGUAGE = r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"


def tag(value, _):
    need(type(value) is str and len(value) <= 35 and re.fullmatch(LANGUAGE, value), f"has {value!r} for a language")


def text(value, body):
    need(type(value) is dict and value, f"has {value!r} for a text")
    for language, words in value.items():
        if language not in ("en", "it"):
            tag(language, body)
            body.two(f"a text in the language {language}")
        need(type(words) is str and words.strip() and len(words) <= 6000, "has a text that is empty or too long")


def ref(*kinds):
    def shape(value, body):
        need(type(value) is int and 1 <= value < body.number, f"refers to {value!r}, which is no earlier entry")
        need(not kinds or body.kinds[value - 1] in kinds, f"refers to {value} as to what it is not")

    return shape


def party(value, body):
    if type(value) is str:
        handle(value, body)
    else:
        table("party", name=string)(value, body)


def speaker(value, body):
    if type(value) is list:
        body.two("a list of speakers")
        need(len(value) > 1, "has a list of one speaker")
        for each in value:
            one_speaker(each, body)
    else:
        one_speaker(value, body)


def one_speaker(value, body):
    if type(value) is dict and "for" in value:
        body.two("a speaker for somebody")
        table("speaker", **{"for": party, "name": string})(value, body)
    else:
        party(value, body)


def when(value, body):
    need(type(value) is str, f"has {value!r} for a date")
    if value.startswith("[") and value.endswith("]"):
        if "," in value:
            points = [point(each, body) for each in value[1:-1].split(",")]
            body.two("a set of dates")
            need(2 <= len(points) <= 12, f"has {value!r} for a date: a set has 2 to 12")
            need(all(a[0] != b[0] and in_order(a, b) for a, b in zip(points, points[1:])), f"has {value!r} unsorted")
            return
        ends = value[1:-1].split("..")
    else:
        ends = value.split("/")
        if len(ends) == 2 and ".." in ends:
            ends.remove("..")
            need(ends[0] != "..", f"has {value!r} for a date")
        else:
            need(len(ends) < 3, f"has {value!r} for a date")
    need(len(ends) == 2 if value.startswith("[") else True, f"has {value!r} for a date")
    points = [point(end, body) for end in ends]
    need(len(points) < 2 or in_order(*points), f"has {value!r} for a date: it ends before it begins")


POINT = re.compile(
    r"(\d{4}|\d{3}X|\d\dXX)(?:-(\d\d|XX)(?:-(\d\d|XX)(?:T(\d\d)(?::(\d\d)(?::(\d\d))?)?)?)?)?(Z|[+-]\d\d:\d\d)?([~?%])?"
)


def point(value, body):
    """Checks one point; its first second, in UTC if it has an offset, and whether it has one."""
    found = POINT.fullmatch(value) if value.isascii() else None
    need(found, f"has {value!r} for a date")
    year, month, day, hour, minute, second, offset, mark = found.groups()
    need(year != "0000", f"has {value!r} for a date: there is no year 0")
    if mark in ("?", "%"):
        body.two(f"the mark {mark} on a date")
    unknown = [part for part in (year, month, day) if part and "X" in part]
    if unknown:
        body.two("unknown digits in a date")
        need("X" not in year or month is None, f"has {value!r} for a date")
        need(month != "XX" or day in (None, "XX"), f"has {value!r} for a date")
        need(hour is None, f"has {value!r} for a date")
    if month and "21" <= month <= "24":
        body.two("a season")
        need(day is None, f"has {value!r} for a date")
        month = {"21": "03", "22": "06", "23": "09", "24": "12"}[month]
    first = (year.replace("X", "0"), (month or "01").replace("XX", "01"), (day or "01").replace("XX", "01"))
    if first[0] == "0000":
        first = ("0001", *first[1:])
    try:
        begins = date(*map(int, first))
    except ValueError:
        raise Fault(f"has {value!r} for a date: it is not in the calendar") from None
    clock = (hour or "00") <= "23" and (minute or "00") <= "59" and (second or "00") <= "59"
    need(clock, f"has {value!r} for a date: there is no such time")
    need(hour is None or minute is not None or mark == "~", f"has {value!r} for a date: an hour alone is only about")
    need(second is None or offset, f"has {value!r} for a date: seconds want an offset")
    seconds = int(hour or 0) * 3600 + int(minute or 0) * 60 + int(second or 0)
    if offset:
        body.two("an instant")
        need(minute is not None, f"has {value!r} for a date: an offset wants a clock time")
        seconds -= east_of_utc(offset)
    return begins.toordinal() * 86400 + seconds, bool(offset)


def east_of_utc(offset):
    """The seconds that an offset is ahead of UTC."""
    if offset == "Z":
        return 0
    need(offset != "-00:00" and offset[4:] <= "59" and offset[1:] <= "14:00", f"has the offset {offset}")
    ahead = int(offset[1:3]) * 3600 + int(offset[4:]) * 60
    return -ahead if offset[0] == "-" else ahead


def in_order(a, b):
    """Whether the second point does not begin before the first, as far as that can be told without the zone."""
    return a[1] != b[1] or a[0] <= b[0]


def number(value, _):
    need(type(value) is int and value > 0, f"has {value!r} for the number of an entry")


handle = matching(r"[a-z0-9][a-z0-9-]{0,31}", "a handle")
random_name = matching(r"[0-9a-f]{16}", "a random name")
hash_of = matching(r"[0-9a-f]{64}", "a hash")
stamp = matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "a moment")
url = matching(r"https?://\S+", "an address")
zone = matching(r"[A-Za-z0-9_+/-]{1,64}", "a zone")
decimal = matching(r"(?=.{1,30}$)-?(0|[1-9][0-9]*)(\.[0-9]+)?", "a decimal number")
sources = many(ref("source"))
quote = table("quotation", lang=string, text=string)
stance = table("stance", claim=ref("claim"), side=one_of("side", "for against taken-back"))
entry_name = table("name", incident=handle, number=number)


def unit(value, body):
    matching(r"[A-Z]{3}", "a currency")(value, body) if type(value) is str else text(value, body)


def amount(value, body):
    bound = one_of("bound", "exactly about at-least more-than at-most less-than")
    table("amount", bound=bound, to_=decimal, unit_=unit, value=decimal)(value, body)
    if "to" in value:
        need(value["bound"] in ("exactly", "about"), "has an amount of two ends with a bound that wants one")
        need(Decimal(value["to"]) > Decimal(value["value"]), "has an amount whose second end is not the greater")


def correction(value, body):
    subject = value.get("subject") if type(value) is dict else None
    kind = body.kinds[subject - 1] if type(subject) is int and 0 < subject < body.number else None
    level = one_of("level", "silent correction material")
    now = table("correction's now", **{str(kind): SAID.get(kind, string)})
    need(kind not in ("correction", "retraction", "erasure", "merged"), f"corrects a {kind}")
    shapes = dict(subject=ref(), now=now, what=text, level=level, importance_=IMPORTANCE, known_=when)
    table("correction", **shapes)(value, body)


IMPORTANCE = one_of("importance", "minor normal major")
CAPACITY = one_of("capacity", "victim supplier customer authority attacker press other unnamed", "researcher")
ROLE = one_of("role", "victim supplier customer authority attacker mentioned")
SOURCE = one_of("kind of source", "press analysis notice site release authority podcast social document")
SERVICE = one_of("state of service", "investigating identified monitoring resolved")
DISCLOSURE = one_of("state of disclosure", "reported confirmed disputed closed")
RELATION = one_of("relation", "part-of follows same-cause")
GROUND = one_of("ground", "request court personal-data mistake other")
SAID = {
    "opening": table("opening", title=text, summary_=text, zone=zone, handle__=handle),
    "event": table("event", when=when, as_of_=when, text=text, sources_=sources, rival_=ref("event")),
    "statement": table(
        "statement", speaker_=speaker, capacity=CAPACITY, published_by_=party, date=when, as_of_=when, gist=text,
        quote_=quote, promises_=when, sources_=sources, claims_=many(stance),
    ),
    "claim": table("claim", text=text, sources_=sources),
    "figure": table(
        "figure", label=text, value=text, as_of_=when, said_by_=speaker, sources_=sources, rival_=ref("figure"),
        series__=ref("figure"), amount__=amount,
    ),
    "source": table(
        "source", kind=SOURCE, publisher=string, title_=string, date_=when, link_=url, archived_=url, note_=text,
        same_as__=entry_name,
    ),
    "organisation": table(
        "organisation", handle=handle, name=string, aliases_=many(string), roles=many(ROLE), about_=text,
        sources_=sources, through__=party,
    ),
    "status": table(
        "status", when=when, service_=SERVICE, disclosure_=DISCLOSURE, text_=text, sources_=sources,
        component__=table("component", key=handle, name=text), rival__=ref("status"),
    ),
    "correction": correction,
    "retraction": table("retraction", subject=ref(), why=text),
}
SAID_IN_2 = {
    "erasure": table("erasure", text_=text),
    "merged": table("merged", into=handle, text_=text),
    "relation": table("relation", to=handle, type=RELATION, text_=text, sources_=sources),
}
SAID |= SAID_IN_2
FRAME = dict(
    author=string, dossier_=true, importance=IMPORTANCE, key=handle, known_=when, push_=flag, salt=string,
    lang__=tag, origin__=table("origin", hash=hash_of, name=entry_name, recorded_at=stamp), sensitive__=true,
)


class Export:
    """All that must be remembered between the lines."""

    def __init__(self):
        self.heads = {}  # of each incident: number, header hash and commit of its last entry
        self.kinds = {}  # of each incident: the kinds of its entries
        self.commits = {0: (NONE, None)}  # of each line: its header's hash, and the one it continues
        self.entries = []  # of each line: commit, incident, header hash
        self.gone, self.named = {}, {}  # of each incident: erased entries, and those that an erasure names
        self.last = None

    def line(self, line):
        """Checks the next line; returns its incident and its header's hash."""
        need(line.endswith(b"\n") and len(line) <= 65537, "has no line feed at its end, or is too long")
        whole = json.loads(line[:-1].decode())
        need(canonical(whole).encode() == line[:-1], "is not in canonical form")
        need(set(whole) in ({"header"}, {"header", "public"}), "is not a header and at most a public body")
        header, entry = whole["header"], whole["header"]["entry"]
        form, kind = header["format"], header["kind"]
        need(type(form) is int and form >= 1, f"has {form!r} for a format")
        need(form <= 2, f"has format {form}: a newer program wrote it, and this verifier knows formats 1 and 2")
        erases = {"erasure"} if form == 2 and kind == "erasure" else set()
        fields = FIELDS | erases
        need(fields - {"private"} <= set(header) <= fields, f"has other header fields than format {form}")
        need(set(entry) == {"incident", "number", "previous"}, f"has other entry fields than format {form}")
        need(type(header["commit"]) is int and type(entry["number"]) is int, "has a number that is none")
        need(kind in SAID, f"is of the kind {kind!r}: if a newer program wrote it, this verifier is too old")
        need(form == 2 or kind not in SAID_IN_2, f"says format 1 and is of the kind {kind}, which only format 2 has")
        incident, commit, own = entry["incident"], header["commit"], sha256(header)
        self.chain(header, entry, own)
        kinds = self.kinds.setdefault(incident, [])
        if kind == "opening" and form == 2:
            need(re.fullmatch("[0-9a-f]{16}", incident), f"is an opening of format 2 and goes by {incident}")
        kinds.append(kind)
        if "public" in whole:
            self.body(whole["public"], header, kinds)
        else:
            self.gone.setdefault(incident, []).append(entry["number"])
        if erases:
            self.erasure(header["erasure"], incident, entry["number"], kinds)
        self.heads[incident], self.commits[commit] = (entry["number"], own, commit), (own, header["previous"])
        self.entries.append((commit, incident, own))
        return incident, own

    def chain(self, header, entry, own):
        """The line stands where its incident and the journal say."""
        incident, commit = entry["incident"], header["commit"]
        number, head, at = self.heads.get(incident, (0, NONE, 0))
        handle(incident, None)
        need(incident >= next(reversed(self.heads), ""), "belongs to an incident that should come earlier")
        need(entry["number"] == number + 1, f"is entry {entry['number']} of {incident}, not {number + 1}")
        need(entry["previous"] == head, f"does not continue the chain of {incident}")
        need(commit > at and commit not in self.commits, "has a commit number that does not rise, or is taken")
        need((header["kind"] == "opening") == (entry["number"] == 1), "is an opening elsewhere than at the beginning")
        before, after = self.commits.get(commit - 1), self.commits.get(commit + 1)
        need(before is None or before[0] == header["previous"], "does not continue the journal")
        need(after is None or after[1] == own, "is not what the next line of the journal continues")

    def body(self, public, header, kinds):
        """The public body is the one that the header names, and has the shape that its format gives it."""
        kind, form, body = header["kind"], header["format"], Body(len(kinds), kinds)
        need(sha256(public) == header["public"], "has a public body that does not fit its header")
        need(list(public["said"]) == [kind], f"says something else than a {kind}")
        table("body", said=table("said", **{kind: SAID[kind]}), **FRAME)(public, body)
        need(form == 2 or not body.newer, f"says format 1 and holds what only format 2 has: {', '.join(body.newer)}")

    def erasure(self, it, incident, number, kinds):
        """What an erasure names is there by number, and its body is not."""
        need(type(it) is dict and set(it) == {"ground", "refs"}, "has other fields than those of an erasure")
        GROUND(it["ground"], None)
        many(lambda value, _: None, 1, 1000)(it["refs"], None)
        named, before = self.named.setdefault(incident, set()), 0
        for each in it["refs"]:
            at, subject = each["number"], each.get("subject")
            need({"number"} <= set(each) <= {"number", "subject"}, "has other fields than those of an erasure")
            need(type(at) is int and before < at < number, f"erases {at!r}, which is no earlier entry, or out of order")
            amends = kinds[at - 1] in ("correction", "retraction")
            need(subject is None or amends and type(subject) is int and 0 < subject < at, f"erases {at} of {subject!r}")
            need(at in self.gone.get(incident, []), f"says that {at} was erased, whose body is there")
            named.add(at)
            before = at

    def unnamed(self):
        """The entries without a body that no erasure names."""
        gone = ((incident, at) for incident, numbers in self.gone.items() for at in numbers)
        return [f"{incident}#{at}" for incident, at in gone if at not in self.named.get(incident, ())]

    def head_at(self, commit):
        """The head of the whole record at a commit, if all of it was read."""
        heads = {}
        for at, incident, own in sorted(self.entries):
            if at <= commit:
                heads[incident] = own
        return sha256({"commit": commit, "heads": heads})


def main(*args):
    at_commit = None
    if args and args[0] == "--at":
        at_commit, args = args[1].partition("=")[::2], args[2:]
    path, noted = (args or ("-",))[0], args[1:]
    export, at, wanted = Export(), 0, [list(head.partition("=")[::2]) for head in noted]
    for incident, head in wanted:
        need_args(re.fullmatch("[0-9a-f]{20,64}", head), f"{incident}={head}: a head has 64 digits, 20 at least")
    with sys.stdin.buffer if path == "-" else open(path, "rb") as lines:
        for at, line in enumerate(lines, 1):
            try:
                incident, own = export.line(line)
            except Fault as fault:
                sys.exit(f"line {at}: it {fault}")
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                sys.exit(f"line {at}: it cannot be read ({type(error).__name__}: {error})")
            wanted = [it for it in wanted if it[0] != incident or not own.startswith(it[1])]
    for incident, head in wanted:
        sys.exit(f"no entry of {incident} has the hash {head}: this is not the record it was noted from")
    erased = sum(map(len, export.gone.values()))
    print(f"{at} entries in {len(export.heads)} incidents: good, {erased} erased")
    if erased and export.unnamed():
        named = export.unnamed()
        print(f"{len(named)} of them erased without an entry that says so: {', '.join(named[:20])}")
    for incident, (_, head, _) in export.heads.items():
        print(f"head {incident} {head}")
    if at_commit:
        whole_head(export, *at_commit)


def whole_head(export, commit, noted):
    last = max((commit for commit, _, _ in export.entries), default=0)
    need_args(commit.isdecimal() and int(commit) <= last, f"--at {commit}: the last commit here is {last}")
    head = export.head_at(int(commit))
    if noted and not (len(noted) >= 20 and head.startswith(noted)):
        sys.exit(f"the head at commit {commit} is {head}, not {noted}: this is not the record it was noted from")
    print(f"head at commit {commit} {head}")


def need_args(good, what):
    if not good:
        sys.exit(what)


if __name__ == "__main__":
    main(*sys.argv[1:])
