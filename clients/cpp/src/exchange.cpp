#include "exchange.h"

#include <algorithm>
#include <limits>

#include "lars.pb.h"

namespace lars::detail {

namespace {

enum MessageId : std::uint32_t { kGetHost = 4, kHostAnswer = 5, kReport = 6, kGetRoute = 7, kRouteAnswer = 8 };
enum Retcode : std::int32_t { kSucc = 0, kOverload = 1, kNoexist = 3 };

constexpr std::size_t kHeaderSize = 8;

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

std::optional<Host> host_of(Module module, const HostInfo& info) {
    if (info.ip() == 0 || info.port() < 1 || info.port() > std::numeric_limits<std::uint16_t>::max()) {
        return std::nullopt;
    }
    return Host(module.modid, module.cmdid, info.ip(), static_cast<std::uint16_t>(info.port()));
}

std::uint32_t milliseconds(std::chrono::nanoseconds cost) {
    const auto rounded = std::chrono::round<std::chrono::milliseconds>(cost).count();
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(rounded, 0, std::numeric_limits<std::uint32_t>::max()));
}

std::string ids(Module module) { return std::to_string(module.modid) + " " + std::to_string(module.cmdid); }

}  // namespace

HostQuestion::HostQuestion(Module module, std::uint32_t seq) : module_(module), seq_(seq) {
    GetHostRequest request;
    request.set_seq(seq);
    request.set_modid(module.modid);
    request.set_cmdid(module.cmdid);
    request_ = encode(kGetHost, request);
}

std::optional<Host> HostQuestion::answer(std::string_view datagram) const {
    GetHostResponse response;
    if (!decode(kHostAnswer, datagram, response) || response.seq() != seq_ || response.modid() != module_.modid ||
        response.cmdid() != module_.cmdid) {
        return std::nullopt;
    }
    switch (response.retcode()) {
        case kSucc:
            return host_of(module_, response.host());
        case kNoexist:
            throw no_such_module(module_);
        case kOverload:
            throw Overloaded("every host of module " + written(module_) +
                             " is ejected for its failures: try again later; `lars status " + ids(module_) +
                             "` shows their errors");
        default:
            throw AgentUnavailable("the agent could not choose a host of module " + written(module_) + ": see its log");
    }
}

RouteQuestion::RouteQuestion(Module module) : module_(module) {
    GetRouteRequest request;
    request.set_modid(module.modid);
    request.set_cmdid(module.cmdid);
    request_ = encode(kGetRoute, request);
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
        if (const auto host = host_of(module_, info)) {
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

NoSuchModule no_such_module(Module module) {
    return NoSuchModule("module " + written(module) +
                        " has no hosts that the agent knows of: add one with `lars route add " + ids(module) +
                        " IP:PORT`, or see in the agent's log whether it reaches lars-dns");
}

}  // namespace lars::detail
