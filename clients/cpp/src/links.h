/// The pool of unused links to one shard.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "address.h"
#include "agent.h"
#include "link.h"

namespace lars::detail {

/// Thread-safe without a lock, which a fork at the wrong moment would leave locked forever. After a fork the child
/// opens links of its own, since either process could receive the other's answers. So do all when the agent has moved.
class Links {
public:
    Links(std::shared_ptr<Agent> agent, int number) noexcept : agent_(std::move(agent)), number_(number) {}
    ~Links();
    Links(const Links&) = delete;
    Links& operator=(const Links&) = delete;

    /// Where the shard is now.
    Place shard() const noexcept {
        const Place first = agent_->place();
        return {first.address, static_cast<std::uint16_t>(first.port + number_)};
    }

    /// A question had no answer.
    void unanswered() const noexcept { agent_->unanswered(); }

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
    std::unique_ptr<Link> fresh() const;

private:
    static constexpr std::size_t kKept = 64;

    std::unique_ptr<Link> take();
    void put_back(std::unique_ptr<Link> link) noexcept;

    std::shared_ptr<Agent> agent_;
    int number_;
    std::array<std::atomic<Link*>, kKept> idle_{};
};

}  // namespace lars::detail
