/// The cache of one module, by the clock of the test.
#include "module_cache.h"

#include <map>

#include "check.h"
#include "responder.h"

using lars::Host;
using lars::detail::Draws;
using lars::detail::HostAnswer;
using lars::detail::ModuleCache;
using lars::detail::Shard;
using tests::state_of;
using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t kFirst = 8080;

Host host(int port) { return {1, 2, "10.0.0.5", static_cast<std::uint16_t>(port)}; }

/// A module's cache, and an agent that answers with a state and its first host.
struct Cached {
    Shard shard{{0x7f000001, 1}, 0, "", false};
    ModuleCache cache{{1, 2}, shard, 1.0};
    double now = 1000;
    std::vector<int> reported;

    /// The call for which it was asked ends well.
    explicit Cached(const std::optional<lars::RouteStateResponse>& state) {
        const Host first = learn(state);
        reported = sent(first);
    }

    Host learn(const std::optional<lars::RouteStateResponse>& state, int port = kFirst) {
        const auto asked = cache.asking(0, now);
        return cache.answered(asked, HostAnswer{{1, 2}, 0, host(port), asked.state ? state : std::nullopt});
    }

    std::optional<Host> choose(std::uint64_t key = 0) {
        now += 0.001;
        return cache.choose(key, now);
    }

    /// The retcodes of reports, and the calls of batches as negative numbers, that a result sends.
    std::vector<int> sent(const Host& of, int retcode = 0, std::optional<std::chrono::nanoseconds> cost = 10ms) {
        return read(cache.results(of, retcode, cost, now));
    }

    static std::vector<int> read(const std::vector<std::string>& datagrams) {
        std::vector<int> found;
        for (const auto& datagram : datagrams) {
            lars::ReportRequest report;
            lars::ReportBatch batch;
            const std::string body = datagram.substr(8);
            if (datagram[0] == 6 && report.ParseFromString(body)) {
                found.push_back(report.retcode());
            } else if (datagram[0] == 12 && batch.ParseFromString(body)) {
                int calls = 0;
                for (const auto& each : batch.result()) {
                    calls += static_cast<int>(each.succ());
                }
                found.push_back(-calls);
            }
        }
        return found;
    }

    /// Makes calls, of which those to one port fail, and counts them by port.
    std::map<int, int> call(int calls, int failing = 0) {
        std::map<int, int> made;
        for (int i = 0; i < calls; ++i) {
            const auto chosen = choose();
            const int port = chosen ? chosen->port() : 0;
            ++made[port];
            if (chosen) {
                (void)sent(*chosen, port == failing ? 1 : 0);
            }
        }
        return made;
    }
};

const std::vector<std::uint16_t> kPorts{8080, 8081, 8082, 8083};

using Sent = std::vector<int>;

}  // namespace

namespace std {
ostream& operator<<(ostream& out, const Sent& sent) {
    for (const int each : sent) {
        out << each << ' ';
    }
    return out;
}
}  // namespace std

TEST(cached_module_chooses_by_itself_until_its_ttl) {
    Cached module(state_of(kPorts, "adaptive"));
    CHECK_EQUAL(module.call(400).size(), 4U);
    module.now = 1001;
    CHECK(!module.choose());
}

TEST(state_is_asked_for_once_in_a_ttl_with_the_version_that_is_known) {
    Cached module(state_of(kPorts, "adaptive", 0, 7));
    CHECK(!module.cache.asking(0, module.now + 0.5).state);
    const auto asked = module.cache.asking(0, module.now + 1);
    CHECK(asked.state);
    const auto question = module.cache.question(asked, 5);
    CHECK_EQUAL(question.datagrams().size(), 2U);
    lars::RouteStateRequest request;
    CHECK(request.ParseFromString(question.datagrams()[0].substr(8)));
    CHECK_EQUAL(request.version(), 7U);
    CHECK_EQUAL(request.seq(), 5U);
}

TEST(successes_are_gathered_and_a_failure_is_sent_at_once_after_them) {
    Cached module(state_of(kPorts, "adaptive"));
    for (int i = 0; i < 5; ++i) {
        CHECK_EQUAL(module.sent(*module.choose()), Sent{});
    }
    CHECK_EQUAL(module.sent(*module.choose(), 3), (Sent{-5, 3}));
}

TEST(result_of_the_agents_choice_is_sent_by_itself) {
    Cached module(state_of(kPorts, "adaptive"));
    CHECK_EQUAL(module.reported.back(), 0);
    CHECK_EQUAL(module.sent(host(kFirst)), Sent{});
}

