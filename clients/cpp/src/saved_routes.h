/// One shard's file of the agent's saved routes (docs/design/client.md, saved routes).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "address.h"
#include "lars/client.h"

namespace lars::detail {

/// The hosts of each module, by modid << 32 | cmdid, in a file's content. Drained hosts are left out.
using RouteIndex = std::unordered_map<std::uint64_t, std::vector<std::string>>;

/// Nothing if the content is none of saved routes.
std::optional<RouteIndex> index_of(const std::string& content);

/// Read when first needed, and again when the file was replaced. `now` is in seconds, monotonic. Not for threads.
class SavedRoutes {
public:
    SavedRoutes(const std::string& state_dir, int shard);

    /// Looks for the file in another folder from now on.
    void move(const std::string& state_dir);

    /// The module's hosts; none if the file cannot be read or does not have the module.
    const std::vector<Host>& route(Module module, double now);
    /// The module's next host, or nothing if `route` has none.
    std::optional<Host> pick(Module module, double now);

private:
    struct Turns {
        std::vector<Host> hosts;
        std::size_t next = 0;
    };

    Turns& turns(Module module, double now);
    void refresh(double now);

    int shard_;
    std::string path_;
    std::optional<double> checked_at_;
    std::optional<std::tuple<ino_t, std::int64_t, off_t>> stamp_;
    RouteIndex index_;
    std::unordered_map<std::uint64_t, Turns> turns_;
};

}  // namespace lars::detail
