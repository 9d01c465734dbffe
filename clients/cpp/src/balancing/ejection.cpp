#include "ejection.h"

#include <algorithm>
#include <cmath>

namespace lars::detail {

namespace {

// The numbers of EjectionSettings in lars/balancing/ejection.py.
constexpr double kStep = 0.05, kDecay = 10, kPrior = 4, kChance = 1e-6, kFactor = 2, kExcess = 0.1;
constexpr int kInARow = 2;
constexpr double kFirstWait = 6, kMaxWait = 10, kMaxSlowWait = 20, kHurriedWait = 0.5, kLongest = 600, kJitter = 0.2;
constexpr int kProbeGap = 20, kSlowStrikes = 4;
constexpr double kForgiven = 30, kPain = 4, kSlowPain = 8, kPainDecay = 2, kPainless = 0.2;
constexpr int kMaxPainRow = 8, kMaxDoublings = 9;

void take_out(std::vector<Record*>& records, Record& record) {
    records.erase(std::find(records.begin(), records.end(), &record));
}

template <class Key>
Record* least(const std::vector<Record*>& records, Key key) {
    const auto found = std::min_element(records.begin(), records.end(),
                                        [key](const Record* a, const Record* b) { return a->*key < b->*key; });
    return found == records.end() ? nullptr : *found;
}

}  // namespace

void Ejection::add(Record& record) {
    const auto place = static_cast<std::ptrdiff_t>(draws_.below(eligible_.size() + 1));
    eligible_.insert(eligible_.begin() + place, &record);
    changed();
}

void Ejection::remove(Record& record) {
    take_out(record.ejected ? ejected_ : eligible_, record);
    if (!record.ejected) {
        good_ -= record.good;
        bad_ -= record.bad;
    }
    schedule();
    changed();
}

void Ejection::ensure_eligible() {
    if (eligible_.empty() && !ejected_.empty()) {
        restore(*least(ejected_, &Record::probe_at));
    }
}

// -- picking

Record* Ejection::next_call(double now) {
    clock_ += std::clamp(now - last_, 0.0, kStep);  // threads come in any order
    last_ = std::max(now, last_);
    return ejected_.empty() ? nullptr : due_probe();
}

Record* Ejection::due_probe() {
    ++since_probe_;
    const bool due = clock_ >= next_probe_ && since_probe_ >= kProbeGap;
    Record* record = nullptr;
    // While most calls fail, the ejected hosts are as good a guess as the others.
    if (due || (trouble_ > 0.5 && since_probe_ >= 2)) {
        record = least(ejected_, &Record::probe_at);
    } else if (last_ >= next_deadline_) {
        record = least(ejected_, &Record::deadline);
    }
    if (record != nullptr) {
        since_probe_ = 0;
        wait(*record);
    }
    return record;
}

/// Sets the time of an ejected host's next probe.
void Ejection::wait(Record& record) {
    const double longest = hurried_ ? kHurriedWait : record.failed_slowly ? kMaxSlowWait : kMaxWait;
    const double seconds = std::min(longest, kFirstWait * std::ldexp(1.0, std::min(record.strikes - 1, kMaxDoublings)));
    const double jitter = kJitter * (2 * draws_.share() - 1);
    record.probe_at = clock_ + seconds * (1 + jitter);
    record.deadline = last_ + kLongest * (1 + std::abs(jitter));
    schedule();
}

void Ejection::schedule() noexcept {
    next_probe_ = next_deadline_ = std::numeric_limits<double>::infinity();
    for (const Record* each : ejected_) {
        next_probe_ = std::min(next_probe_, each->probe_at);
        next_deadline_ = std::min(next_deadline_, each->deadline);
    }
}

double Ejection::share(const Record& record) const noexcept {
    return std::min(1.0, (clock_ - record.joined_at) / kRamp);
}

// -- results

void Ejection::succeeded(Record& record) noexcept {
    trouble_ *= 0.9;
    record.good += 1;
    good_ += 1;
    record.failures = 0;
    record.pain = 0;
}

void Ejection::failed(Record& record, bool slow) {
    trouble_ += 0.1 * (1 - trouble_);
    record.bad += 1;
    bad_ += 1;
    failed_elsewhere(record, slow);
    judge(record, slow);
}

void Ejection::failed_elsewhere(Record& record, bool slow) noexcept {
    ++record.failures;
    record.pain = (slow ? kSlowPain : kPain) * std::min(kMaxPainRow, record.failures);
}

void Ejection::silent(Record& record) noexcept { record.pain = std::max(record.pain, kSlowPain); }

void Ejection::probed(Record& record, bool failed, bool slow) {
    if (record.stale > 0) {  // a call from before it was ejected
        --record.stale;
    } else if (failed) {
        record.strikes += slow ? kSlowStrikes : 1;
        record.failed_slowly = slow;
        wait(record);
    } else {
        restore(record);
    }
}

/// After a failure: ejects the host if it is this host that fails, and not all of them.
void Ejection::judge(Record& record, bool slow) {
    const auto failing = std::count_if(eligible_.begin(), eligible_.end(), [](auto* each) { return each->failures; });
    if (eligible_.size() < 2 || 2 * failing > static_cast<std::ptrdiff_t>(eligible_.size()) + 1) {
        return;
    }
    const double good = good_ - record.good, bad = bad_ - record.bad;
    const double others = bad / (good + bad + kPrior);
    const double share = record.bad / (record.good + record.bad + kPrior);
    const bool in_a_row = record.failures >= kInARow && std::pow(others, record.failures) < kChance;
    if (in_a_row || share > kFactor * others + kExcess) {
        eject(record, slow);
    }
}

void Ejection::eject(Record& record, bool slow) {
    if (clock_ - record.joined_at > kForgiven) {
        record.strikes = 0;
    }
    record.strikes += slow ? kSlowStrikes : 1;
    record.failed_slowly = slow;
    take_out(eligible_, record);
    ejected_.push_back(&record);
    record.ejected = true;
    record.stale = record.in_flight;
    good_ -= record.good;
    bad_ -= record.bad;
    changed();
    wait(record);
}

void Ejection::restore(Record& record) {
    record.failures = 0;
    record.pain = 0;
    record.joined_at = clock_;
    record.ejected = false;
    take_out(ejected_, record);
    good_ += record.good;
    bad_ += record.bad;
    schedule();
    add(record);
}

// -- time

double Ejection::sweep() noexcept {
    const double passed = clock_ - swept_;
    swept_ = clock_;
    const double keep = std::exp(-passed / kDecay), soothe = std::exp(-passed / kPainDecay);
    good_ = bad_ = 0;
    for (const auto* records : {&eligible_, &ejected_}) {
        for (Record* record : *records) {
            record->good *= keep;
            record->bad *= keep;
            record->pain = record->pain > kPainless ? record->pain * soothe : 0;
        }
    }
    for (const Record* record : eligible_) {
        good_ += record->good;
        bad_ += record->bad;
    }
    return passed;
}

void Ejection::hurry(bool hurried) noexcept {
    if (hurried && !hurried_) {
        for (Record* record : ejected_) {
            record->probe_at = std::min(record->probe_at, clock_ + kHurriedWait);
        }
        schedule();
    }
    hurried_ = hurried;
}

}  // namespace lars::detail
