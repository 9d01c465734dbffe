/// The caches of all modules that a client was asked about.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

#include "module_cache.h"

namespace lars::detail {

/// A hash table that only grows, so that threads read it without a lock.
class Modules {
public:
    Modules() = default;
    ~Modules();
    Modules(const Modules&) = delete;
    Modules& operator=(const Modules&) = delete;

    /// The module's cache, which is made if there is none.
    template <class Make>
    ModuleCache& at(Module module, const Make& make) {
        auto& slot = slots_[slot_of(module)];
        Node* first = slot.load(std::memory_order_acquire);
        if (ModuleCache* known = find(first, module)) {
            return *known;
        }
        std::unique_ptr<Node> node(new Node{make(), first});
        while (!slot.compare_exchange_weak(node->next, node.get(), std::memory_order_acq_rel)) {
            if (ModuleCache* known = find(node->next, module)) {  // another thread was faster
                return *known;
            }
        }
        return *node.release()->cache;
    }

    /// Calls `use` with each cache.
    void each(const std::function<void(ModuleCache&)>& use);
    /// Null if there is none.
    ModuleCache* find(Module module) noexcept;

private:
    static constexpr std::size_t kSlots = 1024;

    struct Node {
        std::unique_ptr<ModuleCache> cache;
        Node* next;
    };

    static std::size_t slot_of(Module module) noexcept;
    static ModuleCache* find(Node* first, Module module) noexcept;

    std::array<std::atomic<Node*>, kSlots> slots_{};
};

}  // namespace lars::detail
