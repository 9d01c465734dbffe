/// The client that chooses by itself, against an agent on a real socket.
#include <lars/client.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <thread>

#include "check.h"
#include "folder.h"
#include "responder.h"

using lars::Client;
using lars::Host;
using lars::Options;
using tests::Answers;
using tests::Request;
using tests::Responder;
using tests::state_of;
using tests::with_state;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kGetHost = 4, kReport = 6, kGetState = 10, kBatch = 12;

const std::vector<std::uint16_t> kPorts{8080, 8081, 8082, 8083};

Options for_long() {
    Options options;
    options.timeout = 20s;
    options.cache_ttl = 1h;
    options.state_dir = "";
    return options;
}

Options for_short(std::chrono::nanoseconds ttl) {
    Options options = for_long();
    options.cache_ttl = ttl;
    return options;
}

/// The successes in batches, by port.
void count(const lars::ReportBatch& batch, std::map<int, int>& counted) {
    for (const auto& each : batch.result()) {
        counted[each.port()] += static_cast<int>(each.succ());
    }
}

int sum(const std::map<int, int>& counted) {
    int all = 0;
    for (const auto& [port, calls] : counted) {
        all += calls;
    }
    return all;
}

/// All successes that an agent was sent so far.
std::map<int, int> successes(Responder& agent) {
    std::map<int, int> counted;
    while (!agent.none_is_left()) {
        const Request request = agent.next();
        if (request.id == kBatch) {
            count(request.batch, counted);
        } else if (request.id == kReport && request.report.retcode() == 0) {
            ++counted[request.report.host().port()];
        }
    }
    return counted;
}

/// Waits until the agent has taken everything sent before.
void settle(Responder& agent) { (void)Client(agent.agent(), Options{20s, 0s, 0s, ""}).get_host(9, 9); }

template <class Condition>
bool soon(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

}  // namespace

TEST(most_calls_ask_nobody_and_counts_are_those_of_the_calls) {
    Responder agent(with_state(state_of(kPorts, "adaptive"), 8080));
    std::map<int, int> made;
    {
        const Client client(agent.agent(), for_long());
        for (int i = 0; i < 1000; ++i) {
            ++made[client.call(1, 2).host().port()];
        }
        CHECK_EQUAL(agent.count(kGetHost), 1U);
        CHECK_EQUAL(agent.count(kGetState), 1U);
    }
    settle(agent);
    CHECK_EQUAL(made.size(), 4U);
    CHECK(successes(agent) == made);
}

TEST(without_a_ttl_each_call_asks_and_reports) {
    Responder agent(with_state(state_of(kPorts, "adaptive"), 8080));
    const Client client(agent.agent(), for_short(0s));
    for (int i = 0; i < 5; ++i) {
        client.report(client.get_host(1, 2));
    }
    settle(agent);
    CHECK_EQUAL(agent.count(kGetHost), 6U);
    CHECK_EQUAL(agent.count(kReport), 5U);
    CHECK_EQUAL(agent.count(kGetState) + agent.count(kBatch), 0U);
}

TEST(failure_is_sent_at_once_after_the_successes_before_it) {
    Responder agent(with_state(state_of(kPorts, "adaptive"), 8080));
    const Client client(agent.agent(), for_long());
    client.report(client.get_host(1, 2));
    for (int i = 0; i < 10; ++i) {
        client.report(client.get_host(1, 2), 0, 2ms);
    }
    client.report(client.get_host(1, 2), 7);
    std::map<int, int> counted;
    for (;;) {
        const Request request = agent.next();
        if (request.id == kBatch) {
            count(request.batch, counted);
        } else if (request.id == kReport && request.report.retcode() == 7) {
            break;
        }
    }
    CHECK_EQUAL(sum(counted), 10);
}

TEST(failing_host_is_left_at_once) {
    Responder agent(with_state(state_of(kPorts, "adaptive"), 8080));
    const Client client(agent.agent(), for_long());
    int failed = 0;
    for (int i = 0; i < 1000; ++i) {
        auto call = client.call(1, 2);
        if (i > 100 && call.host().port() == 8082) {
            call.fail();
            ++failed;
        }
    }
    CHECK(failed <= 3);
}

