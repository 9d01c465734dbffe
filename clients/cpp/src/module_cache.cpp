#include "module_cache.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <unordered_set>

namespace lars::detail {

namespace {

/// Hosts of a module with consistent_hash that is cached: the table of a larger one takes long to make.
constexpr int kMaxHashedHosts = 100;

/// Of each host, where the agent names none: all have the same.
constexpr double kDefaultWeight = 100;

/// For so many times the ttl the agent sends notices after it was last asked for them; it is asked once in a ttl.
constexpr int kWatchTtls = 3;

std::uint64_t seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}

}  // namespace

ModuleCache::ModuleCache(Module of, Shard& served_by, double ttl)
    : module(of), shard(served_by), draws_(seed()), ttl_(ttl) {}

// -- choosing

std::optional<Host> ModuleCache::choose(std::uint64_t key, double now) {
    if (now >= until_ || !choice_ || (key != 0 && choice_->policy().empty())) {
        return std::nullopt;
    }
    return chosen(key, now);
}

Host ModuleCache::chosen(std::uint64_t key, double now) {
    const Record* record = choice_->pick(key, now);
    if (record == nullptr) {
        throw overloaded(module);
    }
    return record->host;
}

ModuleCache::Asked ModuleCache::asking(std::uint64_t key, double now) {
    const bool state = ttl_ > 0 && now >= ask_state_at_ && shard.knows_states(now);
    if (state) {
        ask_state_at_ = now + ttl_;  // concurrent questions need not
        ++turn_;
    }
    return {key, now, state, turn_};
}

HostQuestion ModuleCache::question(const Asked& asked, std::uint32_t seq) const {
    return {module, seq, asked.key, asked.state ? std::optional(version_) : std::nullopt};
}

Host ModuleCache::answered(const Asked& asked, const HostAnswer& answer) {
    if (asked.state) {
        learn(answer.state, asked);
    }
    const Host& host = answer.chosen();
    awaited_until = Clock::time_point();
    LocalHost* known = choice_ ? choice_->find(host) : nullptr;
    if (known == nullptr || choice_->adopt(*known)) {
        return host;
    }
    return chosen(asked.key, asked.at);
}

void ModuleCache::learn(const std::optional<RouteStateResponse>& state, const Asked& asked) {
    if (!state) {
        until_ = 0;
        shard.ignored_state(asked.at);
        return;
    }
    shard.saves_in(state->state_dir());
    if (asked.turn != turn_) {
        return;
    }
    if (state->version() != version_ || state->version() == 0) {
        take(*state, asked.at);
    }
    until_ = cached_ ? asked.at + ttl_ : 0;
    std::vector<std::pair<Host, double>> slow;
    for (const SlowHost& each : state->slow()) {
        if (const LocalHost* host = find(each.ip(), each.port())) {
            slow.emplace_back(host->host, std::isfinite(each.penalty()) ? each.penalty() : 1);
        }
    }
    choice_->look(asked.at);
    choice_->slow_elsewhere(slow);
}

/// Replaces policy and hosts by those of a state.
void ModuleCache::take(const RouteStateResponse& state, double now) {
    version_ = state.version();
    cached_ = state.idle_size() > 0;
    std::string policy = state.policy();
    if (state.ask() || (state.overloaded_size() > 0 && policy.empty()) ||
        (policy == kHashed && state.idle_size() > kMaxHashedHosts)) {
        cached_ = false;  // for the agent to choose; an older one probes with every call
        policy.clear();
    }
    if (!choice_) {
        choice_.emplace(draws_);
    }
    if (policy != choice_->policy()) {
        choice_->use_policy(policy);
    }
    choice_->rebuild(hosts_of(state), now);
}

std::vector<std::unique_ptr<LocalHost>> ModuleCache::hosts_of(const RouteStateResponse& state) {
    const bool weighed = state.idle_weight_size() == state.idle_size() &&
                         std::any_of(state.idle_weight().begin(), state.idle_weight().end(), [](auto w) { return w; });
    std::vector<std::unique_ptr<LocalHost>> hosts;
    std::unordered_set<Host> seen;
    const auto add = [&](const HostInfo& info, double weight, bool ejected) {
        const auto host = host_of(module, info.ip(), info.port());
        if (!host || !seen.insert(*host).second) {
            return;
        }
        auto local = choice_->take(*host);
        local->configured = weight;
        local->restored = local->agent_ejected && !ejected;
        local->agent_ejected = ejected;
        hosts.push_back(std::move(local));
    };
    for (int at = 0; at < state.idle_size(); ++at) {
        add(state.idle(at), weighed ? state.idle_weight(at) : kDefaultWeight, false);
    }
    for (const HostInfo& info : state.overloaded()) {
        add(info, 0, true);
    }
    return hosts;
}

LocalHost* ModuleCache::find(std::uint32_t ip, std::int32_t port) noexcept {
    const auto host = host_of(module, ip, port);
    return host && choice_ ? choice_->find(*host) : nullptr;
}

// -- results

std::vector<std::string> ModuleCache::results(const Host& host, std::int32_t retcode,
                                              std::optional<std::chrono::nanoseconds> cost, double now) {
    LocalHost* known = choice_ ? choice_->find(host) : nullptr;
    if (known != nullptr) {
        const auto seconds = cost ? std::optional(std::max(0.0, std::chrono::duration<double>(*cost).count()))
                                  : std::nullopt;
        if (!choice_->report(*known, retcode != 0, seconds, now)) {
            const bool later = now < until_ && choice_->gathered() < choice_->limit() && choice_->silent().empty();
            return later ? std::vector<std::string>{} : batches(now);
        }
    }
    if (retcode != 0 && (!choice_ || choice_->agent_ejects())) {  // it may have ejected the host
        ++turn_;
        until_ = ask_state_at_ = 0;
    }
    auto datagrams = batches(now);
    datagrams.push_back(encode_report(host, retcode, cost));
    return datagrams;
}

bool ModuleCache::flush_due(double now) const noexcept {
    return choice_ && (choice_->gathered() > 0 || !choice_->silent().empty() || (now >= watch_at_ && ttl_ > 0));
}

std::vector<std::string> ModuleCache::batches(double now) {
    if (!choice_) {
        return {};
    }
    BatchExtras extras;
    if (now >= watch_at_) {
        watch_at_ = now + ttl_;
        extras.watch = std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(kWatchTtls * ttl_));
    }
    extras.silent = choice_->take_silent();
    return encode_batches(module, choice_->take_gathered(), extras);
}

// -- notices of the agent

std::vector<std::string> ModuleCache::failed_elsewhere(const ReportRequest& failure, double now) {
    LocalHost* host = find(failure.host().ip(), failure.host().port());
    if (host == nullptr || failure.retcode() == 0) {
        return {};
    }
    choice_->failed_elsewhere(*host, failure.cost_ms() / 1000.0, now);
    BatchExtras extras;
    extras.before_failure = true;
    return encode_batches(module, choice_->take_gathered(), extras);
}

void ModuleCache::silent_elsewhere(const ReportBatch& batch, double now) {
    for (const HostInfo& info : batch.silent()) {
        if (LocalHost* host = find(info.ip(), info.port())) {
            choice_->silent_elsewhere(*host, now);
        }
    }
}

void ModuleCache::changed(const RouteStateResponse& state, double now) {
    if (!choice_ || state.version() == 0 || state.version() == version_) {
        return;
    }
    take(state, now);
    ++turn_;
    until_ = !cached_ ? 0 : now >= until_ ? now + ttl_ : until_;
}

}  // namespace lars::detail
