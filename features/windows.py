"""Events, days, sessions and numbers within windows: by one scan, or by moving the windows' edges.

Both fill the same table with the same bits. A scan reads the events of the longest window once for each moment: best for
the few moments that a lead has as a rule. Where a busy lead has many moments, edges move instead: an event enters once
and leaves each window once, and the cost no longer grows with moments x events. Only sums and maxima are then still
taken over the window, in canonical order: adding and subtracting floats would give other bits.
"""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from features.compiling import compiled, inlined
from features.definitions.constants import SESSION_GAP

# columns of the integer state of a stream: what `features.kernel` counts ever
N_EVENTS, N_DAYS, N_SESSIONS, FIRST, LAST, BEFORE_LAST, LAST_DAY = range(7)
STREAM_STATE = 7

Rows = namedtuple("Rows", "occurred_at known_at days codes numbers")
"""Events of all leads as columns."""

Streams = namedtuple("Streams", "n route_row route_offset lookup slot_start slot_row")
"""Which streams an event belongs to, and the numbers (slots) that each stream is asked for."""

Within = namedtuple("Within", "counts days sessions sums maxima known")
"""``[stream, window]`` of events, days and sessions; ``[slot, window]`` of sums, maxima and known cells."""

Before = namedtuple("Before", "window time day")
"""Of each stream the last event that a scan has met: smallest window that holds it (-1: none met), time and day."""

Edges = namedtuple("Edges", "at counts days sessions last_day last_time next_inside")
"""For each window the first event that it holds; ``[window, stream]`` of what lies before that, and which event of
the stream comes next."""


@compiled
def new_within(n_streams, n_slots, n_windows):
    """An empty table."""
    return Within(
        np.zeros((n_streams, n_windows), np.int64), np.zeros((n_streams, n_windows), np.int64),
        np.zeros((n_streams, n_windows), np.int64), np.zeros((n_slots, n_windows)), np.zeros((n_slots, n_windows)),
        np.zeros((n_slots, n_windows), np.int64),
    )  # fmt: skip


@compiled
def new_before(n_streams):
    """Nothing met yet."""
    return Before(np.zeros(n_streams, np.int64), np.zeros(n_streams, np.int64), np.zeros(n_streams, np.int64))


@compiled
def new_edges(n_windows, n_streams):
    """Room for the edges; `start_edges` sets them for a lead."""
    shape = (n_windows, n_streams)
    return Edges(
        np.zeros(n_windows, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64),
        np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64),
    )  # fmt: skip


@inlined
def streams_of(e, rows, streams, hit):
    """Put the streams of event `e` into `hit`, that of all events first; their number."""
    hit[0] = 0
    n = 1
    for r in range(len(streams.route_row)):
        stream = streams.lookup[streams.route_offset[r] + 1 + rows.codes[streams.route_row[r], e]]
        if stream >= 0:
            hit[n] = stream
            n += 1
    return n


@inlined
def _add_numbers(within, window, stream, e, rows, streams):
    """Add an event's numbers to every window that holds it."""
    for j in range(streams.slot_start[stream], streams.slot_start[stream + 1]):
        value = rows.numbers[streams.slot_row[j], e]
        if not np.isnan(value):
            for w in range(window, within.sums.shape[1]):
                within.sums[j, w] += value
                if within.known[j, w] == 0 or value > within.maxima[j, w]:
                    within.maxima[j, w] = value
                within.known[j, w] += 1


@compiled
def scan_windows(within, before, low, end, moment, windows, rows, streams, hit):
    """Fill `within` for a moment from the visible events of ``low:end``; those before `low` are in no window.

    An event is put into its smallest window, and windows are cumulated at the end. A day (or session) is an event
    that starts one, or whose predecessor lies outside the window: it counts where the window holds it but not that.
    """
    within.counts[:] = 0
    within.days[:] = 0
    within.sessions[:] = 0
    within.sums[:] = 0.0
    within.known[:] = 0
    before.window[:] = -1
    window = len(windows) - 1
    for e in range(low, end):
        t = rows.occurred_at[e]
        if t >= moment:
            break
        if rows.known_at[e] >= moment:
            continue
        while window > 0 and moment - t <= windows[window - 1]:
            window -= 1
        day = rows.days[e]
        for h in range(streams_of(e, rows, streams, hit)):
            stream = hit[h]
            within.counts[stream, window] += 1
            within.days[stream, window] += 1
            within.sessions[stream, window] += 1
            met = before.window[stream]
            if met >= 0:
                if day == before.day[stream]:
                    within.days[stream, met] -= 1
                if t - before.time[stream] <= SESSION_GAP:
                    within.sessions[stream, met] -= 1
            before.window[stream] = window
            before.time[stream] = t
            before.day[stream] = day
            _add_numbers(within, window, stream, e, rows, streams)
    for stream in range(streams.n):
        for w in range(1, len(windows)):
            within.counts[stream, w] += within.counts[stream, w - 1]
            within.days[stream, w] += within.days[stream, w - 1]
            within.sessions[stream, w] += within.sessions[stream, w - 1]


