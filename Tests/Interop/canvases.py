# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0
"""Canvases that a Celery client may send, and what became of one: who ran, with what, in which group, under which parent.

Each is sent several times, in several directions, under a prefix of its own, `<direction>/<canvas>`, which the labels of its
parts begin with. Tasks report their runs under that prefix; `report` puts these and the statuses together, with labels in
the place of ids, so that two directions can be compared.
"""

import json
import re
from datetime import datetime, timezone

from celery import chain, chord, group
from celery.result import GroupResult

import peer

CANVASES = {}


def canvas(function):
    CANVASES[function.__name__] = function
    return function


class Parts:
    """Makes the parts of one canvas, and spreads them over the queues in turn."""

    def __init__(self, prefix, queues):
        self.prefix, self.queues, self.made = prefix, queues, 0

    def queue(self):
        self.made += 1
        return self.queues[(self.made - 1) % len(self.queues)]

    def spec(self, name, **spec):
        return {"label": f"{self.prefix}.{name}", **spec}

    def __call__(self, name, **spec):
        return peer.step.s(self.spec(name, **spec)).set(queue=self.queue())

    def named(self, name, *args, **kwargs):
        return peer.step.s(*args, spec=self.spec(name), **kwargs).set(queue=self.queue())

    def fixed(self, name, **spec):
        """One that takes no result of others."""
        return peer.step.si(self.spec(name, **spec)).set(queue=self.queue())

    def caught(self, name="caught"):
        return peer.caught.s(self.spec(name)).set(queue=self.queue())

    def spread(self, signature):
        """For tasks of Celery's own."""
        return signature.set(queue=self.queue())

    def swap(self, name, signature):
        """Only a Python task can put another in its place."""
        return peer.swap.s(self.spec(name, **{"with": signature})).set(queue="python")

    def grow(self, name, signature):
        return peer.grow.s(self.spec(name, **{"with": signature})).set(queue="python")

    def id(self, name):
        return f"{self.prefix}.{name}"

    def known(self, name):
        """One that has its name as its id."""
        return self(name).set(task_id=self.id(name))


# Chains


@canvas
def three(t):
    return chain(t("a"), t("b"), t("c"))


@canvas
def arguments(t):
    return chain(t.named("a", 1, x=[2]), t.named("b", "of b", y=3.5), t.fixed("c"), t.named("d", z=None))


@canvas
def options(t):
    late = t("b").set(countdown=0.2, priority=3, headers={"word": "x"}, time_limit=30, expires=600)
    return chain(t("a"), late, t("c").set(ignore_result=True), t("d"))


@canvas
def chain_in_chain(t):
    return chain(chain(t("a"), t("b")), chain(t("c"), chain(t("d"))))


@canvas
def failing_chain(t):
    failing = chain(t("a"), t("b", fail=True), t("c"), t("d"))
    failing.link_error(t.caught())
    return failing


@canvas
def revoked_link(t):
    return chain(t("a"), t.known("gone"), t("c"))


@canvas
def expired_link(t):
    return chain(t("a"), t.known("late").set(expires=datetime(2020, 1, 1, tzinfo=timezone.utc)), t("c"))


@canvas
def retried_link(t):
    return chain(t("a"), t("b", retry=2), t("c"))


# Callbacks


@canvas
def link(t):
    a = t("a")
    a.link(t("b"))
    return a


@canvas
def links(t):
    a = t("a")
    for callback in t("b"), t.fixed("c"), group(t("d"), t("e")), chain(t("f"), t("g")), chord([t("h"), t("i")], t("j")):
        a.link(callback)
    return a


@canvas
def link_chain(t):
    a = t("a")
    a.link(chain(t("b"), t("c", fail=True), t("d")))
    return a


@canvas
def link_group(t):
    a = t("a")
    a.link(group(t("b"), t("c")))
    return a


@canvas
def link_chord(t):
    a = t("a")
    a.link(chord([t("b"), t("c")], t("d")))
    return a


@canvas
def link_in_link(t):
    a, b = t("a"), t("b")
    b.link(t("c"))
    a.link(b)
    return a


@canvas
def link_and_chain(t):
    a = t("a")
    a.link(t("b"))
    c = t("c")
    c.link(t("d"))
    whole = chain(a, c)
    whole.link(t("e"))
    return whole


