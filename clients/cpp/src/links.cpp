#include "links.h"

namespace lars::detail {

void Links::close() noexcept {
    for (auto& slot : idle_) {
        delete slot.exchange(nullptr);
    }
}

std::unique_ptr<Link> Links::take() {
    for (auto& slot : idle_) {
        if (slot.load(std::memory_order_relaxed) == nullptr) {
            continue;
        }
        std::unique_ptr<Link> link(slot.exchange(nullptr, std::memory_order_acquire));
        if (link != nullptr) {
            link->move(shard());
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
