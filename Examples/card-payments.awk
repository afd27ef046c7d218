# SPDX-License-Identifier: Apache-2.0
#
# A seeded generator of card payments, as CSV: the same seed gives the same bytes with every awk.
#
#     awk -v rows=3000000 -v seed=42 -f Examples/card-payments.awk
#
# One day and a bit per million rows: payments about 90 ms apart, 20,000 cards of which few pay often, 5,000 terminals,
# amounts of two decimals with a long tail, and one payment in 200 a fraud (large, at night-time terminals).
# Random numbers: Park and Miller's minimal standard generator, exact in an awk's doubles.

function random() {
    state = (state * 16807) % 2147483647
    return state / 2147483647
}

function two(n) { return n < 10 ? "0" n : n }

BEGIN {
    if (!rows) rows = 3000000
    state = (seed ? seed : 42) % 2147483647
    OFS = ","
    print "time", "card_id", "terminal_id", "amount", "is_fraud"
    days_in_month = 31
    milliseconds = 0
    for (i = 0; i < rows; i++) {
        milliseconds += int(random() * 180)
        seconds = int(milliseconds / 1000)
        day = 1 + int(seconds / 86400)
        rest = seconds % 86400
        u = random()
        card = int(20000 * u * u * u)
        terminal = int(random() * 5000)
        fraud = random() < 0.005
        v = random()
        amount = fraud ? 200 + 800 * v : 2 + 60 * v / (1.02 - v * v)
        printf "2026-01-%s %s:%s:%s.%03d,card_%05d,%d,%.2f,%s\n", two(day), two(int(rest / 3600)), \
            two(int(rest / 60) % 60), two(rest % 60), milliseconds % 1000, card, terminal, amount, fraud ? "t" : "f"
    }
}
