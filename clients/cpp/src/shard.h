/// One shard of the agent: its sockets, whether it answers, which requests it supports.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "exchange.h"
#include "links.h"
#include "saved_routes.h"

namespace lars::detail {

/// Threads may share it. `now` is in seconds, monotonic.
class Shard {
public:
    /// @param state_dir  the folder of the agent's saved routes; empty for none
    /// @param follows    whether the agent may name another one
    Shard(Place place, int number, const std::string& state_dir, bool follows);
    ~Shard();

    Links& links() noexcept { return links_; }

    /// False from the first unanswered question until the next answer.
    bool alive() const noexcept { return alive_; }
    void answered() noexcept { alive_ = true; }
    void unanswered(double now) noexcept;
    /// Whether a shard that was down has answered the last probe. Sends the next one, about `module`, when it is due.
    bool answers_again(Module module, double now) noexcept;

    /// Whether the client may ask for route states: the agent may be a C++ one, which knows none.
    bool knows_states(double now) const noexcept { return now >= states_unsupported_until_; }
    void ignored_state(double now) noexcept;

    /// Sends a datagram that gets no answer, always from one socket, at which the agent's notices arrive.
    /// @throws std::system_error
    void send(const std::string& datagram);
    /// Takes each notice that has arrived; does not wait.
    void receive(const std::function<void(std::string_view)>& take) noexcept;

    /// The hosts that the agent has saved for a module; none if they are not known.
    std::vector<Host> saved_route(Module module, double now);
    std::optional<Host> saved_host(Module module, double now);
    /// Where the agent says that it saves routes.
    void saves_in(const std::string& state_dir);

    /// In the child of a fork: closes the sockets that no other thread used then.
    void close() noexcept;

private:
    Link* reporting();

    Links links_;
    std::atomic<Link*> reporting_{nullptr};
    std::atomic<bool> alive_{true};
    std::atomic<double> states_unsupported_until_{0}, retry_at_{0};
    std::mutex mutex_;  // of what follows
    std::unique_ptr<Link> probe_;
    std::optional<HostQuestion> probed_;
    std::optional<SavedRoutes> saved_;
    bool follows_;
};

}  // namespace lars::detail
