/// When a client asks again for a module whose hosts the agent does not have yet: 10 ms later, doubling to 100 ms.
#pragma once

#include <chrono>

#include "link.h"

namespace lars::detail {

class Pauses {
public:
    explicit Pauses(Clock::time_point until) noexcept : until_(until) {}

    /// Waits for the next pause; false, at once, where the time is over.
    bool wait();

private:
    Clock::time_point until_;
    std::chrono::nanoseconds pause_ = std::chrono::milliseconds(10);
};

}  // namespace lars::detail
