#include "lars/client.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <system_error>
#include <thread>

#include "address.h"
#include "agent.h"
#include "exchange.h"
#include "links.h"

namespace lars {

using detail::Clock;
using detail::Link;
using detail::Links;
using detail::Module;
using detail::Place;
using std::chrono::nanoseconds;
using namespace std::chrono_literals;

namespace {

constexpr nanoseconds kFirstPause = 10ms, kLongestPause = 100ms;

std::string seconds(nanoseconds time) {
    std::string text = std::to_string(std::chrono::duration<double>(time).count());
    text.erase(text.find_last_not_of('0') + 1);
    return text.back() == '.' ? text + "0" : text;
}

nanoseconds checked_timeout(nanoseconds timeout) {
    if (timeout <= 0ns || timeout >= 24h) {
        throw std::invalid_argument("timeout " + seconds(timeout) +
                                    " s cannot be used: give a time above 0 and below a day");
    }
    return timeout;
}

AgentUnavailable unavailable(const std::string& why) {
    return AgentUnavailable(why + ": start lars-agent there, or say where it is (LARS_AGENT, or lars::Client's agent)");
}

AgentUnavailable unreachable(Place shard, const std::error_code& error) {
    return unavailable("the agent at " + written(shard) + " cannot be reached (" + error.message() + ")");
}

AgentUnavailable silent(Place shard, nanoseconds timeout) {
    return unavailable("no answer from the agent at " + written(shard) + " within " + seconds(timeout) + " s");
}

/// Whether a datagram was refused because no process listens; if an earlier one was, this one was not sent.
bool refused(const std::error_code& error) { return error == std::errc::connection_refused; }

/// The answer to a question, which is sent again after half of the timeout.
template <class Question>
auto ask(const Link& link, const Links& links, const Question& question, nanoseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    std::error_code error;
    for (const auto until : {deadline - timeout / 2, deadline}) {
        error.clear();
        try {
            if (auto answer = link.ask(question, until)) {
                return *std::move(answer);
            }
        } catch (const std::system_error& failure) {
            error = failure.code();
            if (!refused(error)) {
                break;
            }
        }
    }
    links.unanswered();
    throw error ? unreachable(link.shard(), error) : silent(link.shard(), timeout);
}

}  // namespace

std::string default_agent() { return detail::agent_of_environment(std::getenv("LARS_AGENT")); }

/// The links to an agent's shards.
class Client::Impl {
public:
    Impl(const std::string& agent, nanoseconds timeout_of_a_call)
        : Impl(std::make_shared<detail::Agent>(agent), timeout_of_a_call) {}

    Links& links(Module module) noexcept { return shards_[static_cast<std::size_t>(shard_of(module))]; }

    const nanoseconds timeout;

private:
    Impl(const std::shared_ptr<detail::Agent>& agent, nanoseconds timeout_of_a_call)
        : timeout(checked_timeout(timeout_of_a_call)), shards_{{{agent, 0}, {agent, 1}, {agent, 2}}} {}

    std::array<Links, detail::kShards> shards_;
};

Client::Client(const std::string& agent, nanoseconds timeout)
    : impl_(std::make_unique<Impl>(agent, timeout)) {}

Client::~Client() = default;

Host Client::get_host(std::int32_t modid, std::int32_t cmdid) const {
    const Module module = detail::checked_module(modid, cmdid);
    Links& links = impl_->links(module);
    try {
        const auto link = links.lease();
        return ask(*link, links, detail::HostQuestion(module, link->next_seq()), impl_->timeout);
    } catch (const std::system_error& error) {
        links.unanswered();
        throw unreachable(links.shard(), error.code());
    }
}

std::vector<Host> Client::get_route(std::int32_t modid, std::int32_t cmdid) const {
    const Module module = detail::checked_module(modid, cmdid);
    const Links& links = impl_->links(module);
    try {
        return ask(*links.fresh(), links, detail::RouteQuestion(module), impl_->timeout);
    } catch (const std::system_error& error) {
        links.unanswered();
        throw unreachable(links.shard(), error.code());
    }
}

void Client::report(const Host& host, std::int32_t retcode, std::optional<nanoseconds> cost) const {
    Links& links = impl_->links({host.modid(), host.cmdid()});
    const std::string datagram = detail::encode_report(host, retcode, cost);
    try {
        const auto link = links.lease();
        try {
            link->send(datagram);
        } catch (const std::system_error& error) {
            if (!refused(error.code())) {
                throw;
            }
            link->send(datagram);
        }
    } catch (const std::system_error& error) {
        links.unanswered();
        throw unreachable(links.shard(), error.code());
    }
}

void Client::register_module(std::int32_t modid, std::int32_t cmdid, nanoseconds timeout) const {
    const auto deadline = Clock::now() + timeout;
    for (nanoseconds pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
        std::optional<AgentUnavailable> refusal;
        try {
            if (!get_route(modid, cmdid).empty()) {
                return;
            }
        } catch (const AgentUnavailable& error) {
            refusal = error;
        }
        const nanoseconds left = deadline - Clock::now();
        if (left <= 0ns) {
            if (refusal) {
                throw *refusal;
            }
            throw detail::no_such_module({modid, cmdid});
        }
        std::this_thread::sleep_for(std::min(pause, left));
    }
}

Call Client::call(std::int32_t modid, std::int32_t cmdid) const { return {*this, get_host(modid, cmdid)}; }

Call::Call(const Client& client, const Host& host) noexcept
    : client_(client), host_(host), exceptions_(std::uncaught_exceptions()), began_(Clock::now()) {}

Call::~Call() {
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
