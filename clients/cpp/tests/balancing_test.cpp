/// The rules by which a process chooses: those of lars/balancing, whose numbers some tests repeat.
#include "balancing/blake2b.h"
#include "balancing/consistent_hash.h"
#include "balancing/rules.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "check.h"

using lars::Host;
using lars::Key;
using lars::detail::blake2b;
using lars::detail::Draws;
using lars::detail::picker_of;
using lars::detail::Record;
using lars::detail::Rules;

namespace {

std::string hex(const std::string& data, std::size_t size) {
    const auto digest = blake2b(data, size);
    std::string out;
    for (std::size_t i = 0; i < size; ++i) {
        out.push_back("0123456789abcdef"[digest[i] >> 4]);
        out.push_back("0123456789abcdef"[digest[i] & 15]);
    }
    return out;
}

/// A module with a policy, whose calls take as long as a test says.
class Route {
public:
    explicit Route(const std::string& policy, const std::vector<double>& weights)
        : rules_(picker_of(policy, draws_), draws_) {
        for (std::size_t at = 0; at < weights.size(); ++at) {
            records_.push_back(std::make_unique<Record>(Host(1, 1, 0x0a000001 + static_cast<std::uint32_t>(at), 80)));
            records_.back()->configured = weights[at];
        }
        rebuild();
    }

    void rebuild() {
        std::vector<Record*> all;
        for (const auto& each : records_) {
            all.push_back(each.get());
        }
        rules_.rebuild(all);
    }

    Rules& rules() { return rules_; }
    Record& operator[](std::size_t number) { return *records_[number]; }

    /// The number of the host that is picked; -1 if the call should not be made.
    int pick(std::uint64_t key = 0) {
        now_ += 0.01;
        if (now_ >= swept_ + 1) {
            swept_ = now_;
            rules_.sweep();
        }
        const Record* record = rules_.pick(key, now_);
        return record == nullptr ? -1 : static_cast<int>(record->host.address() - 0x0a000001);
    }

    /// Makes calls of which those to the hosts in `failing` fail, and counts them by host.
    std::map<int, int> call(int calls, const std::vector<int>& failing = {}, double cost = 0.01) {
        std::map<int, int> made;
        for (int i = 0; i < calls; ++i) {
            const int at = pick();
            ++made[at];
            if (at >= 0) {
                const bool failed = std::count(failing.begin(), failing.end(), at) > 0;
                rules_.report((*this)[static_cast<std::size_t>(at)], failed, cost);
            }
        }
        return made;
    }

private:
    Draws draws_{17};
    Rules rules_;
    std::vector<std::unique_ptr<Record>> records_;
    double now_ = 1000, swept_ = 1000;
};

const std::vector<double> kFive(5, 100);

}  // namespace

