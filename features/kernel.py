"""The one compiled pass over a lead's events: from visible rows to feature values.

Definitions reach it as arrays (`features.plan.Plan`), so that a new workspace compiles nothing. For each moment of a
lead, in the order of time, what counts *ever* advances over the events that have become visible since the last moment,
up to the first that is not visible yet; visible events behind that one are added to a copy. So dense moments don't read
old events again, and sums run in canonical order all the same. What counts *within a window* is `features.windows`.

No fastmath: the same bits as the plain Python oracle of the tests.
"""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from features.compiling import compiled, inlined
from features.definitions.constants import LAST_EVENTS, SESSION_GAP
from features.windows import (
    BEFORE_LAST,
    FIRST,
    LAST,
    LAST_DAY,
    N_DAYS,
    N_EVENTS,
    N_SESSIONS,
    STREAM_STATE,
    Rows,
    Streams,
    follow_streams,
    move_edges,
    new_before,
    new_edges,
    new_within,
    numbered_events,
    scan_windows,
    start_edges,
    streams_of,
)

DAY = 86_400_000_000.0

(
    COUNT, DAYS, SESSIONS, SHARE, SUM, MEAN, MAX, LAST_NUMBER, SINCE_LAST, SINCE_FIRST, MEAN_GAP, LAST_GAP, TREND, DECAYED,
    LAST_CATEGORY, DISTINCT, ATTRIBUTE_NUMBER, ATTRIBUTE_CATEGORY, ATTRIBUTE_AGE, SINCE_CREATION,
) = range(20)  # fmt: skip
"""Operations of the plan's table: what a column of the result is."""

# 2 ** -(2 ** -1), 2 ** -(2 ** -2), ...: literals, because libm's exp2 and pow differ between processors
HALF_POWERS = np.array(
    [
        0.7071067811865476, 0.8408964152537145, 0.9170040432046712, 0.9576032806985737, 0.9785720620877001,
        0.9892280131939755, 0.9945994234836332, 0.9972960560854701, 0.9986471128909702, 0.9993233275026507,
        0.9996616064962437, 0.9998307889319291, 0.9999153908866135, 0.9999576945484311, 0.9999788470504919,
        0.9999894234693144,
    ]
)  # fmt: skip


@inlined
def half_power(age: int, half_life: int) -> float:
    """``2 ** -(age / half_life)`` in steps of 1/65536 half-life, 0 from 64 half-lives: a fixed sequence of products."""
    whole = age // half_life
    if whole >= 64:
        return 0.0
    part = ((age % half_life) * 65536) // half_life
    result = 1.0
    for bit in range(16):
        if part & (32768 >> bit):
            result *= HALF_POWERS[bit]
    for _ in range(whole):
        result *= 0.5
    return result


SLIDE_MOMENTS, SLIDE_EVENTS = 16, 64
"""From so many moments of a lead with so many events on, windows' edges move; below, a scan a moment costs less."""

Ever = namedtuple("Ever", "state sums maxima known last_value decay recent")
"""What counts ever: ``[stream, column]`` integers, by slot and by decay floats, and the last events of all."""


@compiled
def _new_ever(n_streams, n_slots, n_decays):
    return Ever(
        np.zeros((n_streams, STREAM_STATE), np.int64), np.zeros(n_slots), np.zeros(n_slots),
        np.zeros(n_slots, np.int64), np.zeros(n_slots), np.zeros(n_decays), np.zeros(LAST_EVENTS, np.int64),
    )  # fmt: skip


@compiled
def _clear(ever):
    ever.state[:] = 0
    ever.sums[:] = 0.0
    ever.known[:] = 0
    ever.decay[:] = 0.0
    ever.recent[:] = -1


@compiled
def _copy(source, target):
    target.state[:] = source.state
    target.sums[:] = source.sums
    target.maxima[:] = source.maxima
    target.known[:] = source.known
    target.last_value[:] = source.last_value
    target.decay[:] = source.decay
    target.recent[:] = source.recent


