#include "links.h"

#include <pthread.h>

namespace lars::detail {

namespace {

/// How often this process, or a parent before it was forked, has been forked, as seen from the child.
std::atomic<unsigned> forks{0};
[[maybe_unused]] const int counted = pthread_atfork(nullptr, nullptr, [] { ++forks; });

}  // namespace

Links::~Links() {
    for (auto& slot : idle_) {
        delete slot.load();
    }
}

std::unique_ptr<Link> Links::fresh() const { return std::make_unique<Link>(shard(), forks); }

std::unique_ptr<Link> Links::take() {
    const Place at = shard();
    for (auto& slot : idle_) {
        if (slot.load(std::memory_order_relaxed) == nullptr) {
            continue;
        }
        std::unique_ptr<Link> link(slot.exchange(nullptr, std::memory_order_acquire));
        if (link != nullptr && link->forks() == forks && link->shard() == at) {
            return link;
        }
    }
    return fresh();
}

void Links::put_back(std::unique_ptr<Link> link) noexcept {
    for (auto& slot : idle_) {
        Link* empty = nullptr;
        if (slot.load(std::memory_order_relaxed) == nullptr &&
            slot.compare_exchange_strong(empty, link.get(), std::memory_order_release, std::memory_order_relaxed)) {
            link.release();
            return;
        }
    }
}

}  // namespace lars::detail
