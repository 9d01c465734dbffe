/// How long the calls of a module take, and how much longer those of one host do (lars/balancing/latency.py).
#pragma once

#include "record.h"

namespace lars::detail {

/// Costs are in seconds.
class Latency {
public:
    /// Takes the cost, above 0, of a successful call.
    void learn(Record& record, double cost) noexcept;

    /// Whether a failed call took much longer than the module's calls usually do, as a timeout does.
    bool is_slow(double cost) const noexcept { return cost > slow_from(); }

    /// Seconds beyond which a call takes much longer than usual; infinite while unknown.
    double slow_from() const noexcept;

    /// Takes it that a host is as slow as others have found.
    void learn_penalty(Record& record, double penalty) const noexcept;

    /// Brings a slow host's latency nearer to the module's, so that it is tried again.
    void decay(Record& record, double seconds) const noexcept;

    /// The mean over the last 40 calls or so, and over the last 1,000.
    double recent() const noexcept { return recent_; }
    double usual() const noexcept { return usual_; }

private:
    double recent_ = 0, usual_ = 0;
    int timed_ = 0;
};

}  // namespace lars::detail