@inlined
def _advance(ever, e, rows, streams, decay_start, half_lives, hit):
    """Add event `e` to what all its streams count ever."""
    t, day = rows.occurred_at[e], rows.days[e]
    for h in range(streams_of(e, rows, streams, hit)):
        stream = hit[h]
        row = ever.state[stream]
        if row[N_EVENTS] == 0:
            row[FIRST] = t
            row[N_DAYS] = 1
            row[N_SESSIONS] = 1
        else:
            if day != row[LAST_DAY]:
                row[N_DAYS] += 1
            if t - row[LAST] > SESSION_GAP:
                row[N_SESSIONS] += 1
            row[BEFORE_LAST] = row[LAST]
        for j in range(decay_start[stream], decay_start[stream + 1]):
            faded = ever.decay[j] * half_power(t - row[LAST], half_lives[j]) if row[N_EVENTS] else 0.0
            ever.decay[j] = faded + 1.0
        row[N_EVENTS] += 1
        row[LAST] = t
        row[LAST_DAY] = day
        for j in range(streams.slot_start[stream], streams.slot_start[stream + 1]):
            value = rows.numbers[streams.slot_row[j], e]
            if not np.isnan(value):
                ever.sums[j] += value
                if ever.known[j] == 0 or value > ever.maxima[j]:
                    ever.maxima[j] = value
                ever.known[j] += 1
                ever.last_value[j] = value
    for i in range(LAST_EVENTS - 1, 0, -1):
        ever.recent[i] = ever.recent[i - 1]
    ever.recent[0] = e


