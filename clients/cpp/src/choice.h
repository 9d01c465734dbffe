/// Choosing in the caller's own process, by the module's policy, and what is to be reported of it
/// (docs/design/client.md, the cache): lars/balancing/local_choice.py.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "balancing/rules.h"

namespace lars::detail {

/// Successful calls that are reported together.
struct Gathered {
    std::uint64_t calls = 0;
    /// The seconds that `timed` of them took, in all.
    double cost = 0;
    std::uint64_t timed = 0;

    void add(const Gathered& more) noexcept {
        calls += more.calls;
        cost += more.cost;
        timed += more.timed;
    }
};

/// A host of the module, and what was counted of it.
struct LocalHost : Record {
    using Record::Record;

    /// Successes to be reported.
    Gathered gathered;
    /// Calls under way for which the agent chose the host; their results are reported one by one.
    int asked = 0;
    /// Whether the agent has ejected the host: to probe it is the agent's part.
    bool agent_ejected = false;
    /// Whether a call has ended since the agent last said which hosts are slow, and since the last look.
    bool called = false, answered = false;
    /// The first look since which calls are under way and none has ended.
    std::optional<double> waiting_since;
    /// Whether that is so for much longer than calls take.
    bool silent = false;
};

/// One process's choice among the hosts of a module. `now` is in seconds, monotonic.
class Choice {
public:
    using Successes = std::vector<std::pair<Host, Gathered>>;

    /// Successes that are kept, at most, before they are reported.
    static constexpr std::uint64_t kMaxGathered = 10'000;

    explicit Choice(Draws& draws) noexcept : draws_(draws) {}

    /// Sets the policy. With one that does not eject (classic) or is not known, all hosts that the agent has not
    /// ejected take turns, and only the agent ejects. Follow it by `rebuild`.
    void use_policy(const std::string& name);
    const std::string& policy() const noexcept { return policy_; }
    bool agent_ejects() const noexcept { return rules_ == nullptr; }

    /// Replaces the hosts. Make each by `take`.
    void rebuild(std::vector<std::unique_ptr<LocalHost>> hosts, double now);
    /// Removes a host, to give it to `rebuild`; or makes it.
    std::unique_ptr<LocalHost> take(const Host& host);
    /// Null if it is none of the module's.
    LocalHost* find(const Host& host) noexcept;

    /// The host for a call about `key`, 0 for none; null when the call should not be made.
    Record* pick(std::uint64_t key, double now);
    /// Takes the agent's choice for a call; false if this process should not call the host.
    bool adopt(LocalHost& host) noexcept;
    /// Takes the result of a call. Returns whether it is to be sent by itself: it is a failure, or the agent chose the
    /// host. Other successes are gathered.
    bool report(LocalHost& host, bool failed, std::optional<double> cost, double now);

    /// Takes the failure of a call that another process has made.
    void failed_elsewhere(LocalHost& host, double cost, double now);
    /// Takes as how many calls one counts, 1 for the hosts that are not named. Of a host that this process has called
    /// since, it knows better if the host is slower.
    void slow_elsewhere(const std::vector<std::pair<Host, double>>& penalties);
    /// Takes it that a call of another process to the host takes much longer than calls do.
    void silent_elsewhere(LocalHost& host, double now);

    /// Lets time pass.
    void look(double now);

    /// Successes that are to be reported, and as many of them as are reported without delay.
    std::uint64_t gathered() const noexcept { return gathered_; }
    std::uint64_t limit() const noexcept { return limit_; }
    /// Hosts that have become silent, to be reported without delay.
    const std::vector<Host>& silent() const noexcept { return silent_; }
    Successes take_gathered();
    std::vector<Host> take_silent() { return std::exchange(silent_, {}); }

private:
    void find_silent(double now);

    Draws& draws_;
    std::string policy_;
    std::unique_ptr<Rules> rules_;
    std::unordered_map<std::uint64_t, std::unique_ptr<LocalHost>> hosts_;
    std::vector<LocalHost*> turns_;  // without rules
    std::size_t turn_ = 0;
    Successes departed_;  // of hosts that have left the route
    std::uint64_t gathered_ = 0, limit_ = kMaxGathered;
    std::vector<Host> silent_;
    double swept_ = -std::numeric_limits<double>::infinity();
    double look_at_ = -std::numeric_limits<double>::infinity();
};

}  // namespace lars::detail
