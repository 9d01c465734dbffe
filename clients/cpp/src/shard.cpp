#include "shard.h"

#include <system_error>

namespace lars::detail {

namespace {

/// Seconds until an agent that ignored a request for route states gets another.
constexpr double kUnsupported = 60;

/// Seconds between two attempts to reach a shard that does not answer.
constexpr double kRetry = 1;

constexpr std::size_t kMaxDatagram = 65'536;

/// Datagrams taken at once: a flood makes no call longer.
constexpr int kMaxNotices = 100;

}  // namespace

Shard::Shard(Place place, int number, const std::string& state_dir, bool follows) : links_(place), follows_(follows) {
    if (!state_dir.empty()) {
        saved_.emplace(state_dir, number);
    }
}

Shard::~Shard() { delete reporting_.load(); }

void Shard::unanswered(double now) noexcept {
    if (alive_.exchange(false)) {
        retry_at_ = now + kRetry;
    }
}

bool Shard::answers_again(Module module, double now) noexcept {
    const std::lock_guard lock(mutex_);
    try {
        std::vector<char> buffer(kMaxDatagram);
        while (probe_ != nullptr) {
            const auto size = probe_->received(buffer.data(), buffer.size());
            if (!size) {
                break;
            }
            if (probed_->answer({buffer.data(), std::min(*size, buffer.size())})) {
                probe_.reset();
                return true;
            }
        }
        if (now >= retry_at_) {
            retry_at_ = now + kRetry;
            probe_ = links_.fresh();
            probed_.emplace(module, probe_->next_seq());
            probe_->send(probed_->datagrams().front());
        }
    } catch (const std::exception&) {
        probe_.reset();
    }
    return false;
}

void Shard::ignored_state(double now) noexcept { states_unsupported_until_ = now + kUnsupported; }

Link* Shard::reporting() {
    const Place place = links_.shard();
    Link* link = reporting_.load(std::memory_order_acquire);
    if (link == nullptr) {
        auto fresh = links_.fresh();
        if (reporting_.compare_exchange_strong(link, fresh.get(), std::memory_order_acq_rel)) {
            return fresh.release();
        }
    }
    link->move(place);
    return link;
}

void Shard::send(const std::string& datagram) {
    Link* link = reporting();
    try {
        link->send(datagram);
    } catch (const std::system_error& error) {
        if (error.code() != std::errc::connection_refused) {
            throw;
        }
        link->send(datagram);  // an earlier one was refused, and this one was not sent
    }
}

void Shard::receive(const std::function<void(std::string_view)>& take) noexcept {
    const Link* link = reporting_.load(std::memory_order_acquire);
    if (link == nullptr) {
        return;
    }
    for (int taken = 0; taken < kMaxNotices; ++taken) {
        try {
            const auto waiting = link->waiting();
            if (!waiting) {
                return;
            }
            std::vector<char> buffer(*waiting);
            if (const auto size = link->received(buffer.data(), buffer.size())) {
                take({buffer.data(), std::min(*size, buffer.size())});
            }
        } catch (const std::exception&) {  // an earlier datagram was refused: the next question will notice
            return;
        }
    }
}

std::vector<Host> Shard::saved_route(Module module, double now) {
    const std::lock_guard lock(mutex_);
    return saved_ ? saved_->route(module, now) : std::vector<Host>{};
}

std::optional<Host> Shard::saved_host(Module module, double now) {
    const std::lock_guard lock(mutex_);
    return saved_ ? saved_->pick(module, now) : std::nullopt;
}

void Shard::saves_in(const std::string& state_dir) {
    const std::lock_guard lock(mutex_);
    if (saved_ && follows_ && !state_dir.empty()) {
        saved_->move(state_dir);
    }
}

void Shard::close() noexcept {
    links_.close();
    delete reporting_.exchange(nullptr);
}

}  // namespace lars::detail