TEST(batch_has_calls_and_costs_of_each_host_and_asks_for_notices) {
    Cached module(state_of(kPorts, "adaptive"));
    (void)module.cache.batches(module.now);
    (void)module.sent(host(8081), 0, 1500us);
    (void)module.sent(host(8081), 0, 500us);
    (void)module.sent(host(8081), 0, std::nullopt);
    lars::ReportBatch batch;
    CHECK(batch.ParseFromString(module.cache.batches(module.now + 1).at(0).substr(8)));
    CHECK_EQUAL(batch.result_size(), 1);
    CHECK_EQUAL(batch.result(0).port(), 8081);
    CHECK_EQUAL(batch.result(0).succ(), 3U);
    CHECK_EQUAL(batch.result(0).timed(), 2U);
    CHECK_EQUAL(batch.result(0).cost_us(), 2000U);
    CHECK_EQUAL(batch.watch_ms(), 3000U);
}

TEST(after_a_failure_half_of_the_successes_are_sent_at_any_time) {
    Cached module(state_of(kPorts, "adaptive"));
    (void)module.sent(host(8081), 1);
    std::vector<int> batches;
    for (int i = 0; i < 30; ++i) {
        for (const int each : module.sent(host(8082))) {
            batches.push_back(-each);
        }
    }
    CHECK_EQUAL(batches, (Sent{2, 4, 8, 16}));
}

TEST(many_successes_are_sent_before_their_time) {
    Cached module(state_of(kPorts, "adaptive"));
    std::size_t sent = 0;
    for (int i = 0; i < 10'000; ++i) {
        sent += module.sent(host(8081)).size();
    }
    CHECK_EQUAL(sent, 1U);
}

TEST(failing_host_is_left_at_once) {
    Cached module(state_of(kPorts, "adaptive"));
    (void)module.call(200);
    CHECK(module.call(200, 8082)[8082] <= 3);
}

TEST(hosts_that_the_agent_has_ejected_are_its_to_probe) {
    Cached module(state_of(kPorts, "adaptive", 2));
    const auto made = module.call(400);
    CHECK_EQUAL(made.count(8080) + made.count(8081), 0U);
    CHECK_EQUAL(module.learn(std::nullopt, 8081), host(8081));  // the agent's probe
    const Sent sent = module.sent(host(8081));
    CHECK_EQUAL(sent.back(), 0);
}

TEST(host_that_this_process_has_ejected_is_not_called_though_the_agent_chose_it) {
    Cached module(state_of(kPorts, "adaptive"));
    (void)module.call(200);
    (void)module.call(100, 8081);
    for (int i = 0; i < 10; ++i) {
        CHECK(module.learn(std::nullopt, 8081) != host(8081));
    }
}

TEST(state_with_other_hosts_replaces_them_and_keeps_what_was_gathered) {
    Cached module(state_of(kPorts, "adaptive"));
    (void)module.sent(host(8083));
    module.now += 1;
    (void)module.sent(module.learn(state_of({8080, 8081}, "adaptive", 0, 2)));
    const auto made = module.call(100);
    CHECK_EQUAL(made.size(), 2U);
    CHECK_EQUAL(made.count(8083), 0U);
    const Sent sent = module.read(module.cache.batches());
    CHECK(sent.at(0) < -50);
}

TEST(another_policy_goes_on_with_the_same_hosts) {
    Cached module(state_of(kPorts, "adaptive"));
    for (const auto* policy : {"round_robin", "classic", "consistent_hash", "adaptive"}) {
        module.now += 1;
        static std::uint64_t version = 1;
        (void)module.sent(module.learn(state_of(kPorts, policy, 0, ++version)));
        const auto made = module.call(200);
        CHECK_EQUAL(made.size(), 4U);
        CHECK_EQUAL(made.count(0), 0U);
    }
}

TEST(weights_of_the_state_are_kept_to) {
    auto state = state_of({8080, 8081}, "round_robin");
    state.add_idle_weight(300);
    state.add_idle_weight(100);
    Cached module(state);
    CHECK(std::abs(module.call(400)[8080] - 300) < 10);
}

TEST(classic_takes_turns_and_asks_the_agent_after_a_failure) {
    Cached module(state_of(kPorts, "classic"));
    const auto made = module.call(400);
    CHECK_EQUAL(made.at(8080), 100);
    (void)module.sent(host(8081), 1);
    CHECK(!module.choose());
}

