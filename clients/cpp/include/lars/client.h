/// The API for business processes: asks for the host to call, and reports how the call went.
///
///     lars::Client client;                         // the agent of this machine
///     client.register_module(1, 1);                // once, at start
///     {
///         lars::Call call = client.call(1, 1);     // reports success, or failure on an exception
///         fetch(call.host().ip(), call.host().port());
///     }
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace lars {

/// The root of the errors of calls to the agent; what() says what is wrong and what to do, in one line.
///
/// Invalid ids, addresses and times throw std::invalid_argument instead.
class Error : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The agent knows no host of the module.
class NoSuchModule : public Error {
    using Error::Error;
};

/// Every host of the module is ejected, and this call does not probe one.
class Overloaded : public Error {
    using Error::Error;
};

/// The agent cannot be reached, or did not answer in time.
class AgentUnavailable : public Error {
    using Error::Error;
};

/// A host to call, and the module that it was chosen for. A small value: copy it freely.
class Host {
public:
    /// @param modid, cmdid  the module, each 0 to 2^31 - 1, not both 0
    /// @param ip            a dotted IPv4 address; names are never resolved
    /// @param port          1 to 65535
    /// @throws std::invalid_argument if no such host can exist
    Host(std::int32_t modid, std::int32_t cmdid, const std::string& ip, std::uint16_t port);

    /// @param address  the IPv4 address as a number in host order: 192.168.1.177 is 3232235953
    Host(std::int32_t modid, std::int32_t cmdid, std::uint32_t address, std::uint16_t port);

    std::int32_t modid() const noexcept { return modid_; }
    std::int32_t cmdid() const noexcept { return cmdid_; }
    /// The IPv4 address as a number in host order; `htonl` makes it a `sin_addr`.
    std::uint32_t address() const noexcept { return address_; }
    std::uint16_t port() const noexcept { return port_; }

    /// The dotted IPv4 address.
    std::string ip() const;
    /// "10.0.0.5:8080"
    std::string str() const;

    friend bool operator==(const Host& a, const Host& b) noexcept {
        return a.address_ == b.address_ && a.port_ == b.port_ && a.modid_ == b.modid_ && a.cmdid_ == b.cmdid_;
    }
    friend bool operator!=(const Host& a, const Host& b) noexcept { return !(a == b); }
    /// Orders by module, then address, then port.
    friend bool operator<(const Host& a, const Host& b) noexcept;
    /// Writes str().
    friend std::ostream& operator<<(std::ostream& out, const Host& host);

private:
    std::int32_t modid_;
    std::int32_t cmdid_;
    std::uint32_t address_;
    std::uint16_t port_;
};

/// The default address of the agent: the environment's LARS_AGENT, else 127.0.0.1:8888.
/// @throws std::invalid_argument if LARS_AGENT is no address, or a name without one
std::string default_agent();

class Call;

/// Asks this machine's agent which host to call, and reports how the call went.
///
/// Threads may share a client, and it may be kept across a fork: each call in flight has a UDP socket of its own, from
/// a small pool. It starts no thread. Every method but report blocks, up to its timeout.
class Client {
public:
    static constexpr std::chrono::nanoseconds default_timeout = std::chrono::milliseconds(200);
    static constexpr std::chrono::nanoseconds default_register_timeout = std::chrono::seconds(1);

    /// @param agent    "IP:BASEPORT" or "NAME:BASEPORT": the first of the three ports, in a row, that the agent's
    ///                 shards listen on
    /// @param timeout  the time until a call fails; after half of it an unanswered query is sent once more
    /// @throws std::invalid_argument if these are out of range
    explicit Client(const std::string& agent = default_agent(), std::chrono::nanoseconds timeout = default_timeout);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// The host to call now.
    /// @throws NoSuchModule, Overloaded if there is none; AgentUnavailable; std::invalid_argument for impossible ids
    [[nodiscard]] Host get_host(std::int32_t modid, std::int32_t cmdid) const;

    /// Reports how the call to a host went; sent once, and not acknowledged.
    /// @param retcode  0 for success; any other number is a failure
    /// @param cost     the time that the call took, so that a host that times out is ejected sooner
    /// @throws AgentUnavailable if it cannot be sent
    void report(const Host& host, std::int32_t retcode = 0,
                std::optional<std::chrono::nanoseconds> cost = std::nullopt) const;

    /// All hosts of the module; none if the agent knows none, or has not pulled them yet: see register_module.
    /// @throws AgentUnavailable; std::invalid_argument for impossible ids
    [[nodiscard]] std::vector<Host> get_route(std::int32_t modid, std::int32_t cmdid) const;

    /// Waits until the agent has the module's hosts, which it pulls on the first request for a module.
    ///
    /// Call it once at start, so that the first get_host is not refused. (`register` is a keyword of C++.)
    /// @param timeout  the time until it fails, plus that of one call
    /// @throws NoSuchModule if the agent has none by then; AgentUnavailable if it did not answer;
    ///         std::invalid_argument for impossible ids
    void register_module(std::int32_t modid, std::int32_t cmdid,
                         std::chrono::nanoseconds timeout = default_register_timeout) const;

    /// A host for the life of a Call, which then reports its result.
    /// @throws as get_host
    [[nodiscard]] Call call(std::int32_t modid, std::int32_t cmdid) const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// A call to a host, from Client::call to the end of its scope: then reported as failed if an exception ends the scope
/// or fail() was called, as succeeded otherwise; with the time it took. The client must outlive it.
class Call {
public:
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    /// Reports. An error of the report is not thrown: the outcome of the call itself matters more.
    ~Call();

    const Host& host() const noexcept { return host_; }

    /// Marks the call as failed, without an exception.
    /// @param retcode  any number but 0, which reverts it
    void fail(std::int32_t retcode = 1) noexcept { retcode_ = retcode; }

private:
    friend class Client;
    Call(const Client& client, const Host& host) noexcept;

    const Client& client_;
    Host host_;
    std::int32_t retcode_ = 0;
    int exceptions_;
    std::chrono::steady_clock::time_point began_;
};

}  // namespace lars

template <>
struct std::hash<lars::Host> {
    std::size_t operator()(const lars::Host& host) const noexcept;
};