@canvas
def link_to_chord_within(t):
    a = t("a")
    callback = chain(t("b"), group(t("c"), t("d")), t("e", fail=True), t("f"))
    callback.link_error(t.caught())
    a.link(callback)
    return a


@canvas
def link_error(t):
    a = t("a", fail=True)
    a.link_error(t.caught("one"))
    a.link_error(t.caught("two"))
    a.link(t("never"))
    return a


@canvas
def errback_group(t):
    a = t("a", fail=True)
    a.link_error(group(t.caught("one"), t.caught("two")))
    return a


@canvas
def errback_chain(t):
    a = t("a", fail=True)
    a.link_error(chain(t.caught(), t("b")))
    return a


@canvas
def fixed_errback(t):
    a = t("a", fail=True)
    a.link_error(t.fixed("b"))
    return a


@canvas
def link_error_unused(t):
    a = t("a")
    a.link_error(t.caught())
    return a


@canvas
def failing_errback(t):
    a = t("a", fail=True)
    first = t.caught("one")
    first.link(t("after"))
    a.link_error(first)
    return a


# Groups


@canvas
def three_at_once(t):
    return group(t("a"), t("b"), t("c"))


@canvas
def group_of_one(t):
    return group(t("a"))


@canvas
def group_of_none(t):
    return group([])


@canvas
def groups_of_one(t):
    return chain(group(t("a")), group(t("b")), t("c"), group(t("d")))


@canvas
def group_of_none_within(t):
    return chain(t("a"), group([]), t("b"))


@canvas
def link_group_of_none(t):
    a = t("a")
    a.link(group([]))
    a.link(t("b"))
    return a


@canvas
def group_of_chains(t):
    return group(chain(t("a"), t("b")), chain(t("c"), t("d")), group(t("e"), t("f")))


@canvas
def failing_group(t):
    return group(t("a"), chain(t("b", fail=True), t("c")))


@canvas
def group_with_links(t):
    together = group(t("a"), t("b", fail=True))
    together.link(t("c"))
    together.link_error(t.caught())
    return together


@canvas
def chain_to_group(t):
    return chain(t("a"), group(t("b"), t("c")))


@canvas
def fan(t):
    return chain(t("a"), group(t.spread(peer.step.s()), t.spread(peer.step.s())))


@canvas
def fan_in(t):
    return chain(t("a"), group(t.spread(peer.step.s()), t.spread(peer.step.s())), t("b"))


@canvas
def chain_to_chains(t):
    return chain(t("a"), group(chain(t("b"), t("c")), chain(t("d"), group(t("e"), t("f")))))


# Chords


@canvas
def a_chord(t):
    return chord([t("a"), t("b"), t("c")], t("d"))


@canvas
def chord_of_one(t):
    return chord([t("a")], t("b"))


@canvas
def chord_of_none(t):
    return chord([], t("a"))


@canvas
def chord_of_none_within(t):
    a = t("a")
    a.link(chord([], t("b")))
    return a


@canvas
def failing_chord(t):
    body = t("d")
    body.link_error(t.caught())
    return chord([t("a"), t("b", fail=True), t("c")], body)


@canvas
def failing_chord_then(t):
    return chain(chord([t("a"), t("b", fail=True)], t("c")), t("d"), t("e"))


@canvas
def chord_then(t):
    return chain(chord([t("a"), t("b")], t("c")), t("d"), t("e"))


@canvas
def failing_body(t):
    body = t("c", fail=True)
    body.link_error(t.caught())
    return chain(chord([t("a"), t("b")], body), t("d"))


@canvas
def errbacks_in_header(t):
    failing = t("a", fail=True)
    failing.link_error(t.caught("one"))
    whole = chord([failing, t("b")], t("c"))
    whole.link_error(t.caught("two"))
    return whole


@canvas
def links_in_header(t):
    a, b = t("a"), t("b")
    a.link(t("x"))
    b.link(group(t("y"), t("z")))
    return chord([a, chain(b, t("c"))], t("d"))


@canvas
def fixed_parts(t):
    return chain(t("a"), group(t.fixed("b"), chain(t.fixed("c"), t("d"))), t.fixed("e"), t("f"))


@canvas
def late_chord(t):
    return chain(t("a"), chord([t("b"), t("c")], t("d")).set(countdown=0.1), t("e"))


@canvas
def chord_with_link(t):
    whole = chord([t("a"), t("b")], t("c"))
    whole.link(t("d"))
    return whole


