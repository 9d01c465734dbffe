/// The client against an agent on a real socket that answers, answers wrongly, is slow, or is down.
#include <lars/client.h>

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <thread>

#include "check.h"
#include "responder.h"

using lars::Client;
using lars::Host;
using tests::Answers;
using tests::frame;
using tests::host_response;
using tests::refusing;
using tests::Request;
using tests::Responder;
using tests::serving;
using tests::silent;
using namespace std::chrono_literals;

namespace {

constexpr auto kShortTime = 100ms;
constexpr auto kLongTime = 20s;
constexpr auto kLate = 2s;  // what a busy machine may add

/// Without cache, saved routes, or a wait for the first hosts.
lars::Options plain(std::chrono::nanoseconds timeout) { return {timeout, 0s, 0s, ""}; }

const lars::Options kShort = plain(kShortTime), kLong = plain(kLongTime);

std::chrono::nanoseconds time_of(const std::function<void()>& function) {
    const auto began = std::chrono::steady_clock::now();
    function();
    return std::chrono::steady_clock::now() - began;
}

std::uint16_t unused_port() { return Responder(silent).port(); }

std::string at(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

/// Answers with the module's modid as port.
Answers modid_as_port(const Request& request) { return {frame(host_response(request, request.get_host.modid()))}; }

std::size_t open_files() {
    std::size_t count = 0;
    DIR* folder = ::opendir("/proc/self/fd");
    while (::readdir(folder) != nullptr) {
        ++count;
    }
    ::closedir(folder);
    return count;
}

}  // namespace

TEST(host_that_the_agent_chose_is_returned) {
    Responder agent(serving({8080}));
    CHECK_EQUAL(Client(agent.agent(), kLong).get_host(0, 3), Host(0, 3, "10.0.0.5", 8080));
}

TEST(route_is_all_hosts_or_none) {
    Responder agent(serving({8080, 8081}));
    const Client client(agent.agent(), kLong);
    const auto hosts = client.get_route(0, 3);
    CHECK_EQUAL(hosts.size(), 2U);
    CHECK_EQUAL(hosts[1], Host(0, 3, "10.0.0.5", 8081));
    agent.set_answer(serving({}));
    CHECK(client.get_route(0, 3).empty());
}

TEST(each_module_is_asked_for_at_its_shard) {
    for (int attempt = 0;; ++attempt) {
        CHECK(attempt < 100);
        Responder first(serving({8080}));
        try {
            Responder second(serving({8080}), static_cast<std::uint16_t>(first.port() + 1));
            Responder third(serving({8080}), static_cast<std::uint16_t>(first.port() + 2));
            const Client client(first.agent(), kLong);
            for (const auto& [modid, shard] : {std::pair{0, &first}, {1, &second}, {2, &third}, {5, &third}}) {
                (void)client.get_host(modid, 3);
                CHECK_EQUAL(shard->next().get_host.modid(), modid);
                client.report(Host(modid, 3, "10.0.0.5", 8080));
                CHECK_EQUAL(shard->next().report.modid(), modid);
            }
            return;
        } catch (const std::system_error&) {  // the ports next to the first are taken
        }
    }
}

TEST(refusals_are_errors) {
    Responder agent(refusing(3));
    const Client client(agent.agent(), kLong);
    CHECK_THROWS(lars::NoSuchModule, "module (0, 3)", (void)client.get_host(0, 3));
    agent.set_answer(refusing(1));
    CHECK_THROWS(lars::Overloaded, "module (0, 3)", (void)client.get_host(0, 3));
}

TEST(garbage_and_answers_to_others_are_passed_over) {
    Responder agent([](const Request& request) -> Answers {
        auto old = host_response(request, 8081);
        old.set_seq(request.get_host.seq() - 1);
        auto other = host_response(request, 8081);
        other.set_cmdid(9);
        other.set_retcode(3);
        return {"", std::string(1, '\0'), std::string(8, '\xff'), std::string(3000, 'x'), frame(5, "\xff\xff\xff\xff"),
                frame(old), frame(other), frame(host_response(request, 8080))};
    });
    const Client client(agent.agent(), kLong);
    for (int i = 0; i < 3; ++i) {
        CHECK_EQUAL(client.get_host(0, 3).port(), 8080);
    }
}

TEST(datagrams_of_others_are_passed_over) {
    const int stranger = tests::bound_socket(0);
    Responder agent([stranger](const Request& request) -> Answers {
        tests::send_to(stranger, request.sender, frame(host_response(request, 8081)));
        std::this_thread::sleep_for(10ms);
        return {frame(host_response(request, 8080))};
    });
    CHECK_EQUAL(Client(agent.agent(), kLong).get_host(0, 3).port(), 8080);
    ::close(stranger);
}

TEST(late_answer_is_not_taken_for_that_of_a_later_question) {
    Answers late;
    Responder agent([&](const Request& request) -> Answers {
        if (late.size() < 2) {  // the question, and the same once more
            late.push_back(frame(host_response(request, 8081)));
            return {};
        }
        return {late[0], late[1], frame(host_response(request, 8080))};
    });
    const Client client(agent.agent(), kShort);
    CHECK_THROWS(lars::AgentUnavailable, "no answer", (void)client.get_host(0, 3));
    CHECK_EQUAL(client.get_host(0, 3).port(), 8080);
}

TEST(second_answer_to_get_route_is_not_taken_for_that_of_a_later_one) {
    const auto twice = [](const Request& request) -> Answers {
        const auto answer = serving({8081})(request);
        return {answer[0], answer[0]};
    };
    Responder agent(twice);
    const Client client(agent.agent(), kLong);
    CHECK_EQUAL(client.get_route(0, 3).at(0).port(), 8081);
    (void)agent.next();
    agent.set_answer(serving({8080}));
    CHECK_EQUAL(client.get_route(0, 3).at(0).port(), 8080);
}

TEST(lost_question_is_sent_once_more_unchanged) {
    std::vector<std::uint32_t> seqs;
    Responder agent([&](const Request& request) -> Answers {
        seqs.push_back(request.get_host.seq());
        return seqs.size() == 1 ? Answers{} : Answers{frame(host_response(request, 8080))};
    });
    CHECK_EQUAL(Client(agent.agent(), plain(2 * kShortTime)).get_host(0, 3).port(), 8080);
    (void)agent.next();
    (void)agent.next();
    CHECK_EQUAL(seqs.size(), 2U);
    CHECK_EQUAL(seqs[0], seqs[1]);
}

TEST(seqs_begin_at_random_and_go_up_by_one) {
    Responder agent(serving({8080}));
    std::set<std::uint32_t> first;
    for (int i = 0; i < 5; ++i) {
        const Client client(agent.agent(), kLong);
        (void)client.get_host(0, 3);
        (void)client.get_host(0, 3);
        const auto seq = agent.next().get_host.seq();
        CHECK_EQUAL(agent.next().get_host.seq(), seq + 1);
        first.insert(seq);
    }
    CHECK(first.size() > 1);
}

TEST(unanswered_question_is_sent_twice_and_ends_in_time) {
    Responder agent(silent);
    const Client client(agent.agent(), kShort);
    const auto took = time_of([&] {
        CHECK_THROWS(lars::AgentUnavailable,
                     "no answer from the agent at " + agent.agent() + " within 0.1 s: start lars-agent there, or set its address (LARS_AGENT, or lars::Client's agent)",
                     (void)client.get_host(0, 3));
    });
    CHECK(took >= kShortTime);
    CHECK(took < kShortTime + kLate);
    CHECK_EQUAL(agent.next().get_host.seq(), agent.next().get_host.seq());
    CHECK(agent.none_is_left());
}

TEST(default_timeout_is_a_fifth_of_a_second) {
    Responder agent(silent);
    const auto took = time_of([&] {
        CHECK_THROWS(lars::AgentUnavailable, "within 0.2 s", (void)Client(agent.agent(), plain(lars::Options().timeout)).get_route(0, 3));
    });
    CHECK(took >= 200ms);
    CHECK(took < 200ms + kLate);
}

TEST(flood_of_wrong_answers_makes_no_call_longer) {
    Responder agent([](const Request& request) -> Answers {
        auto wrong = host_response(request, 8081);
        wrong.set_modid(9);
        return Answers(10'000, frame(wrong));
    });
    const auto took = time_of([&] {
        CHECK_THROWS(lars::AgentUnavailable, "no answer", (void)Client(agent.agent(), kShort).get_host(0, 3));
    });
    CHECK(took < kShortTime + kLate);
}

TEST(nobody_there_is_told_at_once) {
    const auto port = unused_port();
    const auto took = time_of([&] {
        CHECK_THROWS(lars::AgentUnavailable,
                     "the agent at " + at(port) + " cannot be reached (Connection refused): start lars-agent there",
                     (void)Client(at(port), kLong).get_host(0, 3));
    });
    CHECK(took < kLate);
}

TEST(agent_that_came_back_answers_though_a_report_was_refused_before) {
    const auto port = unused_port();
    const Client client(at(port), kLong);
    client.report(Host(0, 3, "10.0.0.5", 8080));
    Responder agent(serving({8080}), port);
    CHECK_EQUAL(client.get_host(0, 3).port(), 8080);
}

TEST(report_after_a_refused_one_is_sent) {
    const auto port = unused_port();
    const Client client(at(port), kLong);
    client.report(Host(0, 3, "10.0.0.5", 8080));
    Responder agent(silent, port);
    client.report(Host(0, 3, "10.0.0.5", 8081), 5, 12ms);
    const auto report = agent.next().report;
    CHECK_EQUAL(report.host().port(), 8081);
    CHECK_EQUAL(report.host().ip(), tests::kIp);
    CHECK_EQUAL(report.retcode(), 5);
    CHECK_EQUAL(report.cost_ms(), 12U);
}

TEST(ready_waits_until_the_agent_has_pulled_the_route) {
    int seen = 0;
    Responder agent([&](const Request& request) { return (++seen < 3 ? serving({}) : serving({8080}))(request); });
    Client(agent.agent(), kLong).ready(0, 3, kLongTime);
    for (int i = 0; i < 3; ++i) {
        (void)agent.next();
    }
    CHECK(agent.none_is_left());
}

TEST(ready_waits_for_an_agent_that_does_not_answer_yet) {
    int seen = 0;
    Responder agent([&](const Request& request) { return ++seen < 3 ? Answers{} : serving({8080})(request); });
    Client(agent.agent(), kShort).ready(0, 3, kLongTime);
}

TEST(ready_says_what_was_in_the_way) {
    Responder agent(serving({}));
    CHECK_THROWS(lars::NoSuchModule, "module (0, 3) has no hosts",
                 Client(agent.agent(), kLong).ready(0, 3, kShortTime));
    agent.set_answer(silent);
    CHECK_THROWS(lars::AgentUnavailable, "no answer", Client(agent.agent(), kShort).ready(0, 3, kShortTime));
    CHECK_THROWS(std::invalid_argument, "modid -1", Client(agent.agent()).ready(-1, 3));
}

TEST(call_that_ends_well_is_reported_with_its_time) {
    Responder agent(serving({8080}));
    const Client client(agent.agent(), kLong);
    {
        const auto call = client.call(0, 3);
        CHECK_EQUAL(call.host(), Host(0, 3, "10.0.0.5", 8080));
        std::this_thread::sleep_for(3ms);
    }
    (void)agent.next();
    const auto report = agent.next().report;
    CHECK_EQUAL(report.retcode(), 0);
    CHECK_EQUAL(report.modid(), 0);
    CHECK_EQUAL(report.cmdid(), 3);
    CHECK_EQUAL(report.host().port(), 8080);
    CHECK(report.cost_ms() >= 3);
}

TEST(call_that_throws_is_reported_as_failed) {
    Responder agent(serving({8080}));
    const Client client(agent.agent(), kLong);
    CHECK_THROWS(std::runtime_error, "the call", {
        const auto call = client.call(0, 3);
        throw std::runtime_error("the call");
    });
    (void)agent.next();
    CHECK_EQUAL(agent.next().report.retcode(), 1);
}

TEST(call_within_the_handling_of_another_failure_can_succeed) {
    Responder agent(serving({8080}));
    const Client client(agent.agent(), kLong);
    struct CallsWhenItEnds {
        const Client& client;
        ~CallsWhenItEnds() { const auto call = client.call(0, 3); }
    };
    CHECK_THROWS(std::runtime_error, "another", {
        const CallsWhenItEnds calls{client};
        throw std::runtime_error("another");
    });
    (void)agent.next();
    CHECK_EQUAL(agent.next().report.retcode(), 0);
}

TEST(call_that_fails_without_an_exception_is_reported_so) {
    Responder agent(serving({8080}));
    const Client client(agent.agent(), kLong);
    {
        auto call = client.call(0, 3);
        call.fail(42);
    }
    (void)agent.next();
    CHECK_EQUAL(agent.next().report.retcode(), 42);
}

TEST(without_a_host_there_is_no_call) {
    Responder agent(refusing(1));
    const Client client(agent.agent(), kLong);
    CHECK_THROWS(lars::Overloaded, "takes no call now", (void)client.call(0, 3));
    (void)agent.next();
    CHECK(agent.none_is_left());
}

TEST(what_cannot_be_used_is_refused) {
    const Client client("127.0.0.1:1");
    for (const auto& [modid, cmdid] : {std::pair{-1, 1}, {1, -1}, {0, 0}}) {
        CHECK_THROWS(std::invalid_argument, "", (void)client.get_host(modid, cmdid));
        CHECK_THROWS(std::invalid_argument, "", (void)client.get_route(modid, cmdid));
        CHECK_THROWS(std::invalid_argument, "", (void)client.call(modid, cmdid));
    }
    for (const auto timeout : {0s, -1s, 86400s}) {
        CHECK_THROWS(std::invalid_argument, "timeout", Client("127.0.0.1:8888", plain(timeout)));
    }
    for (const auto time : {-1s, 86400s}) {
        CHECK_THROWS(std::invalid_argument, "cache_ttl", Client("127.0.0.1:8888", {1s, time, 0s, ""}));
        CHECK_THROWS(std::invalid_argument, "first_wait", Client("127.0.0.1:8888", {1s, 0s, time, ""}));
    }
    CHECK_THROWS(std::invalid_argument, "agent address: 'no such name' is not", Client("no such name:8888"));
    CHECK_THROWS(std::invalid_argument, "attempts 0", client.retrying(1, 1, [](lars::Call&) {}, 0));
}

TEST(threads_share_a_client_without_getting_each_others_answers) {
    Responder agent(modid_as_port);
    const Client client(agent.agent(), kLong);
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int modid = 3; modid <= 300; modid += 3) {
        threads.emplace_back([&client, &right, modid] {
            for (int i = 0; i < 20; ++i) {
                right += client.get_host(modid, 3).port() == modid;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK_EQUAL(right, 2000);
}

TEST(sockets_are_used_again_bounded_and_closed_with_the_client) {
    const auto before = open_files();
    {
        std::atomic<int> waiting{0};
        Responder agent(silent);
        const Client client(agent.agent(), plain(1s));
        const auto own = open_files();
        std::vector<std::thread> threads;
        for (int i = 0; i < 100; ++i) {
            threads.emplace_back([&] {
                CHECK_THROWS(lars::AgentUnavailable, "no answer", (void)client.get_host(0, 3));
                ++waiting;
            });
        }
        for (auto& thread : threads) {
            thread.join();
        }
        CHECK_EQUAL(waiting, 100);
        CHECK(open_files() <= own + 65);
        agent.set_answer(serving({8080}));
        client.report(client.get_host(0, 3));  // from a socket of its own
        const auto kept = open_files();
        for (int i = 0; i < 200; ++i) {
            client.report(client.get_host(0, 3));
            (void)client.get_route(0, 3);
        }
        CHECK_EQUAL(open_files(), kept);
    }
    CHECK_EQUAL(open_files(), before);
}

TEST(forked_processes_do_not_take_each_others_answers) {
    Responder agent(modid_as_port);
    const Client client(agent.agent(), kLong);
    CHECK_EQUAL(client.get_host(3, 3).port(), 3);
    const pid_t child = ::fork();
    const int modid = child == 0 ? 6 : 9;
    bool right = true;
    for (int i = 0; i < 300; ++i) {
        right = right && client.get_host(modid, 3).port() == modid;
    }
    if (child == 0) {
        ::_exit(right ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK_EQUAL(status, 0);
    CHECK(right);
    std::set<in_port_t> senders;
    while (!agent.none_is_left()) {
        senders.insert(agent.next().sender.sin_port);
    }
    CHECK_EQUAL(senders.size(), 2U);
}
