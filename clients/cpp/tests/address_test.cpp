#include "address.h"

#include <cstdlib>

#include "check.h"
#include "lars/client.h"

using lars::detail::agent_of_environment;
using lars::detail::checked_module;
using lars::detail::parse_agent;
using lars::detail::parse_ip;
using lars::detail::shard_of;

TEST(module_is_answered_for_by_the_remainder_of_its_ids) {
    CHECK_EQUAL(shard_of({1, 1}), 2);
    CHECK_EQUAL(shard_of({0, 3}), 0);
    CHECK_EQUAL(shard_of({2, 2}), 1);
    CHECK_EQUAL(shard_of({2147483647, 2147483647}), 2);
}

TEST(ids_that_no_module_can_have_are_refused) {
    CHECK_THROWS(std::invalid_argument, "modid -1 is out of range", checked_module(-1, 1));
    CHECK_THROWS(std::invalid_argument, "cmdid -2147483648 is out of range", checked_module(1, -2147483647 - 1));
    CHECK_THROWS(std::invalid_argument, "module (0, 0) does not exist", checked_module(0, 0));
    CHECK_EQUAL(checked_module(0, 1).cmdid, 1);
}

TEST(ip_is_a_number_in_host_order) {
    CHECK_EQUAL(parse_ip("192.168.1.177"), 3232235953U);
    CHECK_EQUAL(lars::detail::written_ip(3232235953U), "192.168.1.177");
    for (const std::string bad : {"", "localhost", "127.1", "1.2.3.256", "1.2.3.4.5", " 1.2.3.4", "01.2.3.4", "::1"}) {
        CHECK_THROWS(std::invalid_argument, "'" + bad + "' is not an IPv4 address", parse_ip(bad));
    }
    CHECK_THROWS(std::invalid_argument, "'1.2.3.4", parse_ip(std::string("1.2.3.4\0x", 9)));
}

TEST(agent_is_an_ip_and_a_port_with_room_for_its_shards) {
    CHECK_EQUAL(written(parse_agent("10.0.0.9:65533")), "10.0.0.9:65533");
    CHECK_THROWS(std::invalid_argument, "agent address: port 65534 is too high", parse_agent("10.0.0.9:65534"));
    CHECK_THROWS(std::invalid_argument, "agent address: '10.0.0.9' is not an address: write", parse_agent("10.0.0.9"));
    for (const std::string bad : {"", "0", "65536", "123456", "-1", "+1", "8 "}) {
        CHECK_THROWS(std::invalid_argument, "'" + bad + "' is not a port", parse_agent("10.0.0.9:" + bad));
    }
}

TEST(agent_comes_from_the_environment_or_is_the_default) {
    CHECK_EQUAL(agent_of_environment(nullptr), "127.0.0.1:8888");
    CHECK_EQUAL(agent_of_environment(""), "127.0.0.1:8888");
    CHECK_EQUAL(agent_of_environment("10.0.0.9:9000"), "10.0.0.9:9000");
    CHECK_THROWS(std::invalid_argument, "environment LARS_AGENT: agent address: 'nowhere'",
                 agent_of_environment("nowhere"));
    ::setenv("LARS_AGENT", "10.0.0.9:9003", 1);
    CHECK_EQUAL(lars::default_agent(), "10.0.0.9:9003");
    ::unsetenv("LARS_AGENT");
    CHECK_EQUAL(lars::default_agent(), "127.0.0.1:8888");
}
