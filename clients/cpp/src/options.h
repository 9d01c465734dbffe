/// The settings of a client: their ranges, and what follows from the environment.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "lars/client.h"

namespace lars::detail {

/// The same options.
/// @throws std::invalid_argument if one is out of range
Options checked_options(const Options& options);

/// The folder of the saved routes that the program gave, or else the environment, or the default for an agent on this
/// machine; empty for none.
std::string state_folder(const Options& options, std::uint32_t agent);

/// Whether an agent may name another folder: it is the default one.
bool follows_agent(const std::string& folder);

/// "0.2"
std::string written_seconds(std::chrono::nanoseconds time);

}  // namespace lars::detail