@canvas
def chain_group_task(t):
    return chain(t("a"), group(t("b"), t("c")), t("d"))


@canvas
def group_group_task(t):
    return chain(group(t("a"), t("b")), group(t("c"), t("d")), t("e"))


@canvas
def group_task_group_task(t):
    return chain(group(t("a"), t("b")), t("c"), t("d"), group(t("e"), t("f")), t("g"), t("h"))


@canvas
def chord_in_header(t):
    return chord([chord([t("a"), t("b")], t("c")), t("d")], t("e"))


@canvas
def failing_chord_in_header(t):
    inner = chord([t("a"), t("b", fail=True)], t("c"))
    return chain(chord([inner, t("d")], t("e")), t("f"))


@canvas
def body_chain(t):
    return chord([t("a"), t("b")], chain(t("c"), t("d"), t("e")))


@canvas
def failing_body_chain(t):
    return chord([t("a", fail=True), t("b")], chain(t("c"), t("d"), t("e")))


@canvas
def body_chord(t):
    return chord([t("a"), t("b")], chord([t("c"), t("d")], t("e")))


@canvas
def failing_body_chord(t):
    return chord([t("a", fail=True), t("b")], chord([t("c"), t("d")], t("e")))


@canvas
def body_group(t):
    return chord([t("a"), t("b")], group(t("c"), t("d")))


@canvas
def failing_body_group(t):
    return chord([t("a"), t("b", fail=True)], group(t("c"), t("d")))


@canvas
def body_chain_to_group(t):
    return chord([t("a"), t("b")], chain(t("c"), group(t("d"), t("e"))))


@canvas
def nested_results(t):
    return chord([chain(t("a"), t("b")), chain(t("c"), group(t("d"), t("e"))), t("f")], t("g"))


@canvas
def failing_nested_results(t):
    return chord([chain(t("c"), group(t("d"), t("e", fail=True))), t("f")], t("g"))


@canvas
def failing_chain_in_header(t):
    return chord([chain(t("a"), t("b", fail=True), t("c")), t("d")], t("e"))


@canvas
def group_in_header(t):
    return chord([group(t("a"), t("b")), t("c")], t("d"))


@canvas
def chord_with_everything(t):
    return chain(t("a"), chord([t("b"), chain(t("c"), t("d"))], chain(t("e"), group(t("f"), t("g")))), t("h"))


@canvas
def within_chain(t):
    inner = chain(t("c"), chord([t("d"), t("e")], t("f")))
    return chain(t("a"), chord([t("b"), inner], t("g")), t("h"))


@canvas
def failing_late(t):
    inner = chain(t("c"), chord([t("d"), t("e", fail=True)], t("f")))
    whole = chain(t("a"), chord([t("b"), inner], t("g")), t("h"))
    whole.link_error(t.caught())
    return whole


@canvas
def retried_member(t):
    return chord([t("a", retry=2), t("b")], t("c"))


@canvas
def revoked_member(t):
    return chord([t("a"), t.known("gone")], t("c"))


@canvas
def expired_member(t):
    return chord([t("a"), t.known("late").set(expires=datetime(2020, 1, 1, tzinfo=timezone.utc))], t("c"))


# Many calls in one message


@canvas
def mapped(t):
    return t.spread(peer.xsum.map([[1, 2], [3], []]))


@canvas
def starmapped(t):
    return chain(t.spread(peer.add.starmap([(1, 2), (3, 4)])), t("a"))


@canvas
def chunked(t):
    return group(*(t.spread(part) for part in peer.add.chunks(zip(range(5), range(5)), 2).group().tasks))


@canvas
def chunked_sums(t):
    parts = peer.xsum.chunks([([1, 2],), ([3],), ([],)], 2).group().tasks
    return group(*(t.spread(part) for part in parts))


@canvas
def chunked_chord(t):
    parts = [t.spread(part) for part in peer.add.chunks(zip(range(5), range(5)), 2).group().tasks]
    return chain(t("a"), chord(parts, t("b")))


@canvas
def chunks_as_callback(t):
    a = t("a")
    a.link(peer.add.chunks([(1, 2), (3, 4), (5, 6)], 2))
    return a


@canvas
def failing_starmap(t):
    return chain(t.spread(peer.add.starmap([(1, 2), (3, None)])), t("a"))


# Stamps


