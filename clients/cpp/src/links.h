/// The pool of unused links to one shard.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "address.h"
#include "link.h"

namespace lars::detail {

/// Thread-safe without a lock.
class Links {
public:
    explicit Links(Place shard) noexcept : shard_(shard) {}
    ~Links() { close(); }
    Links(const Links&) = delete;
    Links& operator=(const Links&) = delete;

    Place shard() const noexcept { return shard_; }
    /// From now on the shard is at another address.
    void move(Place shard) noexcept { shard_ = shard; }

    /// A link for one call, returned to the pool at the end of its scope.
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

    /// @throws std::system_error if a new link is needed and cannot be opened
    Lease lease() { return Lease(*this); }

    /// A link outside the pool.
    std::unique_ptr<Link> fresh() const { return std::make_unique<Link>(shard()); }

    /// Closes the links that no call uses.
    void close() noexcept;

private:
    static constexpr std::size_t kKept = 64;

    std::unique_ptr<Link> take();
    void put_back(std::unique_ptr<Link> link) noexcept;

    std::atomic<Place> shard_;
    std::array<std::atomic<Link*>, kKept> idle_{};
};

}  // namespace lars::detail