@compiled
def compute_leads(
    first_lead, last_lead,
    # moments, sorted by lead and time: offsets per lead, their instants and the rows of `out` they fill
    moment_offsets, as_of, out_row, out, slide_moments, slide_events,
    # history
    created_at, offsets, occurred_at, known_at, days, codes, numbers,
    attribute_offsets, valid_from, attribute_known_at, attribute_codes, attribute_numbers,
    # plan
    ops, windows, n_streams, route_row, route_offset, lookup,
    slot_start, slot_row, decay_start, half_lives,
):  # fmt: skip
    """Fill the rows of `out` that belong to moments of leads ``first_lead <= lead < last_lead``."""
    n_windows, n_ops = len(windows), len(ops)
    longest = windows[n_windows - 1] if n_windows else 0
    rows = Rows(occurred_at, known_at, days, codes, numbers)
    streams = Streams(n_streams, route_row, route_offset, lookup, slot_start, slot_row)
    prefix_ever = _new_ever(n_streams, len(slot_row), len(half_lives))
    copy_ever = _new_ever(n_streams, len(slot_row), len(half_lives))
    within = new_within(n_streams, len(slot_row), n_windows)
    before = new_before(n_streams)
    edges = new_edges(n_windows, n_streams)
    hit, next_of = np.zeros(len(route_row) + 1, np.int64), np.zeros(n_streams, np.int64)
    following, numbered = np.zeros((len(hit), 0), np.int64), np.zeros(0, np.int64)

    for lead in range(first_lead, last_lead):
        first_moment, last_moment = moment_offsets[lead], moment_offsets[lead + 1]
        if first_moment == last_moment:
            continue
        start, end = offsets[lead], offsets[lead + 1]
        _clear(prefix_ever)
        prefix = start  # events before this one are in the prefix state
        low = start  # events before this one are older than the longest window
        slide = n_windows > 0 and last_moment - first_moment >= slide_moments and end - start >= slide_events
        if slide:
            start_edges(edges, start)
            following = np.empty((len(hit), end - start), np.int64)
            follow_streams(start, end, rows, streams, hit, next_of, following)
            numbered = np.empty(end - start, np.int64)
            numbered = numbered[: numbered_events(start, end, rows, streams, hit, numbered)]

        for m in range(first_moment, last_moment):
            moment = as_of[m]

            # ---- ever: the prefix, and a copy where visible events stand behind one that is not
            while prefix < end and occurred_at[prefix] < moment and known_at[prefix] < moment:
                _advance(prefix_ever, prefix, rows, streams, decay_start, half_lives, hit)
                prefix += 1
            ever = prefix_ever
            copied = False
            for e in range(prefix, end):
                if occurred_at[e] >= moment:
                    break
                if known_at[e] >= moment:
                    continue
                if not copied:
                    _copy(prefix_ever, copy_ever)
                    ever = copy_ever
                    copied = True
                _advance(ever, e, rows, streams, decay_start, half_lives, hit)

            # ---- within windows
            if slide and (prefix == end or occurred_at[prefix] >= moment):
                move_edges(
                    within,
                    edges,
                    prefix_ever.state,
                    start,
                    prefix,
                    moment,
                    windows,
                    rows,
                    streams,
                    hit,
                    following,
                    numbered,
                )
            elif n_windows:
                while low < end and moment - occurred_at[low] > longest:
                    low += 1
                scan_windows(within, before, low, end, moment, windows, rows, streams, hit)

            # ---- the columns
            row = out[out_row[m]]
            for c in range(n_ops):
                op, a, b = ops[c, 0], ops[c, 1], ops[c, 2]
                value = np.nan
                if op == COUNT:
                    value = float(within.counts[a, b] if b < n_windows else ever.state[a, N_EVENTS])
                elif op == DAYS:
                    value = float(within.days[a, b] if b < n_windows else ever.state[a, N_DAYS])
                elif op == SESSIONS:
                    value = float(within.sessions[a, b] if b < n_windows else ever.state[a, N_SESSIONS])
                elif op == SHARE:
                    part = within.counts[a, b] if b < n_windows else ever.state[a, N_EVENTS]
                    whole = within.counts[0, b] if b < n_windows else ever.state[0, N_EVENTS]
                    if whole > 0:
                        value = float(part) / float(whole)
                elif op == SUM:
                    value = within.sums[a, b] if b < n_windows else ever.sums[a]
                elif op == MEAN:
                    n = within.known[a, b] if b < n_windows else ever.known[a]
                    if n > 0:
                        value = (within.sums[a, b] if b < n_windows else ever.sums[a]) / float(n)
                elif op == MAX:
                    if b < n_windows:
                        if within.known[a, b] > 0:
                            value = within.maxima[a, b]
                    elif ever.known[a] > 0:
                        value = ever.maxima[a]
                elif op == LAST_NUMBER:
                    if ever.known[a] > 0:
                        value = ever.last_value[a]
                elif op == SINCE_LAST:
                    if ever.state[a, N_EVENTS] > 0:
                        value = float(moment - ever.state[a, LAST]) / DAY
                elif op == SINCE_FIRST:
                    if ever.state[a, N_EVENTS] > 0:
                        value = float(moment - ever.state[a, FIRST]) / DAY
                elif op == MEAN_GAP:
                    if ever.state[a, N_EVENTS] > 1:
                        value = (
                            float(ever.state[a, LAST] - ever.state[a, FIRST]) / DAY / float(ever.state[a, N_EVENTS] - 1)
                        )
                elif op == LAST_GAP:
                    if ever.state[a, N_EVENTS] > 1:
                        value = float(ever.state[a, LAST] - ever.state[a, BEFORE_LAST]) / DAY
                elif op == TREND:
                    short, long = within.counts[a, b], within.counts[a, ops[c, 3]]
                    if long > 0:
                        value = (float(short) * float(windows[ops[c, 3]])) / (float(long) * float(windows[b]))
                elif op == DECAYED:
                    stream = ops[c, 3]
                    value = 0.0
                    if ever.state[stream, N_EVENTS] > 0:
                        value = ever.decay[a] * half_power(moment - ever.state[stream, LAST], half_lives[a])
                elif op == LAST_CATEGORY:
                    e = ever.recent[b - 1]
                    if e >= 0:
                        code = lookup[ops[c, 3] + 1 + codes[a, e]]
                        if code >= 0:
                            value = float(code)
                elif op == DISTINCT:
                    w, n = ops[c, 3], 0
                    for stream in range(a, b):
                        if (within.counts[stream, w] if w < n_windows else ever.state[stream, N_EVENTS]) > 0:
                            n += 1
                    value = float(n)
                elif op == SINCE_CREATION:
                    value = float(moment - created_at[lead]) / DAY
                else:
                    for i in range(attribute_offsets[lead + 1] - 1, attribute_offsets[lead] - 1, -1):
                        if valid_from[i] >= moment or attribute_known_at[i] >= moment:
                            continue
                        if op == ATTRIBUTE_CATEGORY:
                            code = attribute_codes[a, i]
                            if code >= 0:
                                category = lookup[b + 1 + code]
                                if category >= 0:
                                    value = float(category)
                                break
                        else:
                            cell = attribute_numbers[a, i]
                            if not np.isnan(cell):
                                value = cell if op == ATTRIBUTE_NUMBER else (float(moment) - cell) / DAY
                                break
                row[c] = value