TEST(blake2b_is_that_of_the_rfc_and_of_python) {
    CHECK_EQUAL(hex("abc", 64), "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                                "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
    CHECK_EQUAL(hex(std::string(200, 'x'), 16), "a838c58b985551205df88cdbb16ec53d");
    CHECK_EQUAL(hex(std::string(128, 'x'), 8), "901ce374e8e12402");
}

TEST(keys_are_those_of_the_other_clients) {
    CHECK_EQUAL(Key().number(), 0U);
    CHECK_EQUAL(Key(17).number(), 17U);
    CHECK_EQUAL(Key(0).number(), 18446744073709551615U);
    CHECK_EQUAL(Key("user 17").number(), 870825515399368822U);
    CHECK_EQUAL(Key("\xc3\xbc").number(), 3976460501203677525U);
    CHECK_EQUAL(Key(std::string()).number(), 13020603013274838756U);
}

TEST(maglev_table_is_the_agents) {
    const auto table = lars::detail::maglev_table({"10.0.0.5:80", "10.0.0.6:80", "10.0.0.7:81"}, {100, 100, 50}, 1009);
    CHECK_EQUAL(std::count(table.begin(), table.end(), 0U), 404);
    CHECK_EQUAL(std::count(table.begin(), table.end(), 2U), 201);
    std::size_t sum = 0;
    for (std::size_t at = 0; at < table.size(); ++at) {
        sum += (at + 1) * (table[at] + 1);
    }
    CHECK_EQUAL(sum, 910206U);
    CHECK_EQUAL(lars::detail::mix(1), 0x910a2dec89025cc1U);
}

TEST(calls_with_a_key_go_to_one_host_and_most_keep_theirs_when_it_leaves) {
    Route route("consistent_hash", kFive);
    std::map<std::uint64_t, int> hosts;
    for (std::uint64_t key = 1; key <= 200; ++key) {
        hosts[key] = route.pick(key);
        route.rules().report(route[static_cast<std::size_t>(hosts[key])], false, 0);
        CHECK_EQUAL(route.pick(key), hosts[key]);
        route.rules().report(route[static_cast<std::size_t>(hosts[key])], false, 0);
    }
    route[4].configured = 0;
    route.rebuild();
    int moved = 0;
    for (const auto& [key, host] : hosts) {
        const int now = route.pick(key);
        route.rules().report(route[static_cast<std::size_t>(now)], false, 0);
        CHECK(now != 4);
        moved += host != 4 && now != host;
    }
    CHECK(moved < 40);
}

TEST(hosts_get_calls_by_weight) {
    for (const auto* policy : {"round_robin", "adaptive"}) {
        Route route(policy, {100, 50, 50, 0});
        const auto made = route.call(400);
        CHECK_EQUAL(made.count(3), 0U);
        CHECK(std::abs(made.at(0) - 200) < 25);
        CHECK(std::abs(made.at(1) - 100) < 25);
    }
}

TEST(drained_hosts_take_calls_where_there_are_no_others) {
    Route route("adaptive", {0, 0});
    CHECK_EQUAL(route.call(10).size(), 2U);
}

TEST(busy_host_gets_fewer_calls) {
    Route route("adaptive", kFive);
    route[0].in_flight = 50;
    CHECK_EQUAL(route.call(100).count(0), 0U);
}

TEST(slow_host_gets_fewer_calls) {
    Route route("adaptive", kFive);
    for (int round = 0; round < 40; ++round) {
        for (std::size_t at = 0; at < 5; ++at) {
            route.rules().report(route[at], false, at == 0 ? 0.1 : 0.01);
        }
    }
    CHECK(route[0].penalty > 2);
    CHECK_EQUAL(route[1].penalty, 1.0);
    CHECK(route.call(100, {}, 0.01)[0] < 5);
}

TEST(host_that_fails_alone_is_ejected_and_probed_seldom) {
    Route route("adaptive", kFive);
    route.call(200);
    const auto made = route.call(1000, {2});
    CHECK(made.at(2) <= 5);
    CHECK(route[2].ejected);
    CHECK(route.call(3000)[2] > 300);  // the first probe that succeeds restores it
    CHECK(!route[2].ejected);
}

TEST(what_fails_everywhere_ejects_nobody) {
    Route route("round_robin", kFive);
    route.call(500);
    route.call(500, {0, 1, 2, 3, 4});
    for (std::size_t at = 0; at < 5; ++at) {
        CHECK(!route[at].ejected);
    }
}

TEST(failure_keeps_calls_away_at_once) {
    Route route("adaptive", kFive);
    route.call(100);
    route.rules().failed_elsewhere(route[1], 0);
    CHECK(!route[1].ejected);
    CHECK(route.call(20)[1] <= 1);
}

TEST(host_that_the_agent_restores_joins_with_a_slow_start) {
    Route route("adaptive", {100, 100, 0});
    route.call(50);
    route[2].configured = 100;
    route[2].restored = true;
    route.rebuild();
    CHECK(route.call(50)[2] < 12);
    route.call(200);
    CHECK(route.call(300)[2] > 80);
}

TEST(load_is_shed_while_most_calls_fail_by_being_slow) {
    Route route("adaptive", kFive);
    route.call(300);
    CHECK(route.call(1500, {0, 1, 2, 3, 4}, 2.0)[-1] > 200);
    CHECK(route.call(6000)[-1] < 3000);
    CHECK_EQUAL(route.call(500)[-1], 0);
}

TEST(calls_that_are_never_reported_are_forgotten) {
    Route route("adaptive", {100, 100});
    for (int i = 0; i < 1000; ++i) {
        (void)route.pick();
    }
    CHECK(route[0].in_flight + route[1].in_flight < 500);
}
