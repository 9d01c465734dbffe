/// The API for business processes: asks for the host to call, and reports how the call went.
///
///     lars::Client client;                         // the agent of this machine
///     {
///         lars::Call call = client.call(1, 1);     // reports success, or failure on an exception
///         fetch(call.host().ip(), call.host().port());
///     }
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
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

/// The call should not be made: most calls of the module fail by being slow, and load is shed. With the policy classic:
/// every host is ejected, and this call does not probe one.
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

/// What a call is about, such as a user: calls with one key go to one host, if the module's policy is consistent_hash.
///
/// A number is its own key; a text is hashed, as by the clients of other languages.
class Key {
public:
    /// No key.
    constexpr Key() noexcept = default;
    template <class Number, std::enable_if_t<std::is_integral_v<Number> && !std::is_same_v<Number, bool>, int> = 0>
    constexpr Key(Number number) noexcept : number_(number != 0 ? static_cast<std::uint64_t>(number) : kMax) {}
    Key(std::string_view text);
    Key(const std::string& text) : Key(std::string_view(text)) {}
    Key(const char* text) : Key(std::string_view(text)) {}

    /// As on the wire; 0 for no key.
    constexpr std::uint64_t number() const noexcept { return number_; }

private:
    static constexpr std::uint64_t kMax = ~std::uint64_t{0};
    std::uint64_t number_ = 0;
};

/// The default address of the agent: the environment's LARS_AGENT, else 127.0.0.1:8888.
/// @throws std::invalid_argument if LARS_AGENT is no "IP:BASEPORT" or "NAME:BASEPORT"
std::string default_agent();

/// The settings of a Client.
struct Options {
    /// The time until a call fails; after half of it an unanswered question is sent once more.
    std::chrono::nanoseconds timeout = std::chrono::milliseconds(200);
    /// For so long hosts are chosen by the same route state; 0 to ask the agent, and report to it, each time.
    std::chrono::nanoseconds cache_ttl = std::chrono::seconds(1);
    /// For so long the first questions about a module wait for its hosts, which the agent pulls when it is first asked;
    /// 0 to be refused at once.
    std::chrono::nanoseconds first_wait = std::chrono::seconds(1);
    /// The folder of the agent's saved routes, empty to use none. By default the environment's LARS_STATE_DIR, else,
    /// for an agent on this machine, where that agent says that it saves (until then /var/lib/lars).
    std::optional<std::string> state_dir;
};

/// Whether an exception is a failure of the host that was called; if not, nothing is reported of it.
using Failures = std::function<bool(const std::exception&)>;

class Call;

/// Asks this machine's agent which host to call, and reports how the call went.
///
/// It chooses by itself, by the policy of the module and the agent's word on each host, which it asks for each
/// `cache_ttl`, and gathers successes: most calls make no system call. It sends these after that time (with the next
/// question about any module), before any failure, by `flush`, and when it is destroyed. While the agent is down, hosts
/// come from the routes that it saved.
///
/// Threads may share a client, and it may be kept across a fork. It starts no thread, but to look up an agent's name
/// again. Methods that ask the agent block, up to the timeout.
class Client {
public:
    static constexpr std::chrono::nanoseconds default_ready_timeout = std::chrono::seconds(1);
    /// Hosts to try before giving up.
    static constexpr int default_attempts = 3;

    /// @param agent  "IP:BASEPORT", the first of the three ports, in a row, that the agent's shards listen on; or
    ///               "NAME:BASEPORT". A name is looked up now, and again when the agent does not answer
    /// @throws std::invalid_argument if an argument is out of range, or a name has no address
    explicit Client(const std::string& agent = default_agent(), const Options& options = {});
    /// Sends what is gathered.
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// The host to call now.
    /// @throws NoSuchModule, Overloaded if there is none; AgentUnavailable; std::invalid_argument for impossible ids
    [[nodiscard]] Host get_host(std::int32_t modid, std::int32_t cmdid, Key key = {}) const;

    /// Reports how the call to a host went; sent once, and not acknowledged.
    /// @param retcode  0 for success; any other number is a failure
    /// @param cost     the time that the call took, so that a host that times out is ejected sooner
    /// @throws AgentUnavailable if it cannot be sent
    void report(const Host& host, std::int32_t retcode = 0,
                std::optional<std::chrono::nanoseconds> cost = std::nullopt) const;

