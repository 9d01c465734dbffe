#include "exchange.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lars::detail {

namespace {

enum MessageId : std::uint32_t {
    kGetHost = 4,
    kHostAnswer = 5,
    kReport = 6,
    kGetRoute = 7,
    kRouteAnswer = 8,
    kGetState = 10,
    kStateAnswer = 11,
    kBatch = 12,
};
enum Retcode : std::int32_t { kSucc = 0, kOverload = 1, kNoexist = 3 };

constexpr std::size_t kHeaderSize = 8;

/// Sizes of receive buffers: more than a host alone needs, and more than any datagram has.
constexpr std::size_t kHostRoom = 2048, kAnyRoom = 65'536;

/// Hosts in one batch: as many as fit in a datagram; silent ones are fewer.
constexpr std::size_t kBatchHosts = 1'500, kMaxSilent = 100;

void put_int32(std::string& out, std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) {
        out.push_back(static_cast<char>(value >> shift & 0xff));
    }
}

std::uint32_t int32_at(std::string_view data, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) {
        value = value << 8 | static_cast<unsigned char>(data[at + i]);
    }
    return value;
}

/// A frame: int32 message id, int32 body length, both little-endian, then the body.
template <class Message>
std::string encode(MessageId id, const Message& message) {
    std::string frame;
    const std::size_t length = message.ByteSizeLong();
    frame.reserve(kHeaderSize + length);
    put_int32(frame, id);
    put_int32(frame, static_cast<std::uint32_t>(length));
    message.AppendToString(&frame);
    return frame;
}

/// Whether the datagram is one whole frame with such a message.
template <class Message>
bool decode(MessageId id, std::string_view datagram, Message& message) {
    if (datagram.size() < kHeaderSize || int32_at(datagram, 0) != id) {
        return false;
    }
    const std::string_view body = datagram.substr(kHeaderSize);
    return int32_at(datagram, 4) == body.size() && message.ParseFromArray(body.data(), static_cast<int>(body.size()));
}

std::uint32_t milliseconds(std::chrono::nanoseconds cost) {
    const auto rounded = std::chrono::round<std::chrono::milliseconds>(cost).count();
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(rounded, 0, std::numeric_limits<std::uint32_t>::max()));
}

std::string ids(Module module) { return std::to_string(module.modid) + " " + std::to_string(module.cmdid); }

}  // namespace

std::optional<Host> host_of(Module module, std::uint32_t ip, std::int32_t port) {
    if (ip == 0 || port < 1 || port > std::numeric_limits<std::uint16_t>::max()) {
        return std::nullopt;
    }
    return Host(module.modid, module.cmdid, ip, static_cast<std::uint16_t>(port));
}

const Host& HostAnswer::chosen() const {
    switch (retcode) {
        case kSucc:
            return *host;
        case kNoexist:
            throw no_such_module(module);
        case kOverload:
            throw overloaded(module);
        default:
            throw AgentUnavailable("the agent could not choose a host of module " + written(module) + ": see its log");
    }
}

HostQuestion::HostQuestion(Module module, std::uint32_t seq, std::uint64_t key, std::optional<std::uint64_t> version)
    : module_(module), seq_(seq) {
    if (version) {
        RouteStateRequest request;
        request.set_seq(seq);
        request.set_modid(module.modid);
        request.set_cmdid(module.cmdid);
        request.set_version(*version);
        datagrams_.push_back(encode(kGetState, request));
    }
    GetHostRequest request;
    request.set_seq(seq);
    request.set_modid(module.modid);
    request.set_cmdid(module.cmdid);
    request.set_key(key);
    datagrams_.push_back(encode(kGetHost, request));
}

std::vector<char> HostQuestion::buffer() const {
    return std::vector<char>(datagrams_.size() > 1 ? kAnyRoom : kHostRoom);
}

