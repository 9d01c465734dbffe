#include "core.h"

#include <algorithm>
#include <type_traits>

#include "options.h"
#include "pauses.h"

namespace lars::detail {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

namespace {

/// Seconds between two looks for notices.
constexpr double kTick = 0.01;

double since_start(Clock::time_point time) noexcept {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

Core::Core(const std::string& agent, Place place, const Options& options)
    : options_(checked_options(options)), ttl_(std::chrono::duration<double>(options.cache_ttl).count()) {
    const std::string folder = state_folder(options_, place.address);
    for (int number = 0; number < kShards; ++number) {
        const auto port = static_cast<std::uint16_t>(place.port + number);
        shards_[static_cast<std::size_t>(number)] =
            std::make_unique<Shard>(Place{place.address, port}, number, folder, follows_agent(folder));
    }
    address_ = place.address;
    if (is_named(agent)) {
        lookup_.emplace(agent);
    }
}

Core::~Core() { flush(); }

ModuleCache& Core::cached(Module module) {
    return modules_.at(module, [&] {
        return std::make_unique<ModuleCache>(module, *shards_[static_cast<std::size_t>(shard_of(module))], ttl_);
    });
}

// -- hosts

/// The answer to a question, which is sent again after half of the timeout; nothing if there is none, for which the
/// error may be the reason.
template <class Question>
auto Core::ask(const Link& link, Question& question, std::error_code& error) const {
    using Answer = std::decay_t<decltype(question.answer({}))>;
    const auto deadline = Clock::now() + options_.timeout;
    for (const auto until : {deadline - options_.timeout / 2, deadline}) {
        error.clear();
        try {
            if (auto answer = link.ask(question, until)) {
                return answer;
            }
        } catch (const std::system_error& failure) {
            error = failure.code();
            if (error != std::errc::connection_refused) {  // which may belong to an earlier datagram
                break;
            }
        }
    }
    return Answer{};
}

Host Core::get_host(Module module, std::uint64_t key) {
    ModuleCache& cached = this->cached(module);
    const auto began = Clock::now();
    const double now = since_start(began);
    if (ttl_ > 0) {
        if (now >= tick_at_.load(std::memory_order_relaxed)) {
            tick(now);
        }
        const std::lock_guard lock(cached.mutex);
        if (const auto host = cached.choose(key, now)) {
            return *host;
        }
    }
    std::optional<Pauses> pauses;
    for (;;) {
        try {
            return ask_host(cached, key);
        } catch (const NoSuchModule&) {
            if (!pauses) {
                pauses.emplace(awaited(cached, began));
            }
            if (!pauses->wait()) {
                throw;
            }
        }
    }
}

Clock::time_point Core::awaited(ModuleCache& cached, Clock::time_point began) const {
    const std::lock_guard lock(cached.mutex);
    cached.awaited_until = cached.awaited_until.value_or(began + options_.first_wait);
    return *cached.awaited_until;
}

Host Core::ask_host(ModuleCache& cached, std::uint64_t key) {
    follow_name();
    Shard& shard = cached.shard;
    const double now = since_start(Clock::now());
    if (!shard.alive()) {
        const auto saved = shard.saved_host(cached.module, now);
        if (saved && !shard.answers_again(cached.module, now)) {
            return *saved;
        }
    }
    std::error_code error;
    try {
        const auto link = shard.links().lease();
        ModuleCache::Asked asked;
        std::optional<HostQuestion> question;
        {
            const std::lock_guard lock(cached.mutex);
            if (cached.flush_due(now)) {
                send(shard, cached.batches(now));
            }
            asked = cached.asking(key, now);
            question = cached.question(asked, link->next_seq());
        }
        if (const auto answer = ask(*link, *question, error)) {
            shard.answered();
            const std::lock_guard lock(cached.mutex);
            return cached.answered(asked, *answer);
        }
    } catch (const std::system_error& failure) {
        error = failure.code();
    }
    const AgentUnavailable refusal = unanswered(shard, error, now);
    if (const auto saved = shard.saved_host(cached.module, now)) {
        return *saved;
    }
    throw refusal;
}

std::vector<Host> Core::get_route(Module module) {
    ModuleCache& cached = this->cached(module);
    const auto began = Clock::now();
    auto route = ask_route(cached);
    if (!route.empty()) {
        return route;
    }
    for (Pauses pauses(awaited(cached, began)); route.empty() && pauses.wait();) {
        route = ask_route(cached);
    }
    return route;
}

std::vector<Host> Core::ask_route(ModuleCache& cached) {
    follow_name();
    Shard& shard = cached.shard;
    std::error_code error;
    try {
        RouteQuestion question(cached.module);
        if (auto route = ask(*shard.links().fresh(), question, error)) {
            shard.answered();
            if (!route->empty()) {
                const std::lock_guard lock(cached.mutex);
                cached.awaited_until = Clock::time_point();
            }
            return *std::move(route);
        }
    } catch (const std::system_error& failure) {
        error = failure.code();
    }
    const double now = since_start(Clock::now());
    const AgentUnavailable refusal = unanswered(shard, error, now);
    auto saved = shard.saved_route(cached.module, now);
    return saved.empty() ? throw refusal : saved;
}

void Core::ready(Module module, nanoseconds timeout) {
    ModuleCache& cached = this->cached(module);
    for (Pauses pauses(Clock::now() + timeout);;) {
        std::optional<AgentUnavailable> refusal;
        try {
            if (!ask_route(cached).empty()) {
                return;
            }
        } catch (const AgentUnavailable& error) {
            refusal = error;
        }
        if (!pauses.wait()) {
            if (refusal) {
                throw *refusal;
            }
            throw no_such_module(module);
        }
    }
}

// -- results

void Core::report(const Host& host, std::int32_t retcode, std::optional<nanoseconds> cost) {
    ModuleCache& cached = this->cached({host.modid(), host.cmdid()});
    const double now = since_start(Clock::now());
    const std::lock_guard lock(cached.mutex);
    for (const auto& datagram : cached.results(host, retcode, cost, now)) {
        try {
            cached.shard.send(datagram);
        } catch (const std::system_error& error) {
            if (cached.shard.alive()) {
                throw unavailable(cached.shard, error.code());
            }
        }
    }
}

void Core::send(Shard& shard, const std::vector<std::string>& datagrams) noexcept {
    for (const auto& datagram : datagrams) {
        try {
            shard.send(datagram);
        } catch (const std::system_error&) {  // the agent is down: the next question will notice
        }
    }
}

void Core::flush() noexcept {
    modules_.each([](ModuleCache& cached) {
        const std::lock_guard lock(cached.mutex);
        send(cached.shard, cached.batches());
    });
}

void Core::tick(double now) noexcept {
    double due = tick_at_;
    if (now < due || !tick_at_.compare_exchange_strong(due, now + kTick)) {
        return;  // another thread does it
    }
    for (const auto& shard : shards_) {
        receive(*shard, now);
    }
    if (now >= flush_at_) {
        flush_at_ = now + ttl_;
        modules_.each([now](ModuleCache& cached) {
            const std::lock_guard lock(cached.mutex);
            if (cached.overdue(now)) {
                send(cached.shard, cached.batches(now));
            }
        });
    }
}

void Core::receive(Shard& shard, double now) noexcept {
    shard.receive([&](std::string_view datagram) {
        const auto notice = notice_of(datagram);
        if (!notice) {
            return;
        }
        const auto module = std::visit([](const auto& each) { return Module{each.modid(), each.cmdid()}; }, *notice);
        ModuleCache* cached = modules_.find(module);
        if (cached == nullptr || &cached->shard != &shard) {
            return;
        }
        const std::lock_guard lock(cached->mutex);
        if (const auto* state = std::get_if<RouteStateResponse>(&*notice)) {
            cached->changed(*state, now);
        } else if (const auto* batch = std::get_if<ReportBatch>(&*notice)) {
            cached->silent_elsewhere(*batch, now);
        } else {
            send(shard, cached->failed_elsewhere(std::get<ReportRequest>(*notice), now));
        }
    });
}

// -- an agent that does not answer

AgentUnavailable Core::unanswered(Shard& shard, std::error_code error, double now) {
    AgentUnavailable refusal = unavailable(shard, error);
    shard.unanswered(now);
    if (lookup_) {
        lookup_->unanswered(now);
    }
    return refusal;
}

AgentUnavailable Core::unavailable(Shard& shard, std::error_code error) const {
    const std::string peer = written(shard.links().shard());
    const std::string why =
        error ? "the agent at " + peer + " cannot be reached (" + error.message() + ")"
              : "no answer from the agent at " + peer + " within " + written_seconds(options_.timeout) + " s";
    return AgentUnavailable(why + ": start lars-agent there, or set its address (LARS_AGENT, or lars::Client's agent)");
}

void Core::follow_name() noexcept {
    const std::uint32_t found = lookup_ ? lookup_->found() : 0;
    if (found != 0 && address_.exchange(found) != found) {
        for (const auto& shard : shards_) {
            shard->links().move({found, shard->links().shard().port});
        }
    }
}

bool Core::agent_alive() const noexcept {
    return std::all_of(shards_.begin(), shards_.end(), [](const auto& shard) { return shard->alive(); });
}

void Core::close_sockets() noexcept {
    for (const auto& shard : shards_) {
        shard->close();
    }
}

}  // namespace lars::detail
