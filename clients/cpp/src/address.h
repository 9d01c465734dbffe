/// What a module, a host and an agent's address may be, and how a person writes them.
#pragma once

#include <cstdint>
#include <string>

namespace lars::detail {

/// One remote service; checked, so that both ids are 0 to 2^31 - 1 and not both 0.
struct Module {
    std::int32_t modid;
    std::int32_t cmdid;
};

/// @throws std::invalid_argument for ids that no module can have
Module checked_module(std::int32_t modid, std::int32_t cmdid);

/// "(1, 1)"
std::string written(Module module);

/// An IPv4 address in host order, and a port: an agent's base port or one of its shards.
struct Place {
    std::uint32_t address;
    std::uint16_t port;
};

/// "127.0.0.1:8888"
std::string written(Place place);

/// 3232235953 -> "192.168.1.177"
std::string written_ip(std::uint32_t address);

/// "192.168.1.177" -> 3232235953
/// @throws std::invalid_argument for anything but a dotted IPv4 address
std::uint32_t parse_ip(const std::string& text);

/// "127.0.0.1:8888" -> where the first of an agent's shards is
/// @throws std::invalid_argument, saying what is wrong
Place parse_agent(const std::string& text);

/// The agent of LARS_AGENT's value, which may be null or empty, or the default.
/// @throws std::invalid_argument, naming the variable
std::string agent_of_environment(const char* value);

constexpr int kShards = 3;

/// The shard that answers for a module, (modid + cmdid) mod 3; it listens on the agent's base port and so many.
int shard_of(Module module) noexcept;

}  // namespace lars::detail
