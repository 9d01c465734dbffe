#include "agent.h"

#include <chrono>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace lars::detail {

namespace {

constexpr std::chrono::seconds kPause{5};

}  // namespace

Agent::Agent(std::string text)
    : text_(std::move(text)), place_(parse_agent(text_)), is_named_(text_ != written(place_.load())) {}

void Agent::unanswered() noexcept {
    const auto now = Clock::now();
    auto next = next_.load();
    if (!is_named_ || now < next || !next_.compare_exchange_strong(next, now + kPause)) {
        return;
    }
    try {
        std::thread([self = shared_from_this()] {
            try {
                self->place_ = parse_agent(self->text_);
            } catch (const std::invalid_argument&) {  // the name server may be away: the next failure tries again
            }
        }).detach();
    } catch (const std::system_error&) {  // no thread can be had now: likewise
    }
}

}  // namespace lars::detail
