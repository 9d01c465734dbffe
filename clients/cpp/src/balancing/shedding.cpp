#include "shedding.h"

#include <algorithm>

namespace lars::detail {

namespace {

// The numbers of SheddingSettings in lars/balancing/shedding.py.
constexpr int kMinCalls = 8;
constexpr double kFailing = 0.5, kSlow = 0.2, kWell = 0.1;
constexpr double kDown = 0.7, kUp = 1.05, kFast = 1.5, kKeep = 0.5, kFloor = 0.1, kFresh = 2;

}  // namespace

void Shedding::failed(bool slow) noexcept {
    ++calls_;
    ++failed_;
    slow_ += slow;
}

void Shedding::interval(int succeeded, double recent, double usual) noexcept {
    calls_ += succeeded;
    if (calls_ >= kMinCalls && failed_ > kFailing * calls_ && slow_ > kSlow * calls_) {
        if (!falling_) {
            safe_ = kKeep * admitted_;
            falling_ = true;
        }
        admitted_ = std::max(kFloor, admitted_ * kDown);
    } else if (calls_ > 0 && admitted_ < 1 && failed_ < kWell * calls_) {
        const bool is_safe = admitted_ < safe_ || recent < kFresh * usual;
        admitted_ = std::min(1.0, admitted_ * (is_safe ? kFast : kUp));
        falling_ = false;
    } else if (calls_ < kMinCalls) {
        return;  // too few to decide: they count for the next interval
    }
    calls_ = failed_ = slow_ = 0;
}

}  // namespace lars::detail
