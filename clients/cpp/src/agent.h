/// Where the agent is: fixed if it was given by its address, looked up again after failures if by a name.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "address.h"
#include "link.h"

namespace lars::detail {

/// Thread-safe without a lock. A container that is made anew keeps its name, and has another address.
class Agent : public std::enable_shared_from_this<Agent> {
public:
    /// @throws std::invalid_argument for what is no address, and for a name that has none
    explicit Agent(std::string text);

    /// The first shard.
    Place place() const noexcept { return place_; }

    /// A question had no answer: looks a name up, in a thread since that may take long, at most once in 5 s.
    void unanswered() noexcept;

private:
    const std::string text_;
    std::atomic<Place> place_;
    const bool is_named_;
    std::atomic<Clock::time_point> next_{Clock::time_point::min()};
};

}  // namespace lars::detail
