#include <sstream>
#include <unordered_set>

#include "check.h"
#include "lars/client.h"

using lars::Host;

TEST(host_says_where_it_is) {
    const Host host(1, 2, "192.168.1.177", 8080);
    CHECK_EQUAL(host.modid(), 1);
    CHECK_EQUAL(host.cmdid(), 2);
    CHECK_EQUAL(host.ip(), "192.168.1.177");
    CHECK_EQUAL(host.address(), 3232235953U);
    CHECK_EQUAL(host.port(), 8080);
    std::ostringstream out;
    out << host;
    CHECK_EQUAL(out.str(), "192.168.1.177:8080");
}

TEST(host_that_cannot_exist_is_refused) {
    CHECK_THROWS(std::invalid_argument, "'example.com' is not an IPv4", Host(1, 1, "example.com", 80));
    CHECK_THROWS(std::invalid_argument, "10.0.0.5:0 is not a host", Host(1, 1, "10.0.0.5", 0));
    CHECK_THROWS(std::invalid_argument, "0.0.0.0:80 is not a host", Host(1, 1, "0.0.0.0", 80));
    CHECK_THROWS(std::invalid_argument, "modid -1", Host(-1, 1, "10.0.0.5", 80));
}

TEST(hosts_are_compared_ordered_and_hashed_by_all_of_their_parts) {
    const Host host(1, 1, "10.0.0.5", 80);
    const Host others[] = {
        {2, 1, "10.0.0.5", 80}, {1, 2, "10.0.0.5", 80}, {1, 1, "10.0.0.6", 80}, {1, 1, "10.0.0.5", 81}};
    std::unordered_set<Host> set{host, Host(1, 1, "10.0.0.5", 80)};
    CHECK_EQUAL(set.size(), 1U);
    for (const Host& other : others) {
        CHECK(host != other);
        CHECK(host < other);
        CHECK(!(other < host));
        set.insert(other);
    }
    CHECK_EQUAL(set.size(), 5U);
}