    /// All hosts of the module; none if the agent knows none.
    /// @throws AgentUnavailable; std::invalid_argument for impossible ids
    [[nodiscard]] std::vector<Host> get_route(std::int32_t modid, std::int32_t cmdid) const;

    /// Waits until the agent has the module's hosts, which it pulls on the first request for a module: for a start that
    /// fails where a module has none, or that waits for longer than `first_wait`.
    /// @param timeout  the time until it fails, plus that of one call
    /// @throws NoSuchModule if the agent has none by then; AgentUnavailable if it did not answer;
    ///         std::invalid_argument for impossible ids
    void ready(std::int32_t modid, std::int32_t cmdid,
               std::chrono::nanoseconds timeout = default_ready_timeout) const;

    /// The C++ Lars's name for `ready` (reg_init). (`register` is a keyword of C++.)
    void register_module(std::int32_t modid, std::int32_t cmdid,
                         std::chrono::nanoseconds timeout = default_ready_timeout) const {
        ready(modid, cmdid, timeout);
    }

    /// A host for the life of a Call, which then reports its result.
    /// @throws as get_host
    [[nodiscard]] Call call(std::int32_t modid, std::int32_t cmdid, Key key = {}) const;

    /// Calls `function(call)` with a Call, and returns what it returns. An exception is reported as a failure if
    /// `failures` says so of it, or it is no std::exception.
    ///
    ///     client.call(1, 1, [](lars::Call& call) { fetch(call.host()); }, lars::caused_by<std::system_error>);
    template <class Function, std::enable_if_t<std::is_invocable_v<Function, Call&>, int> = 0>
    auto call(std::int32_t modid, std::int32_t cmdid, Function&& function, const Failures& failures = {}) const {
        return retrying(modid, cmdid, std::forward<Function>(function), 1, failures);
    }

    /// As `call` with a function, with another host after each failure, also one by `fail()`, while there are attempts.
    /// @param attempts  1 or more
    /// @throws what the function throws: at once what is no failure, otherwise that of the last attempt; as get_host
    template <class Function>
    auto retrying(std::int32_t modid, std::int32_t cmdid, Function&& function, int attempts = default_attempts,
                  const Failures& failures = {}) const -> std::invoke_result_t<Function, Call&>;

    /// Sends the gathered successes now; those to an unreachable agent are lost. For a program that pauses for long, or
    /// ends without its destructors.
    void flush() const;

    /// Whether the agent answered the last question; true before the first.
    bool agent_alive() const;

private:
    Call untried(std::int32_t modid, std::int32_t cmdid, const std::vector<Host>& tried) const;
    static void check_attempts(int attempts);

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
    bool failed() const noexcept { return retcode_ != 0; }

    /// Nothing will be reported: what ends the call says nothing about the host.
    void forget() noexcept { forgotten_ = true; }

private:
    friend class Client;
    Call(const Client& client, const Host& host) noexcept;

    const Client& client_;
    Host host_;
    std::int32_t retcode_ = 0;
    bool forgotten_ = false;
    int exceptions_;
    std::chrono::steady_clock::time_point began_;
};

/// Failures that are exceptions of these types.
template <class... Errors>
bool caused_by(const std::exception& error) noexcept {
    return (... || (dynamic_cast<const Errors*>(&error) != nullptr));
}

template <class Function>
auto Client::retrying(std::int32_t modid, std::int32_t cmdid, Function&& function, int attempts,
                      const Failures& failures) const -> std::invoke_result_t<Function, Call&> {
    check_attempts(attempts);
    for (std::vector<Host> tried;;) {
        Call call = untried(modid, cmdid, tried);
        tried.push_back(call.host());
        const bool last = static_cast<int>(tried.size()) >= attempts;
        try {
            if constexpr (std::is_void_v<std::invoke_result_t<Function, Call&>>) {
                function(call);
                if (last || !call.failed()) {
                    return;
                }
            } else {
                auto result = function(call);
                if (last || !call.failed()) {
                    return result;
                }
            }
        } catch (const std::exception& error) {
            if (failures && !failures(error)) {
                call.forget();
                throw;
            }
            call.fail();
            if (last) {
                throw;
            }
        }
    }
}

}  // namespace lars

template <>
struct std::hash<lars::Host> {
    std::size_t operator()(const lars::Host& host) const noexcept;
};
