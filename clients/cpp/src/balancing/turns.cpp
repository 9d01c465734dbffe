#include "turns.h"

#include <algorithm>
#include <functional>

namespace lars::detail {

void SmoothTurns::rebuild(const std::vector<Record*>& hosts) {
    if (steps_.empty()) {
        at_ = draws_.below(hosts.size());
    }
    steps_.clear();
    heap_.clear();
    bool equal = true;
    for (const Record* each : hosts) {
        steps_.push_back(1 / each->weight);
        equal = equal && each->weight == hosts.front()->weight;
    }
    if (!equal) {
        for (std::size_t at = 0; at < steps_.size(); ++at) {
            heap_.emplace_back(draws_.share() * steps_[at], at);
        }
        std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
    }
}

std::size_t SmoothTurns::next() {
    if (heap_.empty()) {
        at_ = at_ + 1 < steps_.size() ? at_ + 1 : 0;
        return at_;
    }
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    auto& [deadline, at] = heap_.back();
    const std::size_t found = at;
    deadline += steps_[at];
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    return found;
}

void RoundRobin::rebuild(const std::vector<Record*>& eligible) {
    turns_.rebuild(eligible);
    hosts_ = eligible;
}

Record& RoundRobin::pick(std::uint64_t) { return *hosts_[turns_.next()]; }

void Adaptive::rebuild(const std::vector<Record*>& eligible) {
    turns_.rebuild(eligible);
    hosts_ = eligible;
}

Record& Adaptive::pick(std::uint64_t) {
    const std::size_t at = turns_.next();
    Record& first = *hosts_[at];
    if (hosts_.size() < 2) {
        return first;
    }
    const std::size_t other = draws_.below(hosts_.size() - 1);
    Record& second = *hosts_[other + (other >= at ? 1 : 0)];
    return load(first) > load(second) ? second : first;
}

}  // namespace lars::detail
