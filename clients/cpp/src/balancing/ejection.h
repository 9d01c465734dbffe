/// Which hosts of a module this process gives no calls for a while, by their failures: lars/balancing/ejection.py
/// (docs/design/balancing.md, ejection).
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "draws.h"
#include "record.h"

namespace lars::detail {

/// The hosts of a module in two lists: eligible ones and ejected ones.
class Ejection {
public:
    /// Seconds in which a host that joins or is restored gets its share of calls.
    static constexpr double kRamp = 2;

    explicit Ejection(Draws& draws) noexcept : draws_(draws) {}

    /// Seconds that have passed for the module: with little traffic it goes slower than time.
    double clock() const noexcept { return clock_; }
    const std::vector<Record*>& eligible() const noexcept { return eligible_; }
    /// Another number whenever the eligible hosts, or their weights, have changed.
    std::uint64_t version() const noexcept { return version_; }
    void changed() noexcept { ++version_; }

    /// A new host, which is eligible, at a random place.
    void add(Record& record);
    void remove(Record& record);
    /// Restores an ejected host if no other is left.
    void ensure_eligible();

    /// Lets the clock go on for one call. Returns the ejected host that it is to probe, if it is time.
    Record* next_call(double now);
    /// The part of its share of calls that a host gets by now, 0 to 1 (slow start).
    double share(const Record& record) const noexcept;

    void succeeded(Record& record) noexcept;
    /// Counts a failed call, and ejects the host if that is due.
    void failed(Record& record, bool slow);
    /// Counts a failed call only as one in a row, and as pain.
    void failed_elsewhere(Record& record, bool slow) noexcept;
    /// A call takes much longer than calls do: it is as painful as one that has failed so.
    void silent(Record& record) noexcept;
    /// Takes the result of a call to an ejected host, and restores it if that is due.
    void probed(Record& record, bool failed, bool slow);

    /// Lets evidence decay. Returns the seconds of the clock that passed since the last time.
    double sweep() noexcept;
    /// Whether every ejected host is probed each half second from now on.
    void hurry(bool hurried) noexcept;

private:
    Record* due_probe();
    void wait(Record& record);
    void judge(Record& record, bool slow);
    void eject(Record& record, bool slow);
    void restore(Record& record);
    void schedule() noexcept;

    Draws& draws_;
    std::vector<Record*> eligible_, ejected_;
    double clock_ = 0, last_ = 0, swept_ = 0;
    double good_ = 0, bad_ = 0;  // sums over the eligible hosts
    double trouble_ = 0;         // share of failures among the last ten calls or so
    double next_probe_ = std::numeric_limits<double>::infinity();
    double next_deadline_ = std::numeric_limits<double>::infinity();
    int since_probe_ = 0;
    bool hurried_ = false;
    std::uint64_t version_ = 0;
};

}  // namespace lars::detail
