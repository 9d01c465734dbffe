/// Modules, hosts and addresses of agents: their ranges, and their text form.
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

/// "10.0.0.5:8080"
/// @throws std::invalid_argument for anything else
Place parse_place(const std::string& text);

/// "127.0.0.1:8888" or "agent:8888", of which the first IPv4 address is taken -> the address of an agent's first shard;
/// waits for the resolver.
/// @throws std::invalid_argument for anything else, and for a name without an address
Place parse_agent(const std::string& text);

/// Whether the agent is given by a name, which may have another address later.
bool is_named(const std::string& agent);

/// The agent in LARS_AGENT's value, or the default if that is null or empty.
/// @throws std::invalid_argument, naming the variable
std::string agent_of_environment(const char* value);

constexpr int kShards = 3;

/// The shard that serves a module, (modid + cmdid) mod 3; it listens on the agent's base port plus this number.
int shard_of(Module module) noexcept;

}  // namespace lars::detail
