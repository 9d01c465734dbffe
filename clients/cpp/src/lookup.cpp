#include "lookup.h"

#include <pthread.h>

#include <csignal>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace lars::detail {

namespace {

/// Seconds from the begin of a lookup to the next one at the earliest.
constexpr double kPause = 5;

/// While it lives, threads are started with all signals blocked: these are the program's.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t before_{};
};

}  // namespace

Lookup::Lookup(std::string agent, std::function<Place(const std::string&)> resolve)
    : shared_(std::make_shared<Shared>()) {
    shared_->agent = std::move(agent);
    shared_->resolve = std::move(resolve);
}

void Lookup::unanswered(double now) {
    double next = next_;
    if (now < next || !next_.compare_exchange_strong(next, now + kPause)) {
        return;
    }
    const SignalsBlocked blocked;
    try {
        std::thread([shared = shared_] {
            try {
                shared->found = shared->resolve(shared->agent).address;
            } catch (const std::invalid_argument&) {  // a name server that is away: the next failure tries again
            }
        }).detach();
    } catch (const std::system_error&) {  // no thread can be started now
    }
}

}  // namespace lars::detail
