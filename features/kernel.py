"""The one compiled pass over a lead's events: from visible rows to feature values.

Definitions reach it as arrays (`features.compute.Plan`), so that a new workspace compiles nothing. For each moment of a
lead, in the order of time:

- what counts *ever* advances over the events that have become visible since the last moment, up to the first that is not
  visible yet; visible events behind that one are added to a copy. So dense moments don't read old events again, and
  the sums still run in canonical order.
- what counts *within a window* takes one scan over the events of the longest window. An event is put into its smallest
  window; windows are cumulated at the end, so that their number is nearly free. A distinct day (or session) is an event
  that starts one, or whose predecessor lies outside the window. Sums go to each window directly, in canonical order.

No fastmath: the same bits as the plain Python oracle of the tests.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np

if not os.environ.get("NUMBA_CACHE_DIR"):
    # Beside the interpreter's packages: the source tree may be read-only, and a workspace is not ours to fill.
    numba.config.CACHE_DIR = str(Path(sys.prefix) / "var" / "cache" / "propensity-numba")  # type: ignore[attr-defined]

DAY = 86_400_000_000.0
SESSION_GAP = 1_800_000_000

(
    COUNT, DAYS, SESSIONS, SHARE, SUM, MEAN, MAX, LAST_NUMBER, SINCE_LAST, SINCE_FIRST, MEAN_GAP, LAST_GAP, TREND, DECAYED,
    LAST_CATEGORY, DISTINCT, ATTRIBUTE_NUMBER, ATTRIBUTE_CATEGORY, ATTRIBUTE_AGE, SINCE_CREATION,
) = range(20)  # fmt: skip
"""Operations of the plan's table: what a column of the result is."""

LAST_EVENTS = 3
"""How many of the last events are kept for `LAST_CATEGORY`."""

# columns of the integer state of a stream
N_EVENTS, N_DAYS, N_SESSIONS, FIRST, LAST, BEFORE_LAST, LAST_DAY = range(7)
STREAM_STATE = 7

# 2 ** -(2 ** -1), 2 ** -(2 ** -2), ...: literals, because libm's exp2 and pow differ between processors
HALF_POWERS = np.array(
    [
        0.7071067811865476, 0.8408964152537145, 0.9170040432046712, 0.9576032806985737, 0.9785720620877001,
        0.9892280131939755, 0.9945994234836332, 0.9972960560854701, 0.9986471128909702, 0.9993233275026507,
        0.9996616064962437, 0.9998307889319291, 0.9999153908866135, 0.9999576945484311, 0.9999788470504919,
        0.9999894234693144,
    ]
)  # fmt: skip


def _jit(function: Any) -> Any:
    return numba.njit(cache=True, nogil=True, error_model="numpy")(function)


@_jit
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


@_jit
def _advance(stream, e, t, day, state, sums, maxima, known, last_value, decay, numbers,
             slot_start, slot_row, decay_start, half_lives):  # fmt: skip
    """Add event `e` to what its stream counts ever."""
    row = state[stream]
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
        decay[j] = decay[j] * half_power(t - row[LAST], half_lives[j]) + 1.0 if row[N_EVENTS] else 1.0
    row[N_EVENTS] += 1
    row[LAST] = t
    row[LAST_DAY] = day
    for j in range(slot_start[stream], slot_start[stream + 1]):
        value = numbers[slot_row[j], e]
        if not np.isnan(value):
            sums[j] += value
            if known[j] == 0 or value > maxima[j]:
                maxima[j] = value
            known[j] += 1
            last_value[j] = value


