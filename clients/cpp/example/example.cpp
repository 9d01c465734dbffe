/// A caller: asks its agent for a host of a module, fetches / from it over HTTP, COUNT times.
///
///     lars-example MODID CMDID [COUNT]
#include <lars/client.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>

namespace {

/// A call to a host failed.
class CallFailed : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A socket that closes itself.
class Socket {
public:
    Socket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) { check(fd_, "socket"); }
    ~Socket() { ::close(fd_); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    void connect(const lars::Host& host) const {
        const timeval limit{1, 0};
        check(::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), "setsockopt");
        check(::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), "setsockopt");
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(host.address());
        address.sin_port = htons(host.port());
        check(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
    }

    void send(const std::string& text) const { check(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), "send"); }

    /// All data until the peer closes the connection.
    std::string receive() const {
        std::string all;
        char part[4096];
        ssize_t size = 0;
        while ((size = ::recv(fd_, part, sizeof part, 0)) > 0) {
            all.append(part, static_cast<std::size_t>(size));
        }
        check(size, "recv");
        return all;
    }

private:
    static void check(ssize_t result, const char* what) {
        if (result < 0) {
            throw CallFailed(what + (": " + std::system_category().message(errno)));
        }
    }

    int fd_;
};

/// Fetches / from a host.
/// @throws CallFailed if that fails
void fetch(const lars::Host& host) {
    const Socket socket;
    socket.connect(host);
    socket.send("GET / HTTP/1.0\r\nHost: " + host.str() + "\r\n\r\n");
    const std::string answer = socket.receive();
    if (answer.substr(0, 7) != "HTTP/1." || answer.substr(8, 4) != " 200") {
        throw CallFailed(host.str() + " answers " + answer.substr(0, answer.find('\r')));
    }
}

struct Counts {
    int calls = 0;
    int answered = 0;
};

void run(std::int32_t modid, std::int32_t cmdid, int count) {
    const lars::Client client;
    client.register_module(modid, cmdid);

    std::map<lars::Host, Counts> hosts;
    for (int i = 0; i < count; ++i) {
        try {
            const lars::Call call = client.call(modid, cmdid);
            Counts& counts = hosts[call.host()];
            ++counts.calls;
            fetch(call.host());
            ++counts.answered;
        } catch (const CallFailed&) {
            continue;  // the Call has reported it, and the agent will choose another host soon
        }
    }
    for (const auto& [host, counts] : hosts) {
        std::cout << host << "  " << counts.calls << " calls, " << counts.answered << " answered\n";
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3 || argc > 4) {
        std::cerr << "usage: lars-example MODID CMDID [COUNT]\n";
        return 2;
    }
    try {
        run(std::stoi(argv[1]), std::stoi(argv[2]), argc > 3 ? std::stoi(argv[3]) : 100);
    } catch (const lars::Error& error) {
        std::cerr << "lars-example: " << error.what() << '\n';
        return 1;
    } catch (const std::logic_error& error) {  // not a number, or not a module
        std::cerr << "lars-example: " << error.what() << '\n';
        return 2;
    }
}
