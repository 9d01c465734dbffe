#include "choice.h"

#include <algorithm>

namespace lars::detail {

namespace {

/// Seconds between two looks at the rules; one more for so many hosts, since a look goes through them.
constexpr double kLook = 0.1, kLookHosts = 4'000;

/// Seconds between two sweeps.
constexpr double kSweep = 1;

std::uint64_t key_of(const Host& host) noexcept { return std::uint64_t{host.address()} << 16 | host.port(); }

}  // namespace

void Choice::use_policy(const std::string& name) {
    policy_ = name;
    auto picker = picker_of(name, draws_);
    rules_ = picker == nullptr ? nullptr : std::make_unique<Rules>(std::move(picker), draws_);
    for (auto& [key, host] : hosts_) {
        static_cast<Record&>(*host) = Record(host->host);
    }
}

std::unique_ptr<LocalHost> Choice::take(const Host& host) {
    const auto known = hosts_.find(key_of(host));
    if (known == hosts_.end()) {
        return std::make_unique<LocalHost>(host);
    }
    auto taken = std::move(known->second);
    hosts_.erase(known);
    return taken;
}

void Choice::rebuild(std::vector<std::unique_ptr<LocalHost>> hosts, double now) {
    std::vector<Record*> records;
    turns_.clear();
    for (const auto& host : hosts) {
        records.push_back(host.get());
        if (host->configured > 0) {
            turns_.push_back(host.get());
        }
    }
    if (rules_ != nullptr) {
        rules_->rebuild(records);
    }
    turn_ = draws_.below(turns_.size());
    for (auto& [key, host] : hosts_) {
        if (host->gathered.calls > 0) {
            departed_.emplace_back(host->host, host->gathered);
        }
    }
    hosts_.clear();
    for (auto& host : hosts) {
        const auto key = key_of(host->host);
        hosts_.emplace(key, std::move(host));
    }
    look(now);
}

LocalHost* Choice::find(const Host& host) noexcept {
    const auto known = hosts_.find(key_of(host));
    return known == hosts_.end() ? nullptr : known->second.get();
}

Record* Choice::pick(std::uint64_t key, double now) {
    if (rules_ == nullptr) {
        return turns_.empty() ? nullptr : turns_[turn_ = turn_ + 1 < turns_.size() ? turn_ + 1 : 0];
    }
    if (now >= look_at_) {
        look(now);
    }
    return rules_->pick(key, now);
}

bool Choice::adopt(LocalHost& host) noexcept {
    if (!host.agent_ejected && rules_ != nullptr && !rules_->adopt(host)) {
        return false;
    }
    ++host.asked;
    return true;
}

bool Choice::report(LocalHost& host, bool failed, std::optional<double> cost, double now) {
    host.answered = host.called = true;
    const bool alone = failed || host.asked > 0;
    host.asked = std::max(0, host.asked - 1);
    if (failed) {
        look(now);
        limit_ = 1;
    }
    if (rules_ != nullptr) {
        rules_->report(host, failed, cost.value_or(0));
    }
    if (!alone) {
        host.gathered.add({1, cost.value_or(0), cost ? 1U : 0U});
        ++gathered_;
    }
    return alone;
}

void Choice::failed_elsewhere(LocalHost& host, double cost, double now) {
    if (rules_ != nullptr) {
        look(now);
        rules_->failed_elsewhere(host, cost);
    }
}

void Choice::slow_elsewhere(const std::vector<std::pair<Host, double>>& penalties) {
    if (rules_ == nullptr) {
        return;
    }
    std::unordered_map<const LocalHost*, double> found;
    for (const auto& [host, penalty] : penalties) {
        found[find(host)] = penalty;
    }
    for (auto& [key, host] : hosts_) {
        const auto slow = found.find(host.get());
        const double penalty = slow == found.end() ? 1 : slow->second;
        if (!host->called || penalty > host->penalty) {
            rules_->slow_elsewhere(*host, penalty);
        }
        host->called = false;
    }
}

void Choice::silent_elsewhere(LocalHost& host, double now) {
    if (rules_ != nullptr) {
        look(now);
        rules_->silent(host);
    }
}

void Choice::look(double now) {
    if (rules_ == nullptr) {
        return;
    }
    look_at_ = now + kLook + static_cast<double>(hosts_.size()) / kLookHosts;
    find_silent(now);
    if (now - swept_ >= kSweep) {
        swept_ = now;
        rules_->sweep();
    }
}

void Choice::find_silent(double now) {
    for (auto& [key, host] : hosts_) {
        if (host->answered || host->in_flight == 0) {
            host->answered = host->silent = false;
            host->waiting_since.reset();
        } else if (!host->waiting_since) {
            host->waiting_since = now;
        } else if (!host->silent && now - *host->waiting_since > rules_->slow_from()) {
            host->silent = true;
            rules_->silent(*host);
            silent_.push_back(host->host);
        }
    }
}

Choice::Successes Choice::take_gathered() {
    Successes taken = std::exchange(departed_, {});
    for (auto& [key, host] : hosts_) {
        if (host->gathered.calls > 0) {
            taken.emplace_back(host->host, std::exchange(host->gathered, {}));
        }
    }
    gathered_ = 0;
    limit_ = std::min(2 * limit_, kMaxGathered);
    return taken;
}

}  // namespace lars::detail