@canvas
def stamped(t):
    whole = chain(t("a"), group(t("b"), t("c")), t("d"))
    whole.stamp(word="x", number=7)
    return whole


@canvas
def stamped_link(t):
    a = t("a")
    a.link(t("b"))
    a.stamp(word="x")
    return a


# What a Python task may do to the canvas that it is a part of


@canvas
def replaced(t):
    return chain(t("a"), t.swap("b", t("x")), t("c"))


@canvas
def replaced_by_chain(t):
    return chain(t("a"), t.swap("b", chain(t("x"), t("y"))), t("c"))


@canvas
def replaced_by_group(t):
    return chain(t("a"), t.swap("b", group(t("x"), t("y"))), t("c"))


@canvas
def replaced_by_chord(t):
    return chain(t("a"), t.swap("b", chord([t("x"), t("y")], t("z"))), t("c"))


@canvas
def replaced_members(t):
    members = [
        t.swap("a", t("x")), t.swap("b", chain(t("u"), t("v"))), t.swap("c", group(t("y"), t("z"))), t("d"),
    ]
    return chord(members, t("e"))


@canvas
def replaced_with_links(t):
    a = t.swap("a", t("x"))
    a.link(t("b"))
    a.link_error(t.caught())
    return a


@canvas
def replaced_by_failure(t):
    return chain(chord([t.swap("a", chain(t("x"), t("y", fail=True))), t("b")], t("c")), t("d"))


@canvas
def grown(t):
    # The results of those with the same place are in the order of their ids.
    members = [t.grow("a", t.known("x")).set(task_id=t.id("a")), t("b")]
    return chord(members, t("c"))


@canvas
def grown_by_chain(t):
    added = chain(t("x"), t.known("y"))
    return chord([t.grow("a", added).set(task_id=t.id("a")), t("b")], t("c"))


@canvas
def replaced_callback(t):
    a = t("a")
    a.link(t.swap("b", chain(t("x"), group(t("y"), t("z")))))
    return a


# What became of them


def sent_key(prefix):
    return f"interop:sent:{prefix}"


def send(name, direction, queues, redis):
    parts = Parts(f"{direction}/{name}", queues)
    sent = CANVASES[name](parts).apply_async()
    if isinstance(sent, GroupResult):
        sent.save()
    redis.set(sent_key(parts.prefix), json.dumps(sent.as_tuple()))


def report(prefix, redis):
    return Report(prefix, redis).all()


