#include "rules.h"

#include <algorithm>
#include <unordered_set>

namespace lars::detail {

namespace {

// The numbers of EjectingSettings in lars/balancing/ejecting.py.
constexpr double kForget = 2, kLeastShare = 0.05;
constexpr int kSecondDraws = 3;

}  // namespace

void Rules::rebuild(const std::vector<Record*>& hosts) {
    const std::unordered_set<Record*> wanted(hosts.begin(), hosts.end());
    const std::unordered_set<Record*> before(hosts_.begin(), hosts_.end());
    // Drained hosts take calls where there are no others.
    const bool everywhere = std::none_of(hosts.begin(), hosts.end(), [](auto* each) { return each->configured > 0; });
    for (Record* record : hosts_) {
        if (wanted.count(record) == 0 || (record->configured <= 0 && !everywhere)) {
            leave(*record);
        }
    }
    for (Record* record : hosts) {
        if (before.count(record) == 0 || record->restored) {
            record->joined_at = before.empty() ? -Ejection::kRamp : ejection_.clock();  // the first have all at once
            record->good = record->bad = record->latency = 0;
            record->penalty = 1;
            record->strikes = 0;
            record->restored = false;
        }
        const double weight = everywhere ? 1 : record->configured;
        if (weight > 0 && record->weight <= 0) {
            ejection_.add(*record);
        }
        if (weight != record->weight) {
            record->weight = weight;
            ejection_.changed();
        }
    }
    hosts_ = hosts;
    ejection_.ensure_eligible();
}

void Rules::leave(Record& record) {
    if (record.weight > 0) {
        ejection_.remove(record);
        record.ejected = false;
        record.failures = 0;
        record.pain = record.weight = 0;
    }
}

Record* Rules::pick(std::uint64_t key, double now) {
    const double admitted = shedding_.admitted();
    if (admitted < 1 && draws_.share() > admitted) {
        return nullptr;
    }
    if (Record* probed = ejection_.next_call(now)) {
        ++probed->in_flight;
        return probed;
    }
    if (ejection_.version() != rebuilt_) {
        rebuild_picker();
    }
    if (ejection_.eligible().empty()) {
        return nullptr;
    }
    Record* record = &picker_->pick(key);
    if (record->pain > 0 || ejection_.clock() - record->joined_at < Ejection::kRamp) {
        record = &second_thoughts(*record);
    }
    ++record->in_flight;
    return record;
}

void Rules::rebuild_picker() {
    rebuilt_ = ejection_.version();
    const auto& eligible = ejection_.eligible();
    double mean = 0;
    for (const Record* record : eligible) {
        mean += record->weight / static_cast<double>(eligible.size());
    }
    for (Record* record : eligible) {
        record->scale = mean / record->weight;
    }
    if (!eligible.empty()) {
        picker_->rebuild(eligible);
    }
}

/// Some more draws where the choice has just failed, or is not due its share yet.
Record& Rules::second_thoughts(Record& first) {
    if (first.pain <= 0 && draws_.share() < std::max(kLeastShare, ejection_.share(first))) {
        return first;
    }
    const auto& among = ejection_.eligible();
    Record* best = first.pain > 0 ? &first : nullptr;
    for (int drawn = 0; among.size() > 1 && drawn < kSecondDraws; ++drawn) {
        Record* other = among[draws_.below(among.size() - 1)];
        if (other == &first) {  // so that each of the others is as likely
            other = among.back();
        }
        const bool ramps = ejection_.clock() - other->joined_at < Ejection::kRamp;
        if (ramps && draws_.share() > ejection_.share(*other)) {
            continue;
        }
        if (best == nullptr || load(*other) < load(*best)) {
            best = other;
        }
    }
    return best != nullptr ? *best : first;
}

bool Rules::adopt(Record& record) noexcept {
    if (record.ejected || record.pain > 0) {
        return false;
    }
    ++record.in_flight;
    return true;
}

void Rules::report(Record& record, bool failed, double cost) {
    record.in_flight = std::max(0, record.in_flight - 1);
    if (cost > 0 && !failed) {
        latency_.learn(record, cost);
    }
    if (record.weight <= 0) {
        return;  // a drained host, of which nothing is to be decided
    }
    if (!failed && !record.ejected) {
        ++succeeded_;
        ejection_.succeeded(record);
        return;
    }
    const bool slow = failed && latency_.is_slow(cost);
    if (record.ejected) {
        ejection_.probed(record, failed, slow);
    } else {
        shedding_.failed(slow);
        ejection_.failed(record, slow);
    }
}

void Rules::failed_elsewhere(Record& record, double cost) noexcept {
    if (record.weight > 0 && !record.ejected) {
        ejection_.failed_elsewhere(record, latency_.is_slow(cost));
    }
}

void Rules::silent(Record& record) noexcept {
    if (record.weight > 0 && !record.ejected) {
        ejection_.silent(record);
    }
}

void Rules::sweep() {
    const double passed = ejection_.sweep();
    if (passed <= 0) {
        return;
    }
    shedding_.interval(succeeded_, latency_.recent(), latency_.usual());
    succeeded_ = 0;
    ejection_.hurry(shedding_.admitted() < 1);
    for (Record* record : hosts_) {
        latency_.decay(*record, passed);
        // Where callers never report, calls in flight are forgotten, a share of them each second.
        record->leak += record->in_flight * passed / kForget;
        const int whole = static_cast<int>(record->leak);
        record->leak -= whole;
        record->in_flight = std::max(0, record->in_flight - whole);
        record->stale = std::min(record->stale, record->in_flight);
    }
}

}  // namespace lars::detail
