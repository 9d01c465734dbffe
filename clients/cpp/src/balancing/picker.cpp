#include "picker.h"

#include "consistent_hash.h"
#include "turns.h"

namespace lars::detail {

std::unique_ptr<Picker> picker_of(const std::string& policy, Draws& draws) {
    if (policy == "adaptive") {
        return std::make_unique<Adaptive>(draws);
    }
    if (policy == "round_robin") {
        return std::make_unique<RoundRobin>(draws);
    }
    if (policy == kHashed) {
        return std::make_unique<ConsistentHash>(draws);
    }
    return nullptr;
}

}  // namespace lars::detail
