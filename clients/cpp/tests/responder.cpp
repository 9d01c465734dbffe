#include "responder.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace tests {

namespace {

Request parsed(const std::string& datagram) {
    Request request;
    if (datagram.size() < 8) {
        throw std::runtime_error("a client sent no whole header");
    }
    std::uint32_t length = 0;
    std::memcpy(&request.id, datagram.data(), 4);
    std::memcpy(&length, datagram.data() + 4, 4);
    const std::string body = datagram.substr(8);
    const bool whole = length == body.size() &&
                       (request.id == 4    ? request.get_host.ParseFromString(body)
                        : request.id == 6  ? request.report.ParseFromString(body)
                        : request.id == 10 ? request.state.ParseFromString(body)
                        : request.id == 12 ? request.batch.ParseFromString(body)
                                           : request.id == 7 && request.get_route.ParseFromString(body));
    if (!whole) {
        throw std::runtime_error("a client sent what is no request");
    }
    return request;
}

}  // namespace

int bound_socket(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int error = errno;
        ::close(fd);
        throw std::system_error(error, std::system_category(), "bind");
    }
    return fd;
}

std::uint16_t port_of(int socket) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
    return ntohs(address.sin_port);
}

void send_to(int socket, const sockaddr_in& to, const std::string& datagram) {
    ::sendto(socket, datagram.data(), datagram.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

Responder::Responder(Answer answer, std::uint16_t port)
    : answer_(std::move(answer)), socket_(bound_socket(port)), port_(port_of(socket_)), thread_([this] { run(); }) {}

Responder::~Responder() {
    sockaddr_in self{};
    self.sin_family = AF_INET;
    self.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    self.sin_port = htons(port_);
    send_to(socket_, self, "");
    thread_.join();
    ::close(socket_);
}

void Responder::run() {
    std::string datagram(65536, '\0');
    for (;;) {
        sockaddr_in sender{};
        socklen_t length = sizeof sender;
        datagram.resize(65536);
        const ssize_t size = ::recvfrom(socket_, datagram.data(), datagram.size(), 0,
                                        reinterpret_cast<sockaddr*>(&sender), &length);
        if (size <= 0) {
            return;
        }
        datagram.resize(static_cast<std::size_t>(size));
        Request request = parsed(datagram);
        request.sender = sender;
        const std::lock_guard lock(mutex_);
        for (const auto& answer : answer_(request)) {
            send_to(socket_, sender, answer);
        }
        requests_.push_back(std::move(request));
        came_.notify_one();
    }
}

void Responder::set_answer(Answer answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
}

Request Responder::next() {
    std::unique_lock lock(mutex_);
    if (!came_.wait_for(lock, std::chrono::seconds(20), [this] { return !requests_.empty(); })) {
        throw std::runtime_error("no request came");
    }
    Request request = std::move(requests_.front());
    requests_.pop_front();
    return request;
}

Request Responder::next(std::uint32_t id) {
    for (;;) {
        Request request = next();
        if (request.id == id) {
            return request;
        }
    }
}

std::size_t Responder::count(std::uint32_t id) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(requests_.begin(), requests_.end(), [id](const Request& each) { return each.id == id; }));
}

void Responder::notify(const sockaddr_in& to, const std::string& datagram) const { send_to(socket_, to, datagram); }

bool Responder::none_is_left() {
    const std::lock_guard lock(mutex_);
    return requests_.empty();
}

Answers silent(const Request&) { return {}; }

Answer serving(std::vector<std::uint16_t> ports) {
    return [ports = std::move(ports)](const Request& request) -> Answers {
        if (request.id == 4) {
            return {frame(host_response(request, ports.at(0)))};
        }
        if (request.id == 7) {
            lars::GetRouteResponse response;
            response.set_modid(request.get_route.modid());
            response.set_cmdid(request.get_route.cmdid());
            for (const auto port : ports) {
                auto* host = response.add_host();
                host->set_ip(kIp);
                host->set_port(port);
            }
            return {frame(response)};
        }
        return {};
    };
}

lars::RouteStateResponse state_of(const std::vector<std::uint16_t>& ports, const std::string& policy,
                                  std::size_t ejected, std::uint64_t version) {
    lars::RouteStateResponse state;
    state.set_version(version);
    state.set_policy(policy);
    for (std::size_t at = 0; at < ports.size(); ++at) {
        auto* host = at < ejected ? state.add_overloaded() : state.add_idle();
        host->set_ip(kIp);
        host->set_port(ports[at]);
    }
    return state;
}

Answer with_state(const lars::RouteStateResponse& state, std::uint16_t port) {
    return [state, port](const Request& request) -> Answers {
        if (request.id == 10) {
            lars::RouteStateResponse answer = state;
            answer.set_seq(request.state.seq());
            answer.set_modid(request.state.modid());
            answer.set_cmdid(request.state.cmdid());
            if (request.state.version() == state.version()) {
                answer.clear_idle();
                answer.clear_overloaded();
                answer.clear_policy();
            }
            return {frame(11, answer.SerializeAsString())};
        }
        return request.id == 4 ? Answers{frame(host_response(request, port))} : Answers{};
    };
}

Answer refusing(int retcode) {
    return [retcode](const Request& request) -> Answers {
        auto response = host_response(request, 1);
        response.clear_host();
        response.set_retcode(retcode);
        return {frame(response)};
    };
}

std::string frame(std::uint32_t id, const std::string& body) {
    const auto length = static_cast<std::uint32_t>(body.size());
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &id, 4);
    std::memcpy(bytes.data() + 4, &length, 4);
    return bytes + body;
}

lars::GetHostResponse host_response(const Request& request, int port) {
    lars::GetHostResponse response;
    response.set_seq(request.get_host.seq());
    response.set_modid(request.get_host.modid());
    response.set_cmdid(request.get_host.cmdid());
    response.mutable_host()->set_ip(kIp);
    response.mutable_host()->set_port(port);
    return response;
}

std::string frame(const lars::GetHostResponse& response) { return frame(5, response.SerializeAsString()); }

std::string frame(const lars::GetRouteResponse& response) { return frame(8, response.SerializeAsString()); }

}  // namespace tests
