#include "address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <memory>
#include <stdexcept>

namespace lars::detail {

namespace {

constexpr int kMaxPort = 65535;
constexpr const char* kDefaultAgent = "127.0.0.1:8888";

void check_id(const char* name, std::int32_t value) {
    if (value < 0) {
        throw std::invalid_argument(std::string(name) + " " + std::to_string(value) + " is out of range: use 0 to " +
                                    std::to_string(std::numeric_limits<std::int32_t>::max()));
    }
}

std::uint16_t parse_port(const std::string& text) {
    const bool digits = !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string::npos;
    const int port = digits ? std::stoi(text) : 0;
    if (port < 1 || port > kMaxPort) {
        throw std::invalid_argument("'" + text + "' is not a port: use a number from 1 to " + std::to_string(kMaxPort));
    }
    return static_cast<std::uint16_t>(port);
}

/// The first IPv4 address of a name.
std::uint32_t resolved(const std::string& name) {
    addrinfo wanted{};
    wanted.ai_family = AF_INET;
    wanted.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(name.c_str(), nullptr, &wanted, &found);
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> freed(found, &::freeaddrinfo);
    if (error != 0 || found == nullptr) {
        throw std::invalid_argument("'" + name + "' has no IPv4 address: " + ::gai_strerror(error));
    }
    return ntohl(reinterpret_cast<const sockaddr_in*>(found->ai_addr)->sin_addr.s_addr);
}

/// What is before the last colon; empty if there is none.
std::string name_in(const std::string& text) {
    const auto colon = text.rfind(':');
    return colon == std::string::npos ? "" : text.substr(0, colon);
}

}  // namespace

Module checked_module(std::int32_t modid, std::int32_t cmdid) {
    check_id("modid", modid);
    check_id("cmdid", cmdid);
    if (modid == 0 && cmdid == 0) {
        throw std::invalid_argument("module (0, 0) does not exist: its messages would be empty; choose other ids");
    }
    return {modid, cmdid};
}

std::string written(Module module) {
    return "(" + std::to_string(module.modid) + ", " + std::to_string(module.cmdid) + ")";
}

std::string written(Place place) { return written_ip(place.address) + ":" + std::to_string(place.port); }

std::string written_ip(std::uint32_t address) {
    const in_addr network{htonl(address)};
    std::array<char, INET_ADDRSTRLEN> text{};
    inet_ntop(AF_INET, &network, text.data(), text.size());
    return text.data();
}

std::uint32_t parse_ip(const std::string& text) {
    in_addr network{};
    if (text.find('\0') != std::string::npos || inet_pton(AF_INET, text.c_str(), &network) != 1) {
        throw std::invalid_argument("'" + text + "' is not an IPv4 address: write it as 10.0.0.5 (Lars never resolves "
                                    "names)");
    }
    return ntohl(network.s_addr);
}

Place parse_place(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos) {
        throw std::invalid_argument("'" + text + "' is not an address: write IP:BASEPORT, as in " + kDefaultAgent);
    }
    return {parse_ip(text.substr(0, colon)), parse_port(text.substr(colon + 1))};
}

bool is_named(const std::string& agent) {
    const std::string name = name_in(agent);
    const auto any = [&name](int (*kind)(int)) {
        return std::any_of(name.begin(), name.end(), [kind](unsigned char c) { return kind(c) != 0; });
    };
    return any(std::isalpha) && !any(std::isspace) && name.find('\0') == std::string::npos;
}

Place parse_agent(const std::string& text) {
    Place place{};
    try {
        const std::string name = name_in(text);
        place = is_named(text) ? Place{resolved(name), parse_port(text.substr(name.size() + 1))} : parse_place(text);
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(std::string("agent address: ") + error.what());
    }
    if (place.port > kMaxPort - (kShards - 1)) {
        throw std::invalid_argument("agent address: port " + std::to_string(place.port) +
                                    " is too high: its 3 shards take the ports from it on");
    }
    return place;
}

std::string agent_of_environment(const char* value) {
    const std::string agent = value == nullptr || *value == '\0' ? kDefaultAgent : value;
    try {
        parse_agent(agent);
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(std::string("environment LARS_AGENT: ") + error.what());
    }
    return agent;
}

int shard_of(Module module) noexcept {
    return static_cast<int>((std::int64_t{module.modid} + module.cmdid) % kShards);
}

}  // namespace lars::detail
