#include "saved_routes.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <random>

#include "json.h"

namespace lars::detail {

namespace {

/// Seconds between two checks whether a file was replaced.
constexpr double kRecheck = 1;

/// The version of the file format; others are not read.
constexpr double kFormat = 1;

std::uint64_t key_of(Module module) noexcept {
    return std::uint64_t{static_cast<std::uint32_t>(module.modid)} << 32 | static_cast<std::uint32_t>(module.cmdid);
}

std::string path_in(const std::string& state_dir, int shard) {
    return state_dir + "/routes." + std::to_string(shard) + ".json";
}

std::optional<std::int32_t> id_of(const Json* json) {
    const double* number = json == nullptr ? nullptr : json->number();
    if (number == nullptr || *number < 0 || *number > 0x7fffffff) {
        return std::nullopt;
    }
    return static_cast<std::int32_t>(*number);
}

std::vector<Host> hosts_of(Module module, const std::vector<std::string>& texts) {
    std::vector<Host> hosts;
    try {
        for (const auto& text : texts) {
            const Place place = parse_place(text);
            hosts.emplace_back(module.modid, module.cmdid, place.address, place.port);
        }
    } catch (const std::invalid_argument&) {
        return {};
    }
    return hosts;
}

}  // namespace

std::optional<RouteIndex> index_of(const std::string& content) {
    const auto json = Json::parsed(content);
    const Json* format = json ? json->member("format") : nullptr;
    const Json* routes = json ? json->member("routes") : nullptr;
    if (format == nullptr || format->number() == nullptr || *format->number() != kFormat || routes == nullptr ||
        routes->array() == nullptr) {
        return std::nullopt;
    }
    RouteIndex index;
    for (const Json& item : *routes->array()) {
        const auto modid = id_of(item.member("modid")), cmdid = id_of(item.member("cmdid"));
        const Json* hosts = item.member("hosts");
        if (!modid || !cmdid || hosts == nullptr || hosts->array() == nullptr) {
            return std::nullopt;
        }
        auto& texts = index[key_of({*modid, *cmdid})];
        for (const Json& host : *hosts->array()) {
            texts.push_back(host.text() != nullptr ? *host.text() : "");
        }
    }
    return index;
}

SavedRoutes::SavedRoutes(const std::string& state_dir, int shard) : shard_(shard), path_(path_in(state_dir, shard)) {}

void SavedRoutes::move(const std::string& state_dir) {
    std::string path = path_in(state_dir, shard_);
    if (path != path_) {
        path_ = std::move(path);
        checked_at_.reset();
    }
}

const std::vector<Host>& SavedRoutes::route(Module module, double now) { return turns(module, now).hosts; }

std::optional<Host> SavedRoutes::pick(Module module, double now) {
    auto& [hosts, next] = turns(module, now);
    if (hosts.empty()) {
        return std::nullopt;
    }
    next = next + 1 < hosts.size() ? next + 1 : 0;
    return hosts[next];
}

SavedRoutes::Turns& SavedRoutes::turns(Module module, double now) {
    refresh(now);
    const auto key = key_of(module);
    const auto known = turns_.find(key);
    if (known != turns_.end()) {
        return known->second;
    }
    Turns& turns = turns_[key];
    const auto found = index_.find(key);
    if (found != index_.end()) {
        turns.hosts = hosts_of(module, found->second);
        turns.next = turns.hosts.empty() ? 0 : std::random_device{}() % turns.hosts.size();
    }
    return turns;
}

void SavedRoutes::refresh(double now) {
    if (checked_at_ && now - *checked_at_ < kRecheck) {
        return;
    }
    checked_at_ = now;
    struct stat status {};
    std::optional<RouteIndex> index;
    if (::stat(path_.c_str(), &status) == 0) {
        const std::int64_t changed = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
        const std::tuple stamp{status.st_ino, changed, status.st_size};
        if (stamp == stamp_) {
            return;
        }
        std::ifstream file(path_, std::ios::binary);
        index = index_of({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
        stamp_ = stamp;
    }
    if (!index) {
        stamp_.reset();
    }
    index_ = std::move(index).value_or(RouteIndex{});
    turns_.clear();
}

}  // namespace lars::detail
