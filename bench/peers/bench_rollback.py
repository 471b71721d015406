#!/usr/bin/env python3
"""How long a rollback takes, on a running mill whose live version has a parent.

    python3 bench/peers/bench_rollback.py --port 8080 --times 20 [--in-rounds]

Rolls back and promotes again, so many times; with --in-rounds in the middle of rounds, which it starts by preferences (the
mill with -Dtrainer.round.minimum-preferences=10), one while the round reads and one while it trains to two in its gate. Prints, for the rollbacks,
the time from the command to the answer of /v1/loop that the parent serves, and from the event on `checkpoints` to the
gateway's switch. Standard library only.
"""

import argparse
import http.client
import json
import random
import statistics
import time
from datetime import datetime


PHASES = {"reading": 0.3, "training": 0.5, "gating": 2}
"""Seconds from its beginning in which the moment lies."""


class Mill:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method, path, body=None):
        self.connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
        return json.loads(self.connection.getresponse().read())

    def loop(self):
        return self.ask("GET", "/v1/loop")

    def until_served(self, command, version):
        """Seconds from the command to the answer that the version serves."""
        start = time.monotonic()
        self.ask("POST", "/v1/commands", command)
        while self.loop()["served"]["version"] != version:
            if time.monotonic() - start > 120:
                raise SystemExit(f"{version} does not serve after 120 s: {self.loop()['round']['message']}")
            time.sleep(0.005)
        return time.monotonic() - start

    def live(self):
        """The version that is live, and its parent; waits until it serves."""
        while True:
            loop = self.loop()
            child = loop["served"]["version"]
            if child == max(v["version"] for v in loop["versions"] if v["state"] == "promoted"):
                return child, next(v["parent"] for v in loop["versions"] if v["version"] == child)
            time.sleep(0.02)

    def in_a_round(self, phase):
        """Starts rounds until one is seen in the phase, and waits for a random moment in it; False where it was over by then."""
        pairs = [("were", "was"), ("have", "has"), ("are", "is")]
        for _ in range(16):
            right, wrong = random.choice(pairs)
            tail = f" {random.choice(['late', 'ready', 'home', 'tired'])} {random.randrange(10**6)}."
            self.ask(
                "POST",
                "/v1/preferences",
                {"prompt": "Say it in good English.", "chosen": f"They {right}{tail}", "rejected": f"They {wrong}{tail}"},
            )
        start = time.monotonic()
        while self.loop()["round"]["phase"] != phase:
            if time.monotonic() - start > 60:
                raise SystemExit(f"No round is {phase} after 60 s: {self.loop()['round']['message']}")
            time.sleep(0.02)
        time.sleep(random.random() * PHASES[phase])
        return self.loop()["round"]["phase"] == phase


def instant(text):
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole).timestamp() + float("0." + (fraction or "0"))


def told(name, seconds):
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    print(f"{name}: median {statistics.median(ordered):.3f} s, p95 {p95:.3f} s, most {ordered[-1]:.3f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--in-rounds", action="store_true")
    arguments = parser.parse_args()
    mill = Mill(arguments.port)
    child, parent = mill.live()
    if not parent:
        raise SystemExit(f"{child} has no parent to roll back to; run a round first.")
    random.seed(1)
    commands, events = [], []
    while len(commands) < arguments.times:
        phase = ("reading", "training", "gating", "gating")[len(commands) % 4]
        if arguments.in_rounds and not mill.in_a_round(phase):
            continue
        child, parent = mill.live()
        commands.append(mill.until_served({"kind": "rollback", "version": parent, "reason": "bench"}, parent))
        loop = mill.loop()
        event = next(v for v in loop["versions"] if v["version"] == child)
        events.append(instant(loop["served"]["since"]) - instant(event["time"]))
        time.sleep(1)
        mill.until_served({"kind": "promote", "version": child}, child)
        time.sleep(1)
    where = ", one while a round reads and one while it trains to two in its gate" if arguments.in_rounds else ""
    print(f"{arguments.times} rollbacks{where}")
    print("in turn: " + " ".join(f"{seconds:.2f}" for seconds in commands))
    told("command to served", commands)
    told("event to served", events)


if __name__ == "__main__":
    main()