@compiled
def follow_streams(start, end, rows, streams, hit, next_of, following):
    """For each event and each of its streams (in the order of `streams_of`) the next event of that stream; `end` where
    none follows."""
    next_of[:] = end
    for e in range(end - 1, start - 1, -1):
        for h in range(streams_of(e, rows, streams, hit)):
            following[h, e - start] = next_of[hit[h]]
            next_of[hit[h]] = e


@compiled
def numbered_events(start, end, rows, streams, hit, numbered):
    """Put the events with a known number that some stream is asked for into `numbered`; how many they are."""
    n = 0
    for e in range(start, end):
        for h in range(streams_of(e, rows, streams, hit)):
            stream = hit[h]
            for j in range(streams.slot_start[stream], streams.slot_start[stream + 1]):
                if not np.isnan(rows.numbers[streams.slot_row[j], e]) and (n == 0 or numbered[n - 1] != e):
                    numbered[n] = e
                    n += 1
    return n


@compiled
def start_edges(edges, start):
    """Before a lead's first moment: nothing lies before any edge."""
    edges.at[:] = start
    edges.counts[:] = 0
    edges.days[:] = 0
    edges.sessions[:] = 0


@compiled
def move_edges(within, edges, state, start, prefix, moment, windows, rows, streams, hit, following, numbered):
    """Fill `within` for a moment at which the visible events are those before `prefix`, which `state` counts.

    What a window holds is what there is ever, less what lies before its edge; and one day (or session) more where the
    edge cuts through one.
    """
    for w in range(len(windows)):
        e = edges.at[w]
        while e < prefix and moment - rows.occurred_at[e] > windows[w]:
            t, day = rows.occurred_at[e], rows.days[e]
            for h in range(streams_of(e, rows, streams, hit)):
                stream = hit[h]
                if edges.counts[w, stream] == 0 or day != edges.last_day[w, stream]:
                    edges.days[w, stream] += 1
                if edges.counts[w, stream] == 0 or t - edges.last_time[w, stream] > SESSION_GAP:
                    edges.sessions[w, stream] += 1
                edges.counts[w, stream] += 1
                edges.last_day[w, stream] = day
                edges.last_time[w, stream] = t
                edges.next_inside[w, stream] = following[h, e - start]
            e += 1
        edges.at[w] = e
        for stream in range(streams.n):
            n = state[stream, N_EVENTS] - edges.counts[w, stream]
            days = state[stream, N_DAYS] - edges.days[w, stream]
            sessions = state[stream, N_SESSIONS] - edges.sessions[w, stream]
            if n > 0 and edges.counts[w, stream] > 0:
                first = edges.next_inside[w, stream]
                if rows.days[first] == edges.last_day[w, stream]:
                    days += 1
                if rows.occurred_at[first] - edges.last_time[w, stream] <= SESSION_GAP:
                    sessions += 1
            within.counts[stream, w] = n
            within.days[stream, w] = days
            within.sessions[stream, w] = sessions
    within.sums[:] = 0.0
    within.known[:] = 0
    window = len(windows) - 1
    for i in range(np.searchsorted(numbered, edges.at[window]), len(numbered)):
        e = numbered[i]
        if e >= prefix:
            break
        while window > 0 and moment - rows.occurred_at[e] <= windows[window - 1]:
            window -= 1
        for h in range(streams_of(e, rows, streams, hit)):
            _add_numbers(within, window, hit[h], e, rows, streams)
