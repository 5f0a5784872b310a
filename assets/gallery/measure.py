"""Print the CPU time that tabulate needs for one table of 500 rows and 8 columns: the best of twenty.

The table is what people print: names, counts, amounts as text and as numbers, dates, flags, gaps.
A table that differs from the one of version 0.10.0 is an error, not a time.
"""

import datetime
import hashlib
import random
import time

from tabulate import tabulate

HEADERS = ["name", "town", "count", "share", "amount", "day", "active", "note"]
TOWNS = ["Ankara", "Bergen", "Córdoba", "Düsseldorf", "Évora", "Fukuoka", "Kraków", "東京"]
NOTES = ["", None, "paid", "to be checked by hand", "n/a", "see 2024-17", "twice"]
EXPECTED = "c0e3f5b3c68b2df5"


def make_rows(count):
    rng = random.Random(42)
    start = datetime.date(2024, 1, 1)
    return [
        [
            f"customer {rng.randrange(10**6):06d}",
            rng.choice(TOWNS),
            rng.randrange(1, 5000),
            rng.random() * 100,
            f"{rng.randrange(10**7) / 100:,.2f}",
            start + datetime.timedelta(days=rng.randrange(700)),
            rng.random() < 0.8,
            rng.choice(NOTES),
        ]
        for _ in range(count)
    ]


def seconds(rows):
    start = time.process_time()
    text = tabulate(rows, headers=HEADERS)
    taken = time.process_time() - start
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    if digest != EXPECTED:
        raise SystemExit(f"the table has changed: {digest}")
    return taken


if __name__ == "__main__":
    rows = make_rows(500)
    print(f"METRIC cpu_ms={1000 * min(seconds(rows) for _ in range(20)):.2f}")