@_jit
def compute_leads(
    first_lead, last_lead,
    # moments, sorted by lead and time: offsets per lead, their instants and the rows of `out` they fill
    moment_offsets, as_of, out_row, out,
    # history
    created_at, offsets, occurred_at, known_at, days, codes, numbers,
    attribute_offsets, valid_from, attribute_known_at, attribute_codes, attribute_numbers,
    # plan
    ops, windows, n_streams, route_row, route_offset, lookup,
    slot_start, slot_row, decay_start, half_lives,
):  # fmt: skip
    """Fill the rows of `out` that belong to moments of leads ``first_lead <= lead < last_lead``."""
    n_windows, n_routes, n_ops = len(windows), len(route_row), len(ops)
    n_slots, n_decays = len(slot_row), len(half_lives)
    longest = windows[n_windows - 1] if n_windows else 0

    prefix_state = np.zeros((n_streams, STREAM_STATE), np.int64)
    prefix_sums, prefix_maxima = np.zeros(n_slots), np.zeros(n_slots)
    prefix_known, prefix_last = np.zeros(n_slots, np.int64), np.zeros(n_slots)
    prefix_decay, prefix_recent = np.zeros(n_decays), np.zeros(LAST_EVENTS, np.int64)
    copy_state = np.zeros((n_streams, STREAM_STATE), np.int64)
    copy_sums, copy_maxima = np.zeros(n_slots), np.zeros(n_slots)
    copy_known, copy_last = np.zeros(n_slots, np.int64), np.zeros(n_slots)
    copy_decay, copy_recent = np.zeros(n_decays), np.zeros(LAST_EVENTS, np.int64)

    counts = np.zeros((n_streams, n_windows), np.int64)
    day_counts = np.zeros((n_streams, n_windows), np.int64)
    session_counts = np.zeros((n_streams, n_windows), np.int64)
    before_bin = np.zeros(n_streams, np.int64)
    before_time = np.zeros(n_streams, np.int64)
    before_day = np.zeros(n_streams, np.int64)
    window_sums = np.zeros((n_slots, n_windows))
    window_maxima = np.zeros((n_slots, n_windows))
    window_known = np.zeros((n_slots, n_windows), np.int64)
    streams = np.zeros(n_routes + 1, np.int64)

    for lead in range(first_lead, last_lead):
        first_moment, last_moment = moment_offsets[lead], moment_offsets[lead + 1]
        if first_moment == last_moment:
            continue
        start, end = offsets[lead], offsets[lead + 1]
        prefix_state[:] = 0
        prefix_sums[:] = 0.0
        prefix_known[:] = 0
        prefix_decay[:] = 0.0
        prefix_recent[:] = -1
        prefix = start  # events before this one are in the prefix state
        low = start  # events before this one are older than the longest window

        for m in range(first_moment, last_moment):
            moment = as_of[m]

            # ---- ever: the prefix, and a copy where visible events stand behind one that is not
            while prefix < end and occurred_at[prefix] < moment and known_at[prefix] < moment:
                t, day = occurred_at[prefix], days[prefix]
                _advance(0, prefix, t, day, prefix_state, prefix_sums, prefix_maxima, prefix_known, prefix_last,
                         prefix_decay, numbers, slot_start, slot_row, decay_start, half_lives)  # fmt: skip
                for r in range(n_routes):
                    stream = lookup[route_offset[r] + 1 + codes[route_row[r], prefix]]
                    if stream >= 0:
                        _advance(stream, prefix, t, day, prefix_state, prefix_sums, prefix_maxima, prefix_known,
                                 prefix_last, prefix_decay, numbers, slot_start, slot_row, decay_start,
                                 half_lives)  # fmt: skip
                for i in range(LAST_EVENTS - 1, 0, -1):
                    prefix_recent[i] = prefix_recent[i - 1]
                prefix_recent[0] = prefix
                prefix += 1
            state, sums, maxima, known = prefix_state, prefix_sums, prefix_maxima, prefix_known
            last_value, decay, recent = prefix_last, prefix_decay, prefix_recent
            copied = False
            for e in range(prefix, end):
                if occurred_at[e] >= moment:
                    break
                if known_at[e] >= moment:
                    continue
                if not copied:
                    copied = True
                    copy_state[:] = prefix_state
                    copy_sums[:] = prefix_sums
                    copy_maxima[:] = prefix_maxima
                    copy_known[:] = prefix_known
                    copy_last[:] = prefix_last
                    copy_decay[:] = prefix_decay
                    copy_recent[:] = prefix_recent
                    state, sums, maxima, known = copy_state, copy_sums, copy_maxima, copy_known
                    last_value, decay, recent = copy_last, copy_decay, copy_recent
                t, day = occurred_at[e], days[e]
                _advance(0, e, t, day, state, sums, maxima, known, last_value, decay, numbers,
                         slot_start, slot_row, decay_start, half_lives)  # fmt: skip
                for r in range(n_routes):
                    stream = lookup[route_offset[r] + 1 + codes[route_row[r], e]]
                    if stream >= 0:
                        _advance(stream, e, t, day, state, sums, maxima, known, last_value, decay, numbers,
                                 slot_start, slot_row, decay_start, half_lives)  # fmt: skip
                for i in range(LAST_EVENTS - 1, 0, -1):
                    recent[i] = recent[i - 1]
                recent[0] = e

            # ---- within windows: one scan over the longest
            if n_windows:
                counts[:] = 0
                day_counts[:] = 0
                session_counts[:] = 0
                window_sums[:] = 0.0
                window_known[:] = 0
                before_bin[:] = -1
                while low < end and moment - occurred_at[low] > longest:
                    low += 1
                window = n_windows - 1
                for e in range(low, end):
                    t = occurred_at[e]
                    if t >= moment:
                        break
                    if known_at[e] >= moment:
                        continue
                    while window > 0 and moment - t <= windows[window - 1]:
                        window -= 1
                    day = days[e]
                    n_hit = 1
                    for r in range(n_routes):
                        stream = lookup[route_offset[r] + 1 + codes[route_row[r], e]]
                        if stream >= 0:
                            streams[n_hit] = stream
                            n_hit += 1
                    for h in range(n_hit):
                        stream = streams[h]
                        counts[stream, window] += 1
                        before = before_bin[stream]
                        if before < 0:
                            day_counts[stream, window] += 1
                            session_counts[stream, window] += 1
                        else:
                            if day != before_day[stream]:
                                day_counts[stream, window] += 1
                            elif before != window:  # counts only where the window holds it but not its predecessor
                                day_counts[stream, window] += 1
                                day_counts[stream, before] -= 1
                            if t - before_time[stream] > SESSION_GAP:
                                session_counts[stream, window] += 1
                            elif before != window:
                                session_counts[stream, window] += 1
                                session_counts[stream, before] -= 1
                        before_bin[stream] = window
                        before_time[stream] = t
                        before_day[stream] = day
                        for j in range(slot_start[stream], slot_start[stream + 1]):
                            value = numbers[slot_row[j], e]
                            if not np.isnan(value):
                                for w in range(window, n_windows):
                                    window_sums[j, w] += value
                                    if window_known[j, w] == 0 or value > window_maxima[j, w]:
                                        window_maxima[j, w] = value
                                    window_known[j, w] += 1
                for stream in range(n_streams):
                    for w in range(1, n_windows):
                        counts[stream, w] += counts[stream, w - 1]
                        day_counts[stream, w] += day_counts[stream, w - 1]
                        session_counts[stream, w] += session_counts[stream, w - 1]

            # ---- the columns
            row = out[out_row[m]]
            for c in range(n_ops):
                op, a, b = ops[c, 0], ops[c, 1], ops[c, 2]
                value = np.nan
                if op == COUNT:
                    value = float(counts[a, b] if b < n_windows else state[a, N_EVENTS])
                elif op == DAYS:
                    value = float(day_counts[a, b] if b < n_windows else state[a, N_DAYS])
                elif op == SESSIONS:
                    value = float(session_counts[a, b] if b < n_windows else state[a, N_SESSIONS])
                elif op == SHARE:
                    part = counts[a, b] if b < n_windows else state[a, N_EVENTS]
                    whole = counts[0, b] if b < n_windows else state[0, N_EVENTS]
                    if whole > 0:
                        value = float(part) / float(whole)
                elif op == SUM:
                    value = window_sums[a, b] if b < n_windows else sums[a]
                elif op == MEAN:
                    n = window_known[a, b] if b < n_windows else known[a]
                    if n > 0:
                        value = (window_sums[a, b] if b < n_windows else sums[a]) / float(n)
                elif op == MAX:
                    if b < n_windows:
                        if window_known[a, b] > 0:
                            value = window_maxima[a, b]
                    elif known[a] > 0:
                        value = maxima[a]
                elif op == LAST_NUMBER:
                    if known[a] > 0:
                        value = last_value[a]
                elif op == SINCE_LAST:
                    if state[a, N_EVENTS] > 0:
                        value = float(moment - state[a, LAST]) / DAY
                elif op == SINCE_FIRST:
                    if state[a, N_EVENTS] > 0:
                        value = float(moment - state[a, FIRST]) / DAY
                elif op == MEAN_GAP:
                    if state[a, N_EVENTS] > 1:
                        value = float(state[a, LAST] - state[a, FIRST]) / DAY / float(state[a, N_EVENTS] - 1)
                elif op == LAST_GAP:
                    if state[a, N_EVENTS] > 1:
                        value = float(state[a, LAST] - state[a, BEFORE_LAST]) / DAY
                elif op == TREND:
                    short, long = counts[a, b], counts[a, ops[c, 3]]
                    if long > 0:
                        value = (float(short) * float(windows[ops[c, 3]])) / (float(long) * float(windows[b]))
                elif op == DECAYED:
                    stream = ops[c, 3]
                    value = 0.0
                    if state[stream, N_EVENTS] > 0:
                        value = decay[a] * half_power(moment - state[stream, LAST], half_lives[a])
                elif op == LAST_CATEGORY:
                    e = recent[b - 1]
                    if e >= 0:
                        code = lookup[ops[c, 3] + 1 + codes[a, e]]
                        if code >= 0:
                            value = float(code)
                elif op == DISTINCT:
                    w, n = ops[c, 3], 0
                    for stream in range(a, b):
                        if (counts[stream, w] if w < n_windows else state[stream, N_EVENTS]) > 0:
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
