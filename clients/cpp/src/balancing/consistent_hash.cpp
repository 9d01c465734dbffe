#include "consistent_hash.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "blake2b.h"

namespace lars::detail {

namespace {

/// Primes. The smallest that has kSlotsPerHost places for each host is used, or the largest.
constexpr std::array<std::size_t, 4> kTableSizes{1'009, 10'007, 65'537, 524'287};
constexpr std::size_t kSlotsPerHost = 100;

/// A host may have so many times its share of the calls in flight.
constexpr double kBalanceFactor = 1.25;

constexpr std::size_t kFree = std::numeric_limits<std::size_t>::max();

/// The places that a host wants, in its own order.
struct Wishes {
    std::size_t place, skip;
};

Wishes wishes_of(const std::string& name, std::size_t size) {
    const auto digest = blake2b(name, 16);
    return {little_endian(digest.data()) % size, little_endian(digest.data() + 8) % (size - 1) + 1};
}

}  // namespace

std::vector<std::size_t> maglev_table(const std::vector<std::string>& names, const std::vector<double>& weights,
                                      std::size_t size) {
    std::vector<Wishes> wishes;
    for (const auto& name : names) {
        wishes.push_back(wishes_of(name, size));
    }
    std::vector<std::size_t> table(size, kFree);
    std::vector<double> credit(names.size(), 0);
    const double largest = *std::max_element(weights.begin(), weights.end());
    for (std::size_t filled = 0;;) {
        for (std::size_t number = 0; number < names.size(); ++number) {
            credit[number] += weights[number] / largest;
            if (credit[number] < 1) {
                continue;
            }
            credit[number] -= 1;
            auto& [place, skip] = wishes[number];
            while (table[place] != kFree) {
                place = (place + skip) % size;
            }
            table[place] = number;
            place = (place + skip) % size;
            if (++filled == size) {
                return table;
            }
        }
    }
}

void ConsistentHash::rebuild(const std::vector<Record*>& eligible) {
    hosts_ = eligible;
    std::sort(hosts_.begin(), hosts_.end(), [](const Record* a, const Record* b) { return a->host < b->host; });
    std::vector<std::string> names;
    std::vector<double> weights;
    for (const Record* each : hosts_) {
        names.push_back(each->host.str());
        weights.push_back(each->weight);
    }
    const auto size = std::find_if(kTableSizes.begin(), kTableSizes.end(),
                                   [&](std::size_t each) { return each >= kSlotsPerHost * names.size(); });
    table_ = maglev_table(names, weights, size == kTableSizes.end() ? kTableSizes.back() : *size);
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    shares_.clear();
    for (const double weight : weights) {
        shares_.push_back(weight / total);
    }
}

Record& ConsistentHash::pick(std::uint64_t key) {
    std::size_t place = mix(key != 0 ? key : draws_.bits()) % table_.size();
    const int in_flight = std::accumulate(hosts_.begin(), hosts_.end(), 1,
                                          [](int sum, const Record* each) { return sum + each->in_flight; });
    for (std::size_t tried = 0; tried < hosts_.size(); ++tried) {
        const std::size_t number = table_[place];
        if (hosts_[number]->in_flight < kBalanceFactor * in_flight * shares_[number] + 1) {
            return *hosts_[number];
        }
        while (hosts_.size() > 1 && table_[place] == number) {
            place = (place + 1) % table_.size();
        }
    }
    return **std::min_element(hosts_.begin(), hosts_.end(), [](const Record* a, const Record* b) {
        return a->in_flight * a->scale < b->in_flight * b->scale;
    });
}

}  // namespace lars::detail
