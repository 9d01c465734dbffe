/// The links to one shard that no call uses at the moment.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "address.h"
#include "link.h"

namespace lars::detail {

/// Safe for any number of threads without a lock, which a fork at the wrong moment would leave locked for ever. After a
/// fork the child gets links of its own: answers to its parent's would come to either.
class Links {
public:
    explicit Links(Place shard) noexcept : shard_(shard) {}
    ~Links();
    Links(const Links&) = delete;
    Links& operator=(const Links&) = delete;

    Place shard() const noexcept { return shard_; }

    /// A link for one call alone, which goes back at the end of its scope.
    class Lease {
    public:
        explicit Lease(Links& links) : links_(links), link_(links.take()) {}
        ~Lease() { links_.put_back(std::move(link_)); }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        Link& operator*() const noexcept { return *link_; }
        Link* operator->() const noexcept { return link_.get(); }

    private:
        Links& links_;
        std::unique_ptr<Link> link_;
    };

    /// @throws std::system_error if a new link is needed and cannot be made
    Lease lease() { return Lease(*this); }

    /// A link that never goes back.
    std::unique_ptr<Link> fresh() const;

private:
    static constexpr std::size_t kKept = 64;

    std::unique_ptr<Link> take();
    void put_back(std::unique_ptr<Link> link) noexcept;

    Place shard_;
    std::array<std::atomic<Link*>, kKept> idle_{};
};

}  // namespace lars::detail
