/// A UDP socket to one of the agent's shards: one question and its answer at a time.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "address.h"

namespace lars::detail {

using Clock = std::chrono::steady_clock;

/// Connected, so that the kernel delivers only the shard's datagrams, and reports an error if no process listens there.
/// All methods throw std::system_error.
class Link {
public:
    explicit Link(Place shard);
    ~Link();
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    /// Connects it to another place, unless it is there already. Threads may call it, and `send`, at once.
    void move(Place shard);

    /// A number that no answer to an earlier question has, on this socket or on an earlier one with the same port.
    std::uint32_t next_seq() noexcept { return ++seq_; }

    void send(const std::string& datagram) const;

    /// Sends the question and waits for its answer; nothing if none arrives by then.
    template <class Question>
    auto ask(Question& question, Clock::time_point until) const -> decltype(question.answer({})) {
        for (const auto& datagram : question.datagrams()) {
            send(datagram);
        }
        auto buffer = question.buffer();
        while (const auto size = receive(buffer.data(), buffer.size(), until)) {
            if (*size <= buffer.size()) {
                if (auto answer = question.answer({buffer.data(), *size})) {
                    return answer;
                }
            }
        }
        return std::nullopt;
    }

    /// The length of the first datagram that has arrived and was not received; nothing if none has.
    std::optional<std::size_t> waiting() const { return taken(nullptr, 0, MSG_PEEK); }
    /// Receives a datagram that has arrived. Its length, which may exceed the buffer; nothing if none has.
    std::optional<std::size_t> received(char* buffer, std::size_t room) const { return taken(buffer, room, 0); }

private:
    std::optional<std::size_t> taken(char* buffer, std::size_t room, int flags) const;
    /// As `received`, for the next datagram; nothing if none arrives by then.
    std::optional<std::size_t> receive(char* buffer, std::size_t room, Clock::time_point until) const;

    std::atomic<std::uint64_t> place_;
    int socket_;
    std::uint32_t seq_;
};

}  // namespace lars::detail
