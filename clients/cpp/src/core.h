/// The state of one client in one process, shared by all its threads (docs/design/client.md, one core).
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "lookup.h"
#include "modules.h"
#include "shard.h"

namespace lars::detail {

/// A core is of the process that made it: in the child of a fork, another one takes its place.
class Core {
public:
    /// @param agent  as the program gave it
    /// @param place  the address of its first shard now
    /// @throws std::invalid_argument if an option is out of range
    Core(const std::string& agent, Place place, const Options& options);
    /// Sends what is gathered.
    ~Core();

    Host get_host(Module module, std::uint64_t key);
    void report(const Host& host, std::int32_t retcode, std::optional<std::chrono::nanoseconds> cost);
    std::vector<Host> get_route(Module module);
    void ready(Module module, std::chrono::nanoseconds timeout);
    /// Sends the gathered successes; those to an unreachable agent are lost.
    void flush() noexcept;
    bool agent_alive() const noexcept;
    /// The address of the agent's first shard.
    Place place() const noexcept { return shards_.front()->links().shard(); }

    /// In the child of a fork, of the parent's core: closes the sockets that no other thread used then.
    void close_sockets() noexcept;

private:
    ModuleCache& cached(Module module);
    Host ask_host(ModuleCache& cached, std::uint64_t key);
    std::vector<Host> ask_route(ModuleCache& cached);
    template <class Question>
    auto ask(const Link& link, Question& question, std::error_code& error) const;

    /// Takes notices, and sends successes that have waited for their time; at most each 10 ms.
    void tick(double now) noexcept;
    void receive(Shard& shard, double now) noexcept;
    static void send(Shard& shard, const std::vector<std::string>& datagrams) noexcept;

    /// A question had no answer in time or, with an `error`, could not be sent. Returns the error to throw.
    AgentUnavailable unanswered(Shard& shard, std::error_code error, double now);
    AgentUnavailable unavailable(Shard& shard, std::error_code error) const;
    void follow_name() noexcept;

    /// Until when a module without hosts is waited for, from `began`.
    Clock::time_point awaited(ModuleCache& cached, Clock::time_point began) const;

    Options options_;
    double ttl_;
    std::array<std::unique_ptr<Shard>, kShards> shards_;
    std::optional<Lookup> lookup_;
    std::atomic<std::uint32_t> address_;
    Modules modules_;
    std::atomic<double> tick_at_{0}, flush_at_{0};
};

}  // namespace lars::detail