std::optional<HostAnswer> HostQuestion::answer(std::string_view datagram) {
    const auto answers = [this](const auto& message) {
        return message.seq() == seq_ && message.modid() == module_.modid && message.cmdid() == module_.cmdid;
    };
    GetHostResponse response;
    if (!decode(kHostAnswer, datagram, response)) {
        RouteStateResponse state;
        if (decode(kStateAnswer, datagram, state) && answers(state)) {
            state_ = std::move(state);
        }
        return std::nullopt;
    }
    if (!answers(response)) {
        return std::nullopt;
    }
    HostAnswer found{module_, response.retcode(), std::nullopt, std::nullopt};
    if (found.retcode == kSucc) {
        found.host = host_of(module_, response.host().ip(), response.host().port());
        if (!found.host) {
            return std::nullopt;
        }
    }
    found.state = std::exchange(state_, std::nullopt);
    return found;
}

RouteQuestion::RouteQuestion(Module module) : module_(module) {
    GetRouteRequest request;
    request.set_modid(module.modid);
    request.set_cmdid(module.cmdid);
    datagrams_.push_back(encode(kGetRoute, request));
}

std::optional<std::vector<Host>> RouteQuestion::answer(std::string_view datagram) const {
    GetRouteResponse response;
    if (!decode(kRouteAnswer, datagram, response) || response.modid() != module_.modid ||
        response.cmdid() != module_.cmdid) {
        return std::nullopt;
    }
    std::vector<Host> hosts;
    hosts.reserve(static_cast<std::size_t>(response.host_size()));
    for (const HostInfo& info : response.host()) {
        if (const auto host = host_of(module_, info.ip(), info.port())) {
            hosts.push_back(*host);
        }
    }
    return hosts;
}

std::string encode_report(const Host& host, std::int32_t retcode, std::optional<std::chrono::nanoseconds> cost) {
    ReportRequest request;
    request.set_modid(host.modid());
    request.set_cmdid(host.cmdid());
    request.mutable_host()->set_ip(host.address());
    request.mutable_host()->set_port(host.port());
    request.set_retcode(retcode);
    request.set_cost_ms(cost ? milliseconds(*cost) : 0);
    return encode(kReport, request);
}

std::vector<std::string> encode_batches(Module module, const Choice::Successes& successes, const BatchExtras& extras) {
    std::vector<std::string> datagrams;
    const bool speaks = extras.watch.count() > 0 || !extras.silent.empty();
    for (std::size_t start = 0; start < successes.size() || (start == 0 && speaks); start += kBatchHosts) {
        ReportBatch batch;
        batch.set_modid(module.modid);
        batch.set_cmdid(module.cmdid);
        batch.set_before_failure(extras.before_failure);
        for (std::size_t at = start; at < std::min(start + kBatchHosts, successes.size()); ++at) {
            const auto& [host, gathered] = successes[at];
            auto* result = batch.add_result();
            result->set_ip(host.address());
            result->set_port(host.port());
            result->set_succ(static_cast<std::uint32_t>(gathered.calls));
            result->set_cost_us(static_cast<std::uint64_t>(std::min(std::round(gathered.cost * 1e6), 9e18)));
            result->set_timed(static_cast<std::uint32_t>(gathered.timed));
        }
        if (start == 0) {
            batch.set_watch_ms(static_cast<std::uint32_t>(extras.watch.count()));
            for (std::size_t at = 0; at < std::min(extras.silent.size(), kMaxSilent); ++at) {
                auto* silent = batch.add_silent();
                silent->set_ip(extras.silent[at].address());
                silent->set_port(extras.silent[at].port());
            }
        }
        datagrams.push_back(encode(kBatch, batch));
    }
    return datagrams;
}

std::optional<Notice> notice_of(std::string_view datagram) {
    ReportRequest failure;
    ReportBatch batch;
    RouteStateResponse state;
    if (decode(kReport, datagram, failure)) {
        return failure;
    }
    if (decode(kBatch, datagram, batch)) {
        return batch;
    }
    if (decode(kStateAnswer, datagram, state)) {
        return state;
    }
    return std::nullopt;
}

Overloaded overloaded(Module module) {
    return Overloaded("module " + written(module) +
                      " takes no call now: load is shed because most calls fail by being slow or, with the policy "
                      "classic, every host is ejected; try again later, `lars explain " +
                      ids(module) + "` shows why");
}

NoSuchModule no_such_module(Module module) {
    return NoSuchModule("module " + written(module) +
                        " has no hosts that the agent knows of: add one with `lars route add " + ids(module) +
                        " IP:PORT`, or check the agent's log for its connection to lars-dns");
}

}  // namespace lars::detail