class Report:
    def __init__(self, prefix, redis):
        self.prefix = prefix
        self.runs = [json.loads(entry) for entry in redis.lrange(f"interop:runs:{prefix}", 0, -1)]
        self.sent = json.loads(redis.get(sent_key(prefix)) or "null")
        self.labels, self.groups, self.statuses = {}, {}, {}
        for run in self.runs:
            self.label(run["id"], run["label"])
            if run["group_index"] is not None:
                self.groups.setdefault(run["group"], set()).add(run["label"])
            self.look_into(run)
        self.by_id = {run["id"]: run for run in self.runs}
        self.roots = {}
        for run in self.runs:
            if run["chord"]:
                self.unite(run["group"], run["root_id"])
        for name in "gone", "late":
            self.label(f"{prefix}.{name}", name)
        self.find_results(self.sent, "result")
        while ids := [id for id in self.labels if id not in self.statuses]:
            stored = peer.app.backend.client.mget([f"celery-task-meta-{id}" for id in ids])
            self.statuses.update((id, text and json.loads(text)) for id, text in zip(ids, stored))
            for id in ids:
                status = self.statuses[id] or {}
                for number, child in enumerate(status.get("children") or []):
                    self.find_results(child, f"child {number} of {self.short(self.labels[id])}")

    def label(self, id, label):
        if id:
            self.labels.setdefault(id, label)

    def look_into(self, value):
        """Finds the ids of what is to follow."""
        if isinstance(value, list):
            for element in value:
                self.look_into(element)
        elif isinstance(value, dict):
            if "task" in value and "options" in value:
                id, kwargs = value["options"].get("task_id"), value["kwargs"]
                spec = kwargs.get("spec") or next((a for a in value["args"] if isinstance(a, dict) and "label" in a), {})
                if "label" in spec:
                    self.label(id, spec["label"])
                elif value["task"] in ("celery.starmap", "celery.map", "celery.accumulate"):
                    self.label(id, value["task"])
            for element in value.values():
                self.look_into(element)

    def find_results(self, tuple, name):
        """Finds the ids of what a client or a parent knows, where no run has told them: by their places."""
        if not tuple:
            return
        (id, parent), members = tuple
        if members is None:
            self.label(id, name)
        for member in members or []:
            self.find_results(member, f"member of {name}")
        self.find_results(parent, f"parent of {name}")

    def short(self, value):
        """Without what differs from one time to the next."""
        if isinstance(value, list):
            return [self.short(element) for element in value]
        if isinstance(value, dict):
            return {key: self.short(element) for key, element in value.items()}
        if not isinstance(value, str):
            return value
        value = UUID.sub(lambda found: f"<{self.labels.get(found[0], 'somebody')}>", value)
        return value.replace(f"{self.prefix}.", "")

    def name(self, id):
        return self.short(self.labels.get(id, "somebody")) if id else None

    def parent(self, id, parent):
        """Who sends the body of a chord, which of its members is the last, is not the same each time."""
        ended = self.by_id.get(parent)
        followers = ended and json.dumps([ended["callbacks"], ended["chain"], ended["errbacks"]])
        if ended and ended["chord"] and id != parent and f'"{self.labels[id]}"' not in followers:
            return f"the last of the {self.group(ended['group'])}"
        return self.name(parent)

    def unite(self, group, root):
        """Members of a chord may have roots of their own: which of these is that of the body is not the same each time."""
        one, other = self.roots.setdefault(group, {group}), self.roots.setdefault(root, {root})
        one |= other
        for member in one:
            self.roots[member] = one

    def root(self, id, root):
        if id == root:
            return "itself"
        if root in self.groups:
            return "the group that comes first"
        names = {self.name(other) for other in self.roots.get(root, {root}) if other in self.by_id}
        return f"one of {', '.join(sorted(names))}" if len(names) > 1 else self.name(root)

    def group(self, id):
        return f"group of {', '.join(sorted(map(self.short, self.groups.get(id, ['nobody']))))}" if id else None

    def result(self, tuple):
        (id, parent), members = tuple
        named = self.name(id) if members is None else [self.result(member) for member in members]
        return named if parent is None else {"result": named, "parent": self.result(parent)}

    def value(self, tuple):
        """What a client gets."""
        (id, _), members = tuple
        if members is not None:
            return [self.value(member) for member in members]
        status = self.statuses[id]
        return self.outcome(status) if status else None

    def outcome(self, status):
        result = self.short(status["result"])
        if isinstance(result, dict) and "exc_type" in result:
            return f"{result['exc_type']}: {', '.join(map(str, result['exc_message']))}"
        return result

    def all(self):
        runs = {}
        for run in self.runs:
            fields = {
                "parent": self.parent(run["id"], run["parent_id"]), "root": self.root(run["id"], run["root_id"]),
                "group": self.group(run["group"]), "index": run["group_index"], "retries": run["retries"],
            }
            stamps = {stamp: run["stamps"].get(stamp) for stamp in sorted(run["stamped_headers"] or [])}
            if stamps:
                fields["stamps"] = stamps
            if word := (run["headers"] or {}).get("word"):
                fields["word"] = word
            runs.setdefault(self.short(run["label"]), []).append(fields)
        for label in runs:
            runs[label].sort(key=lambda run: (run["retries"] or 0, run["index"] or 0))
        statuses = {}
        for id, status in self.statuses.items():
            if not status:
                continue
            statuses.setdefault(self.name(id), []).append({
                "state": status["status"], "result": self.outcome(status),
                "parent": self.parent(id, status.get("parent_id")),
                "group": self.group(status.get("group_id")),
                "children": [self.result(child) for child in status["children"] or []],
            })
        for label in statuses:
            statuses[label].sort(key=json.dumps)
        return {
            "value": self.sent and self.value(self.sent), "runs": dict(sorted(runs.items())),
            "statuses": dict(sorted(statuses.items())),
        }


UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


# Where Celery's canvases come to nothing, or to less, and ours to more: what is there once a Swift worker did the part in
# question. In mixed directions it may be either.

CHORD_ERROR = "ChordError: Dependency <{}> raised {}"


def failed(error, state="FAILURE", children=()):
    return [{"state": state, "result": error, "children": list(children)}]