TEST(overdue_successes_are_sent_with_a_call_of_any_module) {
    Responder agent(with_state(state_of(kPorts, "adaptive"), 8080));
    const Client client(agent.agent(), for_short(50ms));
    client.report(client.get_host(1, 2));
    client.report(client.get_host(1, 2));
    std::map<int, int> counted;
    CHECK(soon([&] {
        (void)client.get_host(4, 5);
        while (!agent.none_is_left()) {
            count(agent.next().batch, counted);
        }
        return sum(counted) == 1;
    }));
}

TEST(flush_sends_what_is_gathered) {
    Responder agent(with_state(state_of(kPorts, "adaptive"), 8080));
    const Client client(agent.agent(), for_long());
    client.report(client.get_host(1, 2));
    client.report(client.get_host(1, 2));
    client.flush();
    settle(agent);
    CHECK_EQUAL(sum(successes(agent)), 2);
}

TEST(agent_that_knows_no_states_is_asked_for_each_call) {
    Responder agent(tests::serving({8080}));
    const Client client(agent.agent(), for_short(10ms));
    for (int i = 0; i < 20; ++i) {
        client.report(client.get_host(1, 2));
    }
    settle(agent);
    CHECK_EQUAL(agent.count(kGetHost), 21U);
    CHECK_EQUAL(agent.count(kGetState), 1U);
    CHECK_EQUAL(agent.count(kReport), 20U);
}

TEST(key_reaches_the_agent_and_chooses_in_the_process) {
    Responder agent(with_state(state_of(kPorts, "consistent_hash"), 8080));
    const Client client(agent.agent(), for_long());
    client.report(client.get_host(1, 2, "user 17"));
    CHECK_EQUAL(agent.next(kGetHost).get_host.key(), 870825515399368822U);
    const Host host = client.get_host(1, 2, "user 18");
    client.report(host);
    for (int i = 0; i < 50; ++i) {
        CHECK_EQUAL(client.get_host(1, 2, "user 18"), host);
        client.report(host);
    }
}

TEST(failure_that_the_agent_passes_on_keeps_calls_away) {
    Responder agent(with_state(state_of(kPorts, "adaptive"), 8080));
    const Client client(agent.agent(), for_short(20ms));
    (void)client.get_host(1, 2);
    Request watching;
    CHECK(soon([&] {
        client.report(client.get_host(1, 2));
        while (!agent.none_is_left()) {
            watching = agent.next();
            if (watching.id == kBatch && watching.batch.watch_ms() == 60) {
                return true;
            }
        }
        return false;
    }));
    lars::ReportRequest failure;
    failure.set_modid(1);
    failure.set_cmdid(2);
    failure.mutable_host()->set_ip(tests::kIp);
    failure.mutable_host()->set_port(8082);
    failure.set_retcode(1);
    // Until another call to it succeeds, as one that was picked before may.
    CHECK(soon([&] {
        agent.notify(watching.sender, tests::frame(6, failure.SerializeAsString()));
        std::this_thread::sleep_for(11ms);
        int calls = 0;
        for (int i = 0; i < 8; ++i) {
            const Host host = client.get_host(1, 2);
            calls += host.port() == 8082;
            client.report(host);
        }
        return calls == 0;
    }));
}

TEST(garbage_in_place_of_notices_is_passed_over) {
    Responder agent(with_state(state_of(kPorts, "adaptive"), 8080));
    const Client client(agent.agent(), for_short(10ms));
    client.report(client.get_host(1, 2));
    const Request request = agent.next(kReport);
    for (const auto& garbage : {std::string(), std::string(7, 'x'), std::string(3000, '\xff'),
                                tests::frame(6, "\xff"), tests::frame(11, ""), tests::frame(12, "\x08\x63")}) {
        agent.notify(request.sender, garbage);
    }
    std::this_thread::sleep_for(11ms);
    for (int i = 0; i < 100; ++i) {
        client.report(client.get_host(1, 2));
    }
}

TEST(first_question_about_a_module_waits_for_its_hosts) {
    int seen = 0;
    Responder agent([&](const Request& request) -> Answers {
        if (request.id == kGetHost && ++seen < 3) {
            return tests::refusing(3)(request);
        }
        return with_state(state_of({8080}, "adaptive"), 8080)(request);
    });
    const Client client(agent.agent(), for_long());
    CHECK_EQUAL(client.get_host(1, 2).port(), 8080);
    agent.set_answer(tests::refusing(3));
    Options options = for_long();
    options.first_wait = 50ms;
    options.cache_ttl = 0s;
    const Client other(agent.agent(), options);
    CHECK_THROWS(lars::NoSuchModule, "module (1, 2)", (void)other.get_host(1, 2));
    CHECK(agent.count(kGetHost) > 3);
    while (!agent.none_is_left()) {
        (void)agent.next();
    }
    CHECK_THROWS(lars::NoSuchModule, "module (1, 2)", (void)other.get_host(1, 2));  // it was waited for
    (void)agent.next();
    CHECK(agent.none_is_left());
}