TEST(policy_that_is_not_known_takes_turns) {
    Cached module(state_of(kPorts, "of tomorrow"));
    CHECK_EQUAL(module.call(400).at(8083), 100);
}

TEST(agent_is_asked_for_each_call_where_it_alone_can_choose) {
    auto ask = state_of(kPorts, "adaptive");
    ask.set_ask(true);
    for (const auto& state : {ask, state_of(kPorts, "", 1), state_of(std::vector<std::uint16_t>(), "adaptive")}) {
        Cached module(state);
        CHECK(!module.choose());
    }
    auto many = state_of(kPorts, "consistent_hash");
    for (std::uint32_t number = 0; number < 100; ++number) {
        auto* info = many.add_idle();
        info->set_ip(0x0b000000 + number);
        info->set_port(80);
    }
    Cached module(many);
    CHECK(!module.choose());
    Cached older(state_of(kPorts, ""));
    CHECK(older.choose().has_value());
    CHECK(!older.choose(17));
}

TEST(agent_without_states_is_not_asked_for_one_for_a_minute) {
    Cached module(std::nullopt);
    CHECK(!module.choose());
    CHECK(!module.cache.asking(0, module.now + 59).state);
    CHECK(module.cache.asking(0, module.now + 61).state);
    CHECK_EQUAL(module.reported, Sent{0});
}

TEST(answer_to_an_older_question_changes_nothing) {
    Cached module(state_of(kPorts, "adaptive"));
    module.now += 1;
    const auto older = module.cache.asking(0, module.now);
    module.cache.changed(state_of({8080, 8081}, "adaptive", 1, 3), module.now);
    (void)module.cache.answered(older, HostAnswer{{1, 2}, 0, host(8081), state_of(kPorts, "adaptive", 0, 2)});
    CHECK_EQUAL(module.call(50).size(), 1U);
}

TEST(hosts_named_twice_or_without_an_address_are_passed_over) {
    auto state = state_of({8080, 8080, 0, 8081}, "adaptive");
    Cached module(state);
    CHECK_EQUAL(module.call(100).size(), 2U);
}

TEST(failure_of_another_process_keeps_calls_away_and_sends_what_was_gathered) {
    Cached module(state_of(kPorts, "adaptive"));
    (void)module.call(40);
    lars::ReportRequest failure;
    failure.mutable_host()->set_ip(tests::kIp);
    failure.mutable_host()->set_port(8081);
    failure.set_retcode(1);
    const auto datagrams = module.cache.failed_elsewhere(failure, module.now);
    lars::ReportBatch batch;
    CHECK(batch.ParseFromString(datagrams.at(0).substr(8)));
    CHECK(batch.before_failure());
    CHECK(module.call(20)[8081] <= 1);
}

TEST(state_that_the_agent_sends_by_itself_is_taken) {
    Cached module(state_of(kPorts, "adaptive"));
    module.cache.changed(state_of(kPorts, "adaptive", 3, 2), module.now);
    CHECK_EQUAL(module.call(50).count(8083), 1U);
    CHECK_EQUAL(module.call(50).size(), 1U);
}

TEST(silent_host_gets_fewer_calls_and_is_reported) {
    Cached module(state_of(kPorts, "round_robin"));
    (void)module.call(200);
    for (int i = 0; i < 40; ++i) {  // calls to one host do not end
        const auto chosen = module.choose();
        if (chosen->port() != 8082) {
            (void)module.sent(*chosen);
        }
    }
    module.now += 0.15;
    (void)module.choose();
    module.now += 0.2;
    (void)module.choose();
    lars::ReportBatch batch;
    CHECK(batch.ParseFromString(module.cache.batches(module.now).at(0).substr(8)));
    CHECK_EQUAL(batch.silent_size(), 1);
    CHECK_EQUAL(batch.silent(0).port(), 8082);
    Cached other(state_of(kPorts, "adaptive"));
    other.cache.silent_elsewhere(batch, other.now);
    CHECK(other.call(20)[8082] <= 1);
}

TEST(hosts_are_as_slow_as_all_processes_know) {
    auto state = state_of(kPorts, "adaptive");
    Cached module(state);
    (void)module.call(200);
    auto* slow = state.add_slow();
    slow->set_ip(tests::kIp);
    slow->set_port(8081);
    slow->set_penalty(8);
    module.now += 1;
    module.learn(state);
    module.now += 1;
    module.learn(state);
    CHECK(module.call(40)[8081] <= 4);
}
