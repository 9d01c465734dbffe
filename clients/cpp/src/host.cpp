#include <functional>
#include <ostream>
#include <stdexcept>
#include <tuple>

#include "address.h"
#include "lars/client.h"

namespace lars {

Host::Host(std::int32_t modid, std::int32_t cmdid, const std::string& ip, std::uint16_t port)
    : Host(modid, cmdid, detail::parse_ip(ip), port) {}

Host::Host(std::int32_t modid, std::int32_t cmdid, std::uint32_t address, std::uint16_t port)
    : modid_(modid), cmdid_(cmdid), address_(address), port_(port) {
    detail::checked_module(modid, cmdid);
    if (address == 0 || port == 0) {
        throw std::invalid_argument(str() + " is not a host: use an address other than 0.0.0.0 and a port from 1 to "
                                    "65535");
    }
}

std::string Host::ip() const { return detail::written_ip(address_); }

std::string Host::str() const { return detail::written(detail::Place{address_, port_}); }

bool operator<(const Host& a, const Host& b) noexcept {
    return std::tie(a.modid_, a.cmdid_, a.address_, a.port_) < std::tie(b.modid_, b.cmdid_, b.address_, b.port_);
}

std::ostream& operator<<(std::ostream& out, const Host& host) { return out << host.str(); }

}  // namespace lars

std::size_t std::hash<lars::Host>::operator()(const lars::Host& host) const noexcept {
    const auto both = [](std::uint32_t high, std::uint32_t low) { return std::uint64_t{high} << 32 | low; };
    const auto module = both(static_cast<std::uint32_t>(host.modid()), static_cast<std::uint32_t>(host.cmdid()));
    // Fibonacci hashing: std::hash of a number is the number itself.
    return static_cast<std::size_t>((module * 0x9e3779b97f4a7c15 ^ both(host.address(), host.port())) *
                                    0x9e3779b97f4a7c15);
}
