/// An agent's shard for tests: a thread on a real UDP socket that gives prescribed answers.
#pragma once

#include <netinet/in.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lars.pb.h"

namespace tests {

/// A received request: its message id says which of the messages is set.
struct Request {
    std::uint32_t id = 0;
    lars::GetHostRequest get_host;
    lars::GetRouteRequest get_route;
    lars::ReportRequest report;
    lars::RouteStateRequest state;
    lars::ReportBatch batch;
    sockaddr_in sender{};
};

/// The datagrams to send back.
using Answers = std::vector<std::string>;
using Answer = std::function<Answers(const Request&)>;

class Responder {
public:
    /// @param port  0 for any that is free
    explicit Responder(Answer answer, std::uint16_t port = 0);
    ~Responder();
    Responder(const Responder&) = delete;
    Responder& operator=(const Responder&) = delete;

    std::uint16_t port() const { return port_; }
    /// The agent's address, for modules of the first shard.
    std::string agent() const { return "127.0.0.1:" + std::to_string(port_); }

    void set_answer(Answer answer);
    /// The next request; throws if none arrives.
    Request next();
    /// The next request with that message id; others are passed over.
    Request next(std::uint32_t id);
    /// How many requests with that id are next() to return.
    std::size_t count(std::uint32_t id);
    /// Sends what was not asked for.
    void notify(const sockaddr_in& to, const std::string& datagram) const;
    /// Whether next() has returned every request so far.
    bool none_is_left();

private:
    void run();

    Answer answer_;
    int socket_;
    std::uint16_t port_ = 0;
    std::mutex mutex_;
    std::condition_variable came_;
    std::deque<Request> requests_;
    std::thread thread_;
};

/// A UDP socket bound to 127.0.0.1.
int bound_socket(std::uint16_t port);
std::uint16_t port_of(int socket);
void send_to(int socket, const sockaddr_in& to, const std::string& datagram);

/// No answer.
Answers silent(const Request&);
/// Answers get_host with the first port of 10.0.0.5, get_route with all.
Answer serving(std::vector<std::uint16_t> ports);
/// Answers get_host with a retcode that is not 0.
Answer refusing(int retcode);

/// A frame of these bytes.
std::string frame(std::uint32_t id, const std::string& body);
/// An answer to get_host: 10.0.0.5 and this port.
lars::GetHostResponse host_response(const Request& request, int port);
std::string frame(const lars::GetHostResponse& response);
std::string frame(const lars::GetRouteResponse& response);

/// A route state with these ports of 10.0.0.5, of which the first `ejected` are ejected.
lars::RouteStateResponse state_of(const std::vector<std::uint16_t>& ports, const std::string& policy,
                                  std::size_t ejected = 0, std::uint64_t version = 1);
/// Answers questions for the state, without hosts where the client has its version, and get_host with `port`.
Answer with_state(const lars::RouteStateResponse& state, std::uint16_t port);

constexpr std::uint32_t kIp = 0x0a000005;

}  // namespace tests