TEST(saved_routes_serve_while_the_agent_is_down) {
    const tests::Folder folder;
    folder.write("routes.0.json",
                 R"({"format":1,"routes":[{"modid":1,"cmdid":2,"hosts":["10.0.0.7:80","10.0.0.8:80"]}]})");
    Options options = for_long();
    options.timeout = 200ms;
    options.state_dir = folder.path();
    const auto port = Responder(tests::silent).port();
    const Client client("127.0.0.1:" + std::to_string(port), options);
    CHECK(client.agent_alive());
    std::map<Host, int> made;
    for (int i = 0; i < 10; ++i) {
        const auto call = client.call(1, 2);
        ++made[call.host()];
    }
    CHECK(!client.agent_alive());
    CHECK_EQUAL(made.size(), 2U);
    CHECK_EQUAL(made.begin()->second, 5);
    CHECK_EQUAL(client.get_route(1, 2).size(), 2U);
    CHECK_THROWS(lars::AgentUnavailable, "cannot be reached", (void)client.get_host(1, 5));
    Responder agent(with_state(state_of({8080}, "adaptive"), 8080), port);
    CHECK(soon([&] { return client.get_host(1, 2).port() == 8080; }));
    CHECK(client.agent_alive());
}

TEST(agent_says_where_it_saves) {
    const tests::Folder folder;
    folder.write("routes.0.json", R"({"format":1,"routes":[{"modid":1,"cmdid":2,"hosts":["10.0.0.7:80"]}]})");
    auto state = state_of(kPorts, "adaptive");
    state.set_state_dir(folder.path());
    ::unsetenv("LARS_STATE_DIR");
    Options options;
    options.timeout = 100ms;
    options.cache_ttl = 1ms;
    auto agent = std::make_unique<Responder>(with_state(state, 8080));
    const Client client(agent->agent(), options);
    CHECK_EQUAL(client.get_host(1, 2).port(), 8080);
    agent.reset();
    CHECK(soon([&] { return client.get_host(1, 2) == Host(1, 2, "10.0.0.7", 80); }));
}

TEST(forked_child_does_not_send_what_its_parent_has_gathered) {
    Responder agent(with_state(state_of(kPorts, "adaptive"), 8080));
    const auto client = std::make_unique<Client>(agent.agent(), for_long());
    client->report(client->get_host(1, 2));
    for (int i = 0; i < 20; ++i) {
        client->report(client->get_host(1, 2));
    }
    settle(agent);
    const pid_t child = ::fork();
    if (child == 0) {
        client->report(client->get_host(1, 2));
        client->report(client->get_host(1, 2));
        delete client.get();
        ::_exit(0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK_EQUAL(status, 0);
    settle(agent);
    CHECK_EQUAL(sum(successes(agent)), 3);  // the parent's first, and the child's two
    client->flush();
    std::map<int, int> counted;
    count(agent.next(kBatch).batch, counted);
    CHECK_EQUAL(sum(counted), 20);
}

#ifndef __SANITIZE_ADDRESS__  // whose allocator does not release its own locks in the child of a fork
TEST(child_that_is_forked_while_threads_call_can_call_too) {
    Responder agent(with_state(state_of(kPorts, "adaptive"), 8080));
    const Client client(agent.agent(), for_short(1ms));
    std::atomic<bool> ends{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            while (!ends) {
                client.report(client.get_host(1, 2), 0, 1ms);
            }
        });
    }
    std::vector<int> statuses;
    for (int round = 0; round < 10; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::alarm(20);  // a lock that its parent held would never be released
            for (int i = 0; i < 100; ++i) {
                client.report(client.get_host(1, 2));
            }
            ::_exit(0);
        }
        int status = -1;
        ::waitpid(child, &status, 0);
        statuses.push_back(status);
    }
    ends = true;
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK(statuses == std::vector<int>(10, 0));
}

