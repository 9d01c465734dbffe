#include "lars/client.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <random>

#include "address.h"
#include "balancing/blake2b.h"
#include "core.h"
#include "forks.h"

namespace lars {

using detail::Clock;
using detail::Core;
using std::chrono::nanoseconds;

Key::Key(std::string_view text) : number_(detail::little_endian(detail::blake2b(text, 8).data())) {
    number_ = number_ != 0 ? number_ : kMax;
}

std::string default_agent() { return detail::agent_of_environment(std::getenv("LARS_AGENT")); }

/// The core of this process.
///
/// A fork may leave the parent's locks locked and its tables half changed. So the child makes a core of its own, and
/// leaves that of its parent as it is, but for its sockets.
class Client::Impl {
public:
    Impl(std::string agent, const Options& options)
        : agent_(std::move(agent)),
          options_(options),
          owned_(new Owned(agent_, detail::parse_agent(agent_), options_)) {}

    ~Impl() {
        Owned* owned = owned_;
        if (owned->forks == detail::forks()) {
            delete owned;
        }
    }

    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    Core& core() {
        Owned* owned = owned_.load(std::memory_order_acquire);
        if (owned->forks == detail::forks()) {
            return owned->core;
        }
        auto fresh = std::make_unique<Owned>(agent_, owned->core.place(), options_);
        if (!owned_.compare_exchange_strong(owned, fresh.get())) {
            return owned->core;  // another thread of the child was faster
        }
        owned->core.close_sockets();
        return fresh.release()->core;
    }

private:
    struct Owned {
        Owned(const std::string& agent, detail::Place place, const Options& options)
            : core(agent, place, options), forks(detail::forks()) {}

        Core core;
        const unsigned forks;
    };

    const std::string agent_;
    const Options options_;
    std::atomic<Owned*> owned_;
};

Client::Client(const std::string& agent, const Options& options) : impl_(std::make_unique<Impl>(agent, options)) {}

Client::~Client() = default;

Host Client::get_host(std::int32_t modid, std::int32_t cmdid, Key key) const {
    return impl_->core().get_host(detail::checked_module(modid, cmdid), key.number());
}

void Client::report(const Host& host, std::int32_t retcode, std::optional<nanoseconds> cost) const {
    impl_->core().report(host, retcode, cost);
}

std::vector<Host> Client::get_route(std::int32_t modid, std::int32_t cmdid) const {
    return impl_->core().get_route(detail::checked_module(modid, cmdid));
}

void Client::ready(std::int32_t modid, std::int32_t cmdid, nanoseconds timeout) const {
    impl_->core().ready(detail::checked_module(modid, cmdid), timeout);
}

Call Client::call(std::int32_t modid, std::int32_t cmdid, Key key) const {
    return {*this, get_host(modid, cmdid, key)};
}

void Client::flush() const { impl_->core().flush(); }

bool Client::agent_alive() const { return impl_->core().agent_alive(); }

// -- attempts

void Client::check_attempts(int attempts) {
    if (attempts < 1) {
        throw std::invalid_argument("attempts " + std::to_string(attempts) + " is out of range: give 1 or more");
    }
}

/// A host that was not tried. The agent takes turns, so that one more question than hosts were tried finds one; unless
/// other callers take the turns in between: then one of the route is drawn.
Call Client::untried(std::int32_t modid, std::int32_t cmdid, const std::vector<Host>& tried) const {
    const auto is_new = [&tried](const Host& host) {
        return std::find(tried.begin(), tried.end(), host) == tried.end();
    };
    Host host = get_host(modid, cmdid);
    for (std::size_t more = tried.size(); more > 0 && !is_new(host); --more) {
        host = get_host(modid, cmdid);
    }
    if (!is_new(host)) {
        auto route = get_route(modid, cmdid);
        route.erase(std::remove_if(route.begin(), route.end(), [&](const Host& each) { return !is_new(each); }),
                    route.end());
        if (!route.empty()) {
            host = route[std::random_device{}() % route.size()];
        }
    }
    return {*this, host};
}

Call::Call(const Client& client, const Host& host) noexcept
    : client_(client), host_(host), exceptions_(std::uncaught_exceptions()), began_(Clock::now()) {}

Call::~Call() {
    if (forgotten_) {
        return;
    }
    const auto cost = Clock::now() - began_;
    if (std::uncaught_exceptions() > exceptions_ && retcode_ == 0) {
        retcode_ = 1;
    }
    try {
        client_.report(host_, retcode_, cost);
    } catch (const std::exception&) {  // the caller must see the outcome of its own call
    }
}

}  // namespace lars
