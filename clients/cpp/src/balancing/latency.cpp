#include "latency.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lars::detail {

namespace {

// The numbers of LatencySettings in lars/balancing/latency.py.
constexpr double kSmoothing = 0.05, kBand = 1.25, kSlack = 0.001, kMaxPenalty = 8, kDecay = 10;
constexpr double kSlowTimes = 8, kSlowMore = 0.010;
constexpr int kRecentCalls = 40, kUsualCalls = 1000, kWarmupCalls = 50;

/// The mean goes on; a peak counts as twice the mean at most, so that one says little.
double moved(double mean, double cost, int calls, bool known) noexcept {
    return mean + ((known ? std::min(cost, 2 * mean) : cost) - mean) / calls;
}

}  // namespace

void Latency::learn(Record& record, double cost) noexcept {
    timed_ = std::min(timed_ + 1, kUsualCalls);
    const bool known = timed_ > kWarmupCalls;
    usual_ = moved(usual_, cost, timed_, known);
    recent_ = moved(recent_, cost, std::min(timed_, kRecentCalls), known);
    record.latency = record.latency > 0 ? record.latency + kSmoothing * (cost - record.latency) : cost;
    if (timed_ >= kWarmupCalls) {
        record.penalty = std::clamp(record.latency / (kBand * recent_ + kSlack), 1.0, kMaxPenalty);
    }
}

double Latency::slow_from() const noexcept {
    if (timed_ < kWarmupCalls) {
        return std::numeric_limits<double>::infinity();
    }
    return std::max(kSlowTimes * usual_, usual_ + kSlowMore);
}

void Latency::learn_penalty(Record& record, double penalty) const noexcept {
    if (penalty != record.penalty && recent_ > 0) {
        record.penalty = std::clamp(penalty, 1.0, kMaxPenalty);
        record.latency = record.penalty * (kBand * recent_ + kSlack);
    }
}

void Latency::decay(Record& record, double seconds) const noexcept {
    if (record.penalty > 1) {
        const double top = kBand * recent_ + kSlack;
        const double excess = std::min(record.latency, kMaxPenalty * top) - recent_;
        record.latency = recent_ + excess * std::exp(-seconds / kDecay);
        record.penalty = std::max(1.0, record.latency / top);
    }
}

}  // namespace lars::detail
