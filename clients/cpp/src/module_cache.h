/// What a client caches of one module: the hosts to choose from, its own evidence, and the successes not yet sent
/// (docs/design/client.md, the cache): lars/client/module_cache.py. No I/O.
#pragma once

#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "choice.h"
#include "exchange.h"
#include "shard.h"

namespace lars::detail {

/// `now` is in seconds, monotonic. Every method but `module` and `shard` is called with `mutex` locked; hold it while
/// sending the module's datagrams, too, so that they reach the agent in their order.
class ModuleCache {
public:
    /// What a question asks for, to be given to `answered`.
    struct Asked {
        std::uint64_t key = 0;
        double at = 0;
        /// Whether it asked for the route state, and in which turn.
        bool state = false;
        std::uint64_t turn = 0;
    };

    /// @param ttl  seconds; 0 turns the cache off
    ModuleCache(Module module, Shard& shard, double ttl);

    const Module module;
    Shard& shard;
    std::mutex mutex;
    /// Until when questions wait for the first hosts: nothing before the first that was answered without one, in the
    /// past once there has been one.
    std::optional<Clock::time_point> awaited_until;

    // -- choosing

    /// The host for a call about `key`, 0 for none; nothing if the agent must be asked.
    /// @throws Overloaded
    std::optional<Host> choose(std::uint64_t key, double now);
    /// What to ask for, once in a ttl with the route state.
    Asked asking(std::uint64_t key, double now);
    HostQuestion question(const Asked& asked, std::uint32_t seq) const;
    /// Takes the answer. Returns the host to call.
    /// @throws NoSuchModule, Overloaded, AgentUnavailable
    Host answered(const Asked& asked, const HostAnswer& answer);

    // -- results

    /// Takes a call's result. Returns the datagrams to send now: a failure at once, after the successes before it.
    std::vector<std::string> results(const Host& host, std::int32_t retcode,
                                     std::optional<std::chrono::nanoseconds> cost, double now);
    /// Whether there is something to send with the next question to the agent at the latest.
    bool flush_due(double now) const noexcept;
    /// Whether successes have waited for their time.
    bool overdue(double now) const noexcept { return now >= until_ && choice_ && choice_->gathered() > 0; }
    /// Removes the gathered successes and returns them as datagrams. Once in a ttl there is one at least, by which the
    /// process goes on watching the module; not without `now`.
    std::vector<std::string> batches(double now = -std::numeric_limits<double>::infinity());

    // -- notices of the agent

    /// Takes the failure of a call that another process has made. Returns the datagrams to send now.
    std::vector<std::string> failed_elsewhere(const ReportRequest& failure, double now);
    /// Takes the hosts that have not answered another process for much longer than calls take.
    void silent_elsewhere(const ReportBatch& batch, double now);
    /// Takes a state that the agent has sent by itself: a host was ejected or restored.
    void changed(const RouteStateResponse& state, double now);

private:
    Host chosen(std::uint64_t key, double now);
    void learn(const std::optional<RouteStateResponse>& state, const Asked& asked);
    void take(const RouteStateResponse& state, double now);
    std::vector<std::unique_ptr<LocalHost>> hosts_of(const RouteStateResponse& state);
    LocalHost* find(std::uint32_t ip, std::int32_t port) noexcept;

    Draws draws_;
    std::optional<Choice> choice_;
    double ttl_;
    double until_ = 0;         // when the agent must be asked again
    double ask_state_at_ = 0;  // when it is asked for the state again
    double watch_at_ = 0;
    std::uint64_t turn_ = 0;  // changes with each question for the state: an answer to an older one is stale
    std::uint64_t version_ = 0;
    bool cached_ = false;  // whether hosts of that version may be chosen here
};

}  // namespace lars::detail
