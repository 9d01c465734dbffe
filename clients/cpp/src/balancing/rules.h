/// A policy that ejects, in the caller's own process: a picker, and the rules that say among which hosts it picks
/// (lars/balancing/ejecting.py, lars/balancing/local_rules.py).
#pragma once

#include <memory>
#include <vector>

#include "ejection.h"
#include "latency.h"
#include "picker.h"
#include "shedding.h"

namespace lars::detail {

/// `now` is in seconds, monotonic; costs are in seconds, 0 where unknown.
class Rules {
public:
    Rules(std::unique_ptr<Picker> picker, Draws& draws) noexcept
        : picker_(std::move(picker)), draws_(draws), ejection_(draws) {}

    /// Replaces the hosts; the same object is the same host. One with no configured weight takes no calls where others
    /// have one.
    void rebuild(const std::vector<Record*>& hosts);

    /// The host for a call about `key`, 0 for none; null when the call should not be made.
    Record* pick(std::uint64_t key, double now);
    /// Counts a call for which the agent chose the host, unless the host is ejected here or has just failed.
    bool adopt(Record& record) noexcept;
    void report(Record& record, bool failed, double cost);
    /// Takes the failure of another process's call. It ejects nobody here.
    void failed_elsewhere(Record& record, double cost) noexcept;
    /// Takes the penalty of a host as all processes know it.
    void slow_elsewhere(Record& record, double penalty) noexcept { latency_.learn_penalty(record, penalty); }
    /// A call to the host takes much longer than calls do.
    void silent(Record& record) noexcept;
    double slow_from() const noexcept { return latency_.slow_from(); }

    /// Lets evidence decay, and decides on load shedding; called about once a second.
    void sweep();

private:
    void rebuild_picker();
    Record& second_thoughts(Record& first);
    void leave(Record& record);

    std::unique_ptr<Picker> picker_;
    Draws& draws_;
    Ejection ejection_;
    Latency latency_;
    Shedding shedding_;
    std::vector<Record*> hosts_;
    int succeeded_ = 0;  // calls since the last sweep
    std::uint64_t rebuilt_ = 0;  // the version of the eligible hosts that the picker has
};

}  // namespace lars::detail
