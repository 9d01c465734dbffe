/// What the rules keep about one host: evidence, load and latency (lars/balancing/record.py).
#pragma once

#include "lars/client.h"

namespace lars::detail {

/// Times are on the module's clock (Ejection::clock), in seconds.
struct Record {
    explicit Record(const Host& named) : host(named) {}

    Host host;
    /// Its weight in the route, as the agent says.
    double configured = 0;
    /// The weight by which it takes calls; 0 while it is drained.
    double weight = 0;
    /// The mean weight of the eligible hosts divided by its own.
    double scale = 1;
    /// Successful and failed calls, decaying.
    double good = 0, bad = 0;
    /// Calls that a recent failure counts as, on top of those in flight.
    double pain = 0;
    /// Seconds that its calls take, smoothed; 0 while unknown.
    double latency = 0;
    /// How often longer than the module's calls its calls take, 1 or more.
    double penalty = 1;
    /// The fraction of a call in flight that is about to be forgotten.
    double leak = 0;
    /// When its next probe is due; when, in real time, it is probed in any case.
    double probe_at = 0, deadline = 0;
    /// When it joined or was restored; its share grows from then on.
    double joined_at = 0;
    /// Calls picked and not reported.
    int in_flight = 0;
    /// Failed calls in a row.
    int failures = 0;
    /// Calls in flight from before it was ejected, whose results say nothing new.
    int stale = 0;
    /// How often it was ejected and probed in vain.
    int strikes = 0;
    bool ejected = false;
    /// Whether its last failure while ejected, or the one that ejected it, was slow.
    bool failed_slowly = false;
    /// Whether the agent has restored it: with the next rebuild it joins as a new host does.
    bool restored = false;
};

/// What one more call would cost at a host: 1 and the calls there, by weight, times its slowness.
inline double load(const Record& record) noexcept {
    return ((record.in_flight + record.pain) * record.scale + 1) * record.penalty;
}

}  // namespace lars::detail
