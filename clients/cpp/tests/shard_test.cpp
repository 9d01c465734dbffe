/// A shard of the agent: its sockets follow its address, and a shard that was down is found again without a wait.
#include "shard.h"

#include <chrono>
#include <thread>

#include "check.h"
#include "lars/client.h"
#include "responder.h"

using lars::detail::HostQuestion;
using lars::detail::Place;
using lars::detail::Shard;
using tests::Responder;
using namespace std::chrono_literals;

namespace {

Place place_of(const Responder& agent) { return {0x7f000001, agent.port()}; }

}  // namespace

TEST(sockets_follow_the_agents_address) {
    Responder before(tests::serving({8080})), after(tests::serving({8081}));
    Shard shard(place_of(before), 0, "", false);
    const auto port = [&shard] {
        const auto link = shard.links().lease();
        HostQuestion question({1, 2}, link->next_seq());
        return link->ask(question, lars::detail::Clock::now() + 20s)->chosen().port();
    };
    const std::string report = lars::detail::encode_report(lars::Host(1, 2, "10.0.0.5", 80), 1, std::nullopt);
    CHECK_EQUAL(port(), 8080);
    shard.send(report);
    (void)before.next(6);
    shard.links().move(place_of(after));
    CHECK_EQUAL(port(), 8081);
    shard.send(report);
    CHECK_EQUAL(after.next(6).report.retcode(), 1);
}

TEST(shard_that_was_down_is_probed_once_a_second_without_a_wait) {
    Responder agent(tests::silent);
    Shard shard(place_of(agent), 0, "", false);
    shard.unanswered(100);
    CHECK(!shard.alive());
    CHECK(!shard.answers_again({1, 2}, 100.5));
    CHECK(agent.none_is_left());
    agent.set_answer(tests::refusing(3));  // an answer all the same
    CHECK(!shard.answers_again({1, 2}, 101));
    CHECK_EQUAL(agent.next().get_host.modid(), 1);
    for (const auto deadline = std::chrono::steady_clock::now() + 20s; !shard.answers_again({1, 2}, 101.5);) {
        CHECK(std::chrono::steady_clock::now() < deadline);
        std::this_thread::sleep_for(1ms);
    }
    CHECK(agent.none_is_left());
}

TEST(agent_is_found_by_its_name) {
    Responder agent(tests::serving({8080}));
    const lars::Client client("localhost:" + std::to_string(agent.port()), lars::Options{20s, 0s, 0s, ""});
    CHECK_EQUAL(client.get_host(1, 2).port(), 8080);
}
