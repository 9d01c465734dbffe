#include "forks.h"

#include <pthread.h>

#include <atomic>

namespace lars::detail {

namespace {

std::atomic<unsigned> count{0};
[[maybe_unused]] const int counted = pthread_atfork(nullptr, nullptr, [] { ++count; });

}  // namespace

unsigned forks() noexcept { return count.load(std::memory_order_relaxed); }

}  // namespace lars::detail
