#include "blake2b.h"

#include <algorithm>

namespace lars::detail {

namespace {

using State = std::array<std::uint64_t, 8>;

constexpr std::size_t kBlock = 128;
constexpr int kRounds = 12;

constexpr State kIv{0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

constexpr std::array<std::array<std::uint8_t, 16>, 10> kSigma{{
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
}};

constexpr std::uint64_t rotated(std::uint64_t value, int by) { return value >> by | value << (64 - by); }

/// Takes one block, of which `counted` bytes in all have come by its end.
void compress(State& state, const std::array<std::uint8_t, kBlock>& block, std::uint64_t counted, bool last) {
    std::array<std::uint64_t, 16> m{}, v{};
    for (std::size_t i = 0; i < 16; ++i) {
        m[i] = little_endian(block.data() + 8 * i);
        v[i] = i < 8 ? state[i] : kIv[i - 8];
    }
    v[12] ^= counted;
    v[14] = last ? ~v[14] : v[14];
    const auto quarter = [&](std::size_t a, std::size_t b, std::size_t c, std::size_t d, std::uint64_t x,
                             std::uint64_t y) {
        v[a] += v[b] + x;
        v[d] = rotated(v[d] ^ v[a], 32);
        v[c] += v[d];
        v[b] = rotated(v[b] ^ v[c], 24);
        v[a] += v[b] + y;
        v[d] = rotated(v[d] ^ v[a], 16);
        v[c] += v[d];
        v[b] = rotated(v[b] ^ v[c], 63);
    };
    for (int round = 0; round < kRounds; ++round) {
        const auto& s = kSigma[static_cast<std::size_t>(round) % kSigma.size()];
        for (std::size_t i = 0; i < 4; ++i) {  // columns, then diagonals
            quarter(i, 4 + i, 8 + i, 12 + i, m[s[2 * i]], m[s[2 * i + 1]]);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[s[8 + 2 * i]], m[s[9 + 2 * i]]);
        }
    }
    for (std::size_t i = 0; i < 8; ++i) {
        state[i] ^= v[i] ^ v[i + 8];
    }
}

}  // namespace

std::uint64_t little_endian(const std::uint8_t* bytes) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 8; i-- > 0;) {
        value = value << 8 | bytes[i];
    }
    return value;
}

std::array<std::uint8_t, 64> blake2b(std::string_view data, std::size_t size) {
    State state = kIv;
    state[0] ^= 0x01010000 ^ size;
    std::uint64_t counted = 0;
    do {
        const std::string_view part = data.substr(0, kBlock);
        data.remove_prefix(part.size());
        counted += part.size();
        std::array<std::uint8_t, kBlock> block{};
        std::copy(part.begin(), part.end(), block.begin());
        compress(state, block, counted, data.empty());
    } while (!data.empty());
    std::array<std::uint8_t, 64> digest{};
    for (std::size_t i = 0; i < digest.size(); ++i) {
        digest[i] = static_cast<std::uint8_t>(state[i / 8] >> 8 * (i % 8));
    }
    return digest;
}

}  // namespace lars::detail
