/// What a client sends to the agent, and which answers it believes: bytes in, bytes out, no I/O.
///
/// A question is a datagram to send to the module's shard and a test of what comes back. Late answers, answers to
/// another question and bytes that are no message answer nothing: the client goes on waiting.
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

/// Which host to call next. `seq` tells its answer from those to earlier ones on the same socket.
class HostQuestion {
public:
    /// Room for far more than an answer has, so that what is longer is none.
    static std::array<char, 2048> buffer() { return {}; }

    HostQuestion(Module module, std::uint32_t seq);
    const std::string& request() const noexcept { return request_; }

    /// The host, or nothing if the datagram is no answer to this.
    /// @throws NoSuchModule, Overloaded, AgentUnavailable where the agent has no host to give
    std::optional<Host> answer(std::string_view datagram) const;

private:
    Module module_;
    std::uint32_t seq_;
    std::string request_;
};

/// All hosts of a module. The wire has no seq to match the answer by, so each is asked on a socket of its own.
class RouteQuestion {
public:
    /// Room for any datagram; not on the stack, which may be small.
    static std::vector<char> buffer() { return std::vector<char>(65536); }

    explicit RouteQuestion(Module module);
    const std::string& request() const noexcept { return request_; }

    /// The hosts, maybe none, or nothing if the datagram is no answer to this.
    std::optional<std::vector<Host>> answer(std::string_view datagram) const;

private:
    Module module_;
    std::string request_;
};

/// The datagram that tells how a call went; costs are whole milliseconds on the wire, 0 where not known.
std::string encode_report(const Host& host, std::int32_t retcode, std::optional<std::chrono::nanoseconds> cost);

/// The agent knows no host of the module.
NoSuchModule no_such_module(Module module);

}  // namespace lars::detail
