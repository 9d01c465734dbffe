#include "exchange.h"

#include "check.h"
#include "responder.h"

using lars::detail::encode_report;
using lars::detail::HostQuestion;
using lars::detail::RouteQuestion;
using tests::frame;
using namespace std::chrono_literals;

namespace {

std::string bytes(const std::string& hex) {
    std::string result;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        result.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    return result;
}

std::string body_of(const std::string& report) { return report.substr(8); }

lars::GetHostResponse good() {
    lars::GetHostResponse response;
    response.set_seq(7);
    response.set_modid(1);
    response.set_cmdid(2);
    response.mutable_host()->set_ip(tests::kIp);
    response.mutable_host()->set_port(8080);
    return response;
}

HostQuestion question({1, 2}, 7);

}  // namespace

TEST(get_host_is_a_frame_with_seq_and_module) {
    CHECK_EQUAL(question.datagrams().at(0), bytes("0400000006000000") + bytes("080710011802"));
}

TEST(largest_seq_is_a_positive_number_of_five_bytes) {
    CHECK_EQUAL(HostQuestion({1, 2}, 0xffffffff).datagrams().at(0), bytes("040000000a000000") + bytes("08ffffffff0f10011802"));
}

TEST(answer_of_our_agent_is_its_host) {
    CHECK_EQUAL(question.answer(frame(good()))->chosen(), lars::Host(1, 2, "10.0.0.5", 8080));
}

TEST(answers_of_the_cpp_agent_are_read_though_it_writes_an_ip_as_a_negative_number) {
    const std::string host = bytes("0500000014000000100118012a0e08b183a085fcffffffff0110e13c");
    CHECK_EQUAL(HostQuestion({1, 1}, 0).answer(host)->chosen(), lars::Host(1, 1, "192.168.1.177", 7777));
    const std::string noexist = bytes("0500000006000000106318622003");
    CHECK_THROWS(lars::NoSuchModule, "module (99, 98)", (void)HostQuestion({99, 98}, 0).answer(noexist)->chosen());
    const auto hosts = RouteQuestion({1, 1}).answer(
        bytes("0800000024000000080110011a0e08b183a085fcffffffff0110e13c1a0e0881a3a085fcffffffff0110d936"));
    CHECK_EQUAL(hosts->size(), 2U);
    CHECK_EQUAL(hosts->at(1), lars::Host(1, 1, "192.168.17.129", 7001));
}

TEST(answers_to_others_are_none) {
    auto response = good();
    response.set_seq(8);
    CHECK(!question.answer(frame(response)));
    response = good();
    response.set_modid(9);
    CHECK(!question.answer(frame(response)));
    response = good();
    response.set_cmdid(9);
    response.set_retcode(3);
    CHECK(!question.answer(frame(response)));
    CHECK(!question.answer(frame(8, good().SerializeAsString())));
}

TEST(bytes_that_are_no_message_are_no_answer) {
    const std::string whole = frame(good());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CHECK(!question.answer(whole.substr(0, size)));
    }
    CHECK(!question.answer(whole + '\0'));
    CHECK(!question.answer(frame(5, "\xff\xff\xff\xff")));
    CHECK(!question.answer(std::string(2000, '\xff')));
}

TEST(host_that_cannot_exist_is_no_answer) {
    for (const int port : {0, -1, 65536}) {
        auto response = good();
        response.mutable_host()->set_port(port);
        CHECK(!question.answer(frame(response)));
    }
    auto response = good();
    response.clear_host();
    CHECK(!question.answer(frame(response)));
}

TEST(refusals_say_what_to_do) {
    auto response = good();
    response.set_retcode(3);
    CHECK_THROWS(lars::NoSuchModule, "add one with `lars route add 1 2 IP:PORT`", (void)question.answer(frame(response))->chosen());
    response.set_retcode(1);
    CHECK_THROWS(lars::Overloaded, "try again later, `lars explain 1 2` shows why", (void)question.answer(frame(response))->chosen());
    response.set_retcode(2);
    CHECK_THROWS(lars::AgentUnavailable, "could not choose a host of module (1, 2): see its log",
                 (void)question.answer(frame(response))->chosen());
}

TEST(route_is_all_hosts_that_can_exist) {
    const RouteQuestion route({1, 2});
    CHECK_EQUAL(route.datagrams().at(0), bytes("0700000004000000") + bytes("08011002"));
    lars::GetRouteResponse response;
    response.set_modid(1);
    response.set_cmdid(2);
    CHECK(route.answer(frame(response))->empty());
    for (const int port : {8080, 0, 8081}) {
        auto* host = response.add_host();
        host->set_ip(tests::kIp);
        host->set_port(port);
    }
    const auto hosts = route.answer(frame(response));
    CHECK_EQUAL(hosts->size(), 2U);
    CHECK_EQUAL(hosts->at(1).str(), "10.0.0.5:8081");
    response.set_cmdid(3);
    CHECK(!route.answer(frame(response)));
}

TEST(route_of_four_thousand_hosts_is_read) {
    lars::GetRouteResponse response;
    response.set_modid(1);
    response.set_cmdid(2);
    for (int i = 0; i < 4000; ++i) {
        auto* host = response.add_host();
        host->set_ip(0xc0a80000 + static_cast<std::uint32_t>(i));
        host->set_port(60000);
    }
    CHECK_EQUAL(RouteQuestion({1, 2}).answer(frame(response))->size(), 4000U);
}

TEST(report_names_module_and_host) {
    const lars::Host host(1, 1, "192.168.1.177", 7777);
    CHECK_EQUAL(encode_report(host, 0, std::nullopt),
                bytes("060000000f000000") + bytes("080110011a0908b183a0850c10e13c"));
}

TEST(cost_is_rounded_to_milliseconds_and_kept_within_its_field) {
    const lars::Host host(1, 1, "10.0.0.5", 80);
    const auto cost = [&](std::chrono::nanoseconds time) {
        lars::ReportRequest request;
        request.ParseFromString(body_of(encode_report(host, 1, time)));
        CHECK_EQUAL(request.retcode(), 1);
        return request.cost_ms();
    };
    CHECK_EQUAL(cost(1400us), 1U);
    CHECK_EQUAL(cost(1600us), 2U);
    CHECK_EQUAL(cost(400us), 0U);
    CHECK_EQUAL(cost(-5s), 0U);
    CHECK_EQUAL(cost(24h * 100), 4294967295U);
}

TEST(negative_retcode_is_a_failure) {
    lars::ReportRequest request;
    request.ParseFromString(body_of(encode_report(lars::Host(1, 1, "10.0.0.5", 80), -7, std::nullopt)));
    CHECK_EQUAL(request.retcode(), -7);
}
