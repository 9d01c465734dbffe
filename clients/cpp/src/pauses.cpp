#include "pauses.h"

#include <algorithm>
#include <thread>

namespace lars::detail {

bool Pauses::wait() {
    const std::chrono::nanoseconds left = until_ - Clock::now();
    if (left.count() <= 0) {
        return false;
    }
    std::this_thread::sleep_for(std::min(pause_, left));
    pause_ = std::min<std::chrono::nanoseconds>(2 * pause_, std::chrono::milliseconds(100));
    return true;
}

}  // namespace lars::detail
