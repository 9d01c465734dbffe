/// The agent's name is looked up again.
#include "lookup.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "check.h"
#include "address.h"

using lars::detail::is_named;
using lars::detail::Lookup;
using lars::detail::Place;
using namespace std::chrono_literals;

namespace {

/// Whether something holds within some seconds.
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

TEST(name_is_told_from_an_address) {
    CHECK(is_named("agent:8888"));
    CHECK(is_named("localhost:8888"));
    CHECK(!is_named("127.0.0.1:8888"));
    CHECK(!is_named("no name:8888"));
    CHECK(!is_named("8888"));
    CHECK_EQUAL(lars::detail::parse_agent("localhost:8888").address, 0x7f000001U);
    CHECK_THROWS(std::invalid_argument, "agent address: 'no.such.invalid' has no IPv4 address: ",
                 lars::detail::parse_agent("no.such.invalid:8888"));
    CHECK_THROWS(std::invalid_argument, "'x' is not a port", lars::detail::parse_agent("localhost:x"));
}

TEST(name_is_looked_up_when_a_question_has_no_answer_and_each_five_seconds_at_most) {
    const auto lookups = std::make_shared<std::atomic<int>>(0);
    Lookup lookup("agent:8888", [lookups](const std::string& agent) {
        CHECK_EQUAL(agent, "agent:8888");
        return Place{0x0a000000U + static_cast<std::uint32_t>(++*lookups), 8888};
    });
    CHECK_EQUAL(lookup.found(), 0U);
    lookup.unanswered(100);
    CHECK(soon([&] { return lookup.found() == 0x0a000001; }));
    lookup.unanswered(104);
    lookup.unanswered(106);
    CHECK(soon([&] { return lookup.found() == 0x0a000002; }));
}

TEST(name_server_that_is_away_changes_nothing) {
    const auto asked = std::make_shared<std::atomic<bool>>(false);
    Lookup lookup("agent:8888", [asked](const std::string&) -> Place {
        *asked = true;
        throw std::invalid_argument("no answer");
    });
    lookup.unanswered(100);
    CHECK(soon([&] { return asked->load(); }));
    CHECK_EQUAL(lookup.found(), 0U);
}