IN_HEADER = CHORD_ERROR.format("c", """ChordError("Dependency <b> raised ValueError('b')")""")
LATE = CHORD_ERROR.format("f", """ChordError("Dependency <e> raised ValueError('e')")""")
OURS = {
    # Celery leaves the rest of a chain pending when a part of it is called off.
    "revoked_link": {
        "/statuses/c": failed("TaskRevokedError: revoked", "REVOKED"), "/value": "TaskRevokedError: revoked",
    },
    "expired_link": {
        "/statuses/c": failed("TaskRevokedError: expired", "REVOKED"), "/value": "TaskRevokedError: expired",
    },
    # Celery forgets the outer chord when the body of an inner one fails.
    "failing_chord_in_header": {"/statuses/e": failed(IN_HEADER), "/statuses/f": failed(IN_HEADER), "/value": IN_HEADER},
    "failing_late": {
        "/statuses/g": failed(LATE, children=[["caught"]]), "/statuses/h": failed(LATE), "/value": LATE,
        "/statuses/caught": [{"state": "SUCCESS", "result": "caught(<g>)", "children": []}],
        "/runs/caught": [{"index": 0, "retries": 0}],
    },
    # Celery tells only the last task of a body that is a chain, and nobody of one that is a chord.
    "failing_body_chain": {
        f"/statuses/{label}": failed(CHORD_ERROR.format("a", "ValueError('a')")) for label in "cd"
    },
    "failing_body_chord": {
        f"/{path}": failed(CHORD_ERROR.format("a", "ValueError('a')"))
        for path in ("statuses/c", "statuses/d", "statuses/e")
    } | {"/value": CHORD_ERROR.format("a", "ValueError('a')")},
    # Celery calls a chain in the failing process, and fails to.
    "errback_chain": {
        "/runs/caught": [{"index": None, "retries": 0}], "/runs/b": [{"index": 0, "retries": 0}],
        "/statuses/caught": [{"state": "SUCCESS", "result": "caught(<a>)", "children": ["b"]}],
        "/statuses/b": [{"state": "SUCCESS", "result": "b(caught(<a>))", "children": []}],
    },
    # Celery does not say which member failed where some are groups.
    "failing_nested_results": {
        path: CHORD_ERROR.format("e", "ValueError('e')") for path in ("/value", "/statuses/g/0/result")
    },
}


def is_meant(name, report, difference):
    """Whether it is a difference that we mean to make."""
    at, ours, celerys = difference["at"], difference["is"], difference["celery"]
    path = at.split("/")[1:]
    if name in ("failing_late", "failing_chord_in_header") and is_notice(path, ours, celerys):
        return True
    if at in OURS.get(name, {}):
        return without_places(ours) == OURS[name][at]
    if path[0] == "statuses" and path[-1] in ("parent", "group") and path[1] not in report["runs"]:
        # Of a task that never ran, Celery does not store what it belongs to.
        return celerys is None
    if path[0] == "statuses" and "children" in path:
        # The tuples of Celery hold all that goes before a child, without a limit; ours the children.
        return ours == without_parents(celerys)
    if path[0] == "runs" and path[-1] == "root" and ours == "the group that comes first":
        # Celery gives each member a root of its own; a workflow that we send has one, by which the whole is known.
        return True
    if path[0] == "runs" and path[-1] == "root":
        # Celery forgets the root of the whole for the errbacks of a body that never ran.
        return celerys == report["runs"][path[1]][int(path[2])]["parent"]
    return False


def is_notice(path, ours, celerys):
    """Whether it is the errback that tells the outer chord of the failure of the inner one, see FailureNotice.swift: a child of
    the body that failed, which the worker in Python sends, and takes itself, as it is or as what it gave way to, where it serves
    that queue as well."""
    if path[0] != "statuses":
        return False
    if path[-1] == "children":
        return celerys == [] and ours == [[f"member of child 0 of {path[1]}"]]
    notices = ("NotRegistered: chard.told", "NotRegistered: chard.fail")
    return path[1].startswith("member of child 0 of ") and ours[0]["result"] in notices


def without_places(value):
    if isinstance(value, list):
        return [{k: v for k, v in one.items() if k not in ("parent", "group", "root")} for one in value]
    return value


def without_parents(value):
    if isinstance(value, dict):
        value = value["result"]
    return [without_parents(member) for member in value] if isinstance(value, list) else value
