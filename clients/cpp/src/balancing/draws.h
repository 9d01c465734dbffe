/// Random draws: SplitMix64 (Steele et al. 2014), whose finalizer also spreads keys.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lars::detail {

constexpr std::uint64_t kGoldenGamma = 0x9e3779b97f4a7c15;

/// Spreads a key over 64 bits.
constexpr std::uint64_t mix(std::uint64_t key) noexcept {
    key += kGoldenGamma;
    key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9;
    key = (key ^ key >> 27) * 0x94d049bb133111eb;
    return key ^ key >> 31;
}

class Draws {
public:
    explicit Draws(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t bits() noexcept {
        const std::uint64_t drawn = mix(state_);
        state_ += kGoldenGamma;
        return drawn;
    }

    /// 0 to below 1.
    double share() noexcept { return static_cast<double>(bits() >> 11) * 0x1p-53; }

    /// A number from 0 to `number` - 1.
    std::size_t below(std::size_t number) noexcept {
        return static_cast<std::size_t>(share() * static_cast<double>(number));
    }

private:
    std::uint64_t state_;
};

}  // namespace lars::detail