#endif

TEST(threads_lose_no_count) {
    Responder agent(with_state(state_of(kPorts, "adaptive"), 8080));
    std::atomic<int> made{0}, failures{0};
    {
        const Client client(agent.agent(), for_short(2ms));
        std::vector<std::thread> threads;
        for (int number = 0; number < 8; ++number) {
            threads.emplace_back([&, number] {
                for (int i = 0; i < 300; ++i) {
                    const Host host = client.get_host(number % 2 == 0 ? 1 : 4, 2);
                    const bool failed = i % 100 == 99;
                    client.report(host, failed ? 1 : 0, 1ms);
                    ++(failed ? failures : made);
                }
            });
        }
        for (auto& thread : threads) {
            thread.join();
        }
    }
    settle(agent);
    int failed = 0, succeeded = 0;
    while (!agent.none_is_left()) {
        const Request request = agent.next();
        std::map<int, int> counted;
        count(request.batch, counted);
        succeeded += sum(counted) + (request.id == kReport && request.report.retcode() == 0);
        failed += request.id == kReport && request.report.retcode() != 0;
    }
    CHECK_EQUAL(succeeded, made);
    CHECK_EQUAL(failed, failures);
}

// -- calls with a function

TEST(function_is_called_with_a_host_and_reported) {
    Responder agent(with_state(state_of({8080}, "adaptive"), 8080));
    const Client client(agent.agent(), for_short(0s));
    CHECK_EQUAL(client.call(1, 2, [](lars::Call& call) { return call.host().port(); }), 8080);
    CHECK_EQUAL(agent.next(kReport).report.retcode(), 0);
    client.call(1, 2, [](lars::Call& call) { call.fail(503); });
    CHECK_EQUAL(agent.next(kReport).report.retcode(), 503);
    CHECK_THROWS(std::runtime_error, "broken", client.call(1, 2, [](lars::Call&) { throw std::runtime_error("broken"); }));
    CHECK_EQUAL(agent.next(kReport).report.retcode(), 1);
}

TEST(exception_that_is_no_failure_reports_nothing) {
    Responder agent(with_state(state_of({8080}, "adaptive"), 8080));
    const Client client(agent.agent(), for_short(0s));
    const auto failures = lars::caused_by<std::system_error, std::range_error>;
    CHECK_THROWS(std::logic_error, "mine",
                 client.call(1, 2, [](lars::Call&) { throw std::logic_error("mine"); }, failures));
    CHECK_THROWS(std::range_error, "its", client.call(1, 2, [](lars::Call&) { throw std::range_error("its"); }, failures));
    CHECK_EQUAL(agent.next(kReport).report.retcode(), 1);
    CHECK_EQUAL(agent.count(kReport), 0U);
}

TEST(retrying_calls_another_host_after_a_failure) {
    Responder agent(with_state(state_of(kPorts, "adaptive"), 8080));
    const Client client(agent.agent(), for_long());
    std::vector<Host> tried;
    const int answer = client.retrying(1, 2, [&](lars::Call& call) {
        tried.push_back(call.host());
        switch (tried.size()) {
            case 1:
                throw std::runtime_error("refused");
            case 2:
                call.fail();
                return 0;
            default:
                return 42;
        }
    });
    CHECK_EQUAL(answer, 42);
    CHECK_EQUAL(tried.size(), 3U);
    CHECK(tried[0] != tried[1] && tried[1] != tried[2] && tried[0] != tried[2]);
    CHECK_EQUAL(agent.next(kReport).report.retcode(), 1);
    CHECK_EQUAL(agent.next(kReport).report.retcode(), 1);
}

TEST(retrying_ends_with_the_last_failure_and_at_once_with_what_is_none) {
    Responder agent(with_state(state_of(kPorts, "adaptive"), 8080));
    const Client client(agent.agent(), for_long());
    int tried = 0;
    CHECK_THROWS(std::runtime_error, "2", client.retrying(1, 2, [&](lars::Call&) {
        throw std::runtime_error(std::to_string(++tried));
    }, 2));
    CHECK_THROWS(std::logic_error, "3", client.retrying(1, 2, [&](lars::Call&) {
        throw std::logic_error(std::to_string(++tried));
    }, 2, lars::caused_by<std::runtime_error>));
    CHECK_EQUAL(tried, 3);
}
