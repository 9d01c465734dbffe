/// The datagrams of a client: queries with their answers, and reports; bytes in, bytes out, no I/O.
///
/// A question is a datagram for the module's shard, and a parser of the answer. For late answers, answers to another
/// question and bytes that are no message the parser returns nothing, and the client goes on waiting.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "address.h"
#include "lars/client.h"

namespace lars::detail {

/// A query for the host to call next. `seq` distinguishes it from earlier ones on the same socket.
class HostQuestion {
public:
    /// A receive buffer far larger than an answer: a longer datagram is none.
    static std::array<char, 2048> buffer() { return {}; }

    HostQuestion(Module module, std::uint32_t seq);
    const std::string& request() const noexcept { return request_; }

    /// The host, or nothing if the datagram does not answer this query.
    /// @throws NoSuchModule, Overloaded, AgentUnavailable if the agent has no host to give
    std::optional<Host> answer(std::string_view datagram) const;

private:
    Module module_;
    std::uint32_t seq_;
    std::string request_;
};

/// A query for all hosts of a module. The message has no seq, so each query has a socket of its own.
class RouteQuestion {
public:
    /// A receive buffer for any datagram; not on the stack, which may be small.
    static std::vector<char> buffer() { return std::vector<char>(65536); }

    explicit RouteQuestion(Module module);
    const std::string& request() const noexcept { return request_; }

    /// The hosts, maybe none, or nothing if the datagram does not answer this query.
    std::optional<std::vector<Host>> answer(std::string_view datagram) const;

private:
    Module module_;
    std::string request_;
};

/// The datagram that reports a call's result; costs are whole milliseconds on the wire, 0 if unknown.
std::string encode_report(const Host& host, std::int32_t retcode, std::optional<std::chrono::nanoseconds> cost);

/// The error to throw if the agent knows no host of the module.
NoSuchModule no_such_module(Module module);

}  // namespace lars::detail
