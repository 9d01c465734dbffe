/// A UDP socket to one of the agent's shards: one question and its answer at a time.
#pragma once

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
    /// @param forks  how often the process had been forked: after the next fork the socket is unusable
    Link(Place shard, unsigned forks);
    ~Link();
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    unsigned forks() const noexcept { return forks_; }

    Place shard() const noexcept { return shard_; }

    /// A number that no answer to an earlier question has, on this socket or on an earlier one with the same port.
    std::uint32_t next_seq() noexcept { return ++seq_; }

    void send(const std::string& datagram) const;

    /// Sends the question and waits for its answer; nothing if none arrives by then.
    template <class Question>
    auto ask(const Question& question, Clock::time_point until) const -> decltype(question.answer({})) {
        send(question.request());
        auto buffer = Question::buffer();
        while (const auto size = receive(buffer.data(), buffer.size(), until)) {
            if (*size <= buffer.size()) {
                if (auto answer = question.answer({buffer.data(), *size})) {
                    return answer;
                }
            }
        }
        return std::nullopt;
    }

private:
    /// The length of the next datagram, which may exceed the buffer; nothing if none arrives by then.
    std::optional<std::size_t> receive(char* buffer, std::size_t room, Clock::time_point until) const;

    int socket_;
    Place shard_;
    unsigned forks_;
    std::uint32_t seq_;
};

}  // namespace lars::detail
