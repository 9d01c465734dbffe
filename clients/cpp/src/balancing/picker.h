/// How a policy picks among the eligible hosts: the interface, and the policies by name.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "draws.h"
#include "record.h"

namespace lars::detail {

class Picker {
public:
    virtual ~Picker() = default;

    /// Replaces the hosts among which it picks; there is at least one, and each has a weight above 0. The vector stays
    /// as it is until the next rebuild.
    virtual void rebuild(const std::vector<Record*>& eligible) = 0;

    /// The host for the next call, about `key`, 0 for none.
    virtual Record& pick(std::uint64_t key) = 0;
};

/// The picker of a policy that ejects; null for another policy (classic), or one that is not known.
std::unique_ptr<Picker> picker_of(const std::string& policy, Draws& draws);

/// The policy that knows keys.
constexpr const char* kHashed = "consistent_hash";

}  // namespace lars::detail
