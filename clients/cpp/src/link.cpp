#include "link.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <system_error>

namespace lars::detail {

namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::system_category(), what); }

std::uint64_t packed(Place place) noexcept { return std::uint64_t{place.address} << 16 | place.port; }

void connect_to(int fd, Place shard) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(shard.address);
    address.sin_port = htons(shard.port);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        fail("connect");
    }
}

int opened() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        fail("socket");
    }
    return fd;
}

timespec as_timespec(std::chrono::nanoseconds time) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    return {seconds.count(), (time - seconds).count()};
}

}  // namespace

Link::Link(Place shard) : place_(packed(shard)), socket_(opened()), seq_(std::random_device{}()) {
    try {
        connect_to(socket_, shard);
    } catch (...) {
        ::close(socket_);
        throw;
    }
}

Link::~Link() { ::close(socket_); }

void Link::move(Place shard) {
    if (place_.load(std::memory_order_relaxed) != packed(shard) && place_.exchange(packed(shard)) != packed(shard)) {
        connect_to(socket_, shard);
    }
}

void Link::send(const std::string& datagram) const {
    while (::send(socket_, datagram.data(), datagram.size(), MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) {
            fail("send");
        }
    }
}

std::optional<std::size_t> Link::taken(char* buffer, std::size_t room, int flags) const {
    const ssize_t size = ::recv(socket_, buffer, room, flags | MSG_DONTWAIT | MSG_TRUNC);
    if (size >= 0) {
        return static_cast<std::size_t>(size);
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        fail("recv");
    }
    return std::nullopt;
}

std::optional<std::size_t> Link::receive(char* buffer, std::size_t room, Clock::time_point until) const {
    for (;;) {
        const std::chrono::nanoseconds left = until - Clock::now();
        if (left.count() <= 0) {
            return std::nullopt;
        }
        const timespec wait = as_timespec(left);
        pollfd readable{socket_, POLLIN, 0};
        if (::ppoll(&readable, 1, &wait, nullptr) < 0 && errno != EINTR) {
            fail("ppoll");
        }
        if (const auto size = received(buffer, room)) {
            return size;
        }
    }
}

}  // namespace lars::detail
