/// Consistent hashing: calls with one key go to one host, and most keys keep their host when others come and go.
#pragma once

#include <cstddef>
#include <string>

#include "picker.h"

namespace lars::detail {

/// For each place of a table of `size` (a prime), the number of the host that has it: that of Maglev (Eisenbud et al.,
/// NSDI 2016, section 3.4), weighted. The same as the agent's (lars/balancing/consistent_hash.py).
std::vector<std::size_t> maglev_table(const std::vector<std::string>& names, const std::vector<double>& weights,
                                      std::size_t size);

/// The host of a key; calls without a key (0) go to a random one. A host with more than its bound of calls in flight
/// passes calls on to the next one (Mirrokni, Thorup, Zadimoghaddam 2018).
class ConsistentHash : public Picker {
public:
    explicit ConsistentHash(Draws& draws) noexcept : draws_(draws) {}
    void rebuild(const std::vector<Record*>& eligible) override;
    Record& pick(std::uint64_t key) override;

private:
    Draws& draws_;
    std::vector<Record*> hosts_;  // in the order of their addresses, so that every process has the same table
    std::vector<std::size_t> table_;
    std::vector<double> shares_;
};

}  // namespace lars::detail
