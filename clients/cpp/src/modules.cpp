#include "modules.h"

namespace lars::detail {

Modules::~Modules() {
    for (auto& slot : slots_) {
        for (std::unique_ptr<Node> node(slot.load()); node != nullptr; node.reset(node->next)) {
        }
    }
}

void Modules::each(const std::function<void(ModuleCache&)>& use) {
    for (auto& slot : slots_) {
        for (Node* node = slot.load(std::memory_order_acquire); node != nullptr; node = node->next) {
            use(*node->cache);
        }
    }
}

ModuleCache* Modules::find(Module module) noexcept {
    return find(slots_[slot_of(module)].load(std::memory_order_acquire), module);
}

ModuleCache* Modules::find(Node* node, Module module) noexcept {
    for (; node != nullptr; node = node->next) {
        if (node->cache->module.modid == module.modid && node->cache->module.cmdid == module.cmdid) {
            return node->cache.get();
        }
    }
    return nullptr;
}

std::size_t Modules::slot_of(Module module) noexcept {
    const auto both = std::uint64_t{static_cast<std::uint32_t>(module.modid)} << 32 |
                      static_cast<std::uint32_t>(module.cmdid);
    return static_cast<std::size_t>(both * kGoldenGamma >> 54);
}

}  // namespace lars::detail
