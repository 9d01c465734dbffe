/// Picking by turns: round_robin, and adaptive, which compares each turn with one other host.
#pragma once

#include <cstddef>
#include <utility>

#include "picker.h"

namespace lars::detail {

/// Hosts in turn, by weight, from a random start: earliest deadline first, as Envoy's edf_scheduler.h has it; plain
/// turns where all weights are the same (lars/balancing/smooth.py).
class SmoothTurns {
public:
    explicit SmoothTurns(Draws& draws) noexcept : draws_(draws) {}

    void rebuild(const std::vector<Record*>& hosts);
    /// The place in the hosts of the one whose turn it is.
    std::size_t next();

private:
    Draws& draws_;
    std::vector<double> steps_;  // 1 / weight of each host
    std::vector<std::pair<double, std::size_t>> heap_;  // deadlines and places, of hosts with unequal weights
    std::size_t at_ = 0;
};

class RoundRobin : public Picker {
public:
    explicit RoundRobin(Draws& draws) noexcept : turns_(draws) {}
    void rebuild(const std::vector<Record*>& eligible) override;
    /// The key makes no difference.
    Record& pick(std::uint64_t key) override;

private:
    SmoothTurns turns_;
    std::vector<Record*> hosts_;
};

/// The host whose turn it is, or another one drawn at random that costs less: the power of two choices (Mitzenmacher
/// 2001; lars/balancing/adaptive.py).
class Adaptive : public Picker {
public:
    explicit Adaptive(Draws& draws) noexcept : draws_(draws), turns_(draws) {}
    void rebuild(const std::vector<Record*>& eligible) override;
    /// The key makes no difference.
    Record& pick(std::uint64_t key) override;

private:
    Draws& draws_;
    SmoothTurns turns_;
    std::vector<Record*> hosts_;
};

}  // namespace lars::detail
