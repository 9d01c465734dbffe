/// The datagrams of a client: queries with their answers, and reports; bytes in, bytes out, no I/O.
///
/// A question is a datagram for the module's shard, and a parser of the answer. For late answers, answers to another
/// question and bytes that are no message the parser returns nothing, and the client goes on waiting.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "address.h"
#include "choice.h"
#include "lars.pb.h"
#include "lars/client.h"

namespace lars::detail {

/// What the agent answers to a query for a host.
struct HostAnswer {
    Module module;
    std::int32_t retcode = 0;
    /// Set if the retcode is 0.
    std::optional<Host> host;
    /// Set if the route state was asked for and came.
    std::optional<RouteStateResponse> state;

    /// @throws NoSuchModule, Overloaded, AgentUnavailable if the agent has no host to give
    const Host& chosen() const;
};

/// A query for the host to call next. `seq` distinguishes it from earlier ones on the same socket.
///
/// With a `version` it asks for the module's route state, too, in a first datagram: the agent answers in order, so that
/// the state arrives before the host.
class HostQuestion {
public:
    /// @param key      what the call is about; 0 for nothing
    /// @param version  that of the state that the client has, 0 for none
    HostQuestion(Module module, std::uint32_t seq, std::uint64_t key = 0,
                 std::optional<std::uint64_t> version = std::nullopt);

    const std::vector<std::string>& datagrams() const noexcept { return datagrams_; }
    /// A receive buffer: a longer datagram is no answer.
    std::vector<char> buffer() const;

    /// Nothing if the datagram does not answer this query.
    std::optional<HostAnswer> answer(std::string_view datagram);

private:
    Module module_;
    std::uint32_t seq_;
    std::vector<std::string> datagrams_;
    std::optional<RouteStateResponse> state_;
};

/// A query for all hosts of a module. The message has no seq, so each query has a socket of its own.
class RouteQuestion {
public:
    explicit RouteQuestion(Module module);
    const std::vector<std::string>& datagrams() const noexcept { return datagrams_; }
    /// A receive buffer for any datagram.
    static std::vector<char> buffer() { return std::vector<char>(65536); }

    /// The hosts, maybe none, or nothing if the datagram does not answer this query.
    std::optional<std::vector<Host>> answer(std::string_view datagram) const;

private:
    Module module_;
    std::vector<std::string> datagrams_;
};

/// The host, or nothing if its address cannot be called.
std::optional<Host> host_of(Module module, std::uint32_t ip, std::int32_t port);

/// The datagram that reports a call's result; costs are whole milliseconds on the wire, 0 if unknown.
std::string encode_report(const Host& host, std::int32_t retcode, std::optional<std::chrono::nanoseconds> cost);

/// What a batch says besides successes.
struct BatchExtras {
    /// For so long the sender takes the failures of other processes' calls, and ejections.
    std::chrono::milliseconds watch{0};
    /// Hosts that have not answered for much longer than calls take.
    std::vector<Host> silent;
    /// Whether the calls came before one that another process has reported.
    bool before_failure = false;
};

/// The datagrams that report how many calls to each host succeeded, and what they cost; none if there is nothing to
/// say.
std::vector<std::string> encode_batches(Module module, const Choice::Successes& successes, const BatchExtras& extras);

/// What the agent sends without a request: the report of another process's failure, its batch with silent hosts, or a
/// changed state.
using Notice = std::variant<ReportRequest, ReportBatch, RouteStateResponse>;
/// Nothing if the datagram is none.
std::optional<Notice> notice_of(std::string_view datagram);

/// The error to throw if the policy lets no call be made.
Overloaded overloaded(Module module);

/// The error to throw if the agent knows no host of the module.
NoSuchModule no_such_module(Module module);

}  // namespace lars::detail
