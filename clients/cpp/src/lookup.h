/// The agent's name is looked up again when the agent does not answer: a container made anew has another address.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "address.h"

namespace lars::detail {

/// Threads may share it. `now` is in seconds, monotonic.
class Lookup {
public:
    /// @param agent    as the program gave it, such as "agent:8888"
    /// @param resolve  as parse_agent
    explicit Lookup(std::string agent, std::function<Place(const std::string&)> resolve = parse_agent);

    /// A question had no answer: looks the name up, unless that was done less than 5 s before. In a thread of its own,
    /// so that no call waits for a name server.
    void unanswered(double now);

    /// The address that was found last, or 0.
    std::uint32_t found() const noexcept { return shared_->found; }

private:
    /// Outlives the client, if the resolver takes longer.
    struct Shared {
        std::string agent;
        std::function<Place(const std::string&)> resolve;
        std::atomic<std::uint32_t> found{0};
    };

    std::shared_ptr<Shared> shared_;
    std::atomic<double> next_{0};
};

}  // namespace lars::detail
