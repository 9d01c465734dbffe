/// BLAKE2b without a key (RFC 7693): keys and hosts are hashed as by every other client and the agent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lars::detail {

/// The digest in the first `size` bytes, 1 to 64.
std::array<std::uint8_t, 64> blake2b(std::string_view data, std::size_t size);

/// The number in eight bytes.
std::uint64_t little_endian(const std::uint8_t* bytes) noexcept;

}  // namespace lars::detail
