/// Makes the calls that standard input gives, one per line, and prints their results, for tests with a real agent:
///
///     driver [CACHE_TTL_MS [STATE_DIR]]     (by default each call asks, and there are no saved routes)
///
///     get_host 1 1                          ok 10.0.0.5:8080
///     get_route 1 1                         ok 10.0.0.5:8080 10.0.0.6:8080
///     report 1 1 10.0.0.5:8080 1 0.5        ok                 (the retcode, and the seconds that the call took)
///     register 1 1                          NoSuchModule module (1, 1) has no hosts …
///     call 1 1 ok                           ok 10.0.0.5:8080
///     call 1 1 fail                         failed 10.0.0.5:8080
///     keyed 1 1 user17                      ok 10.0.0.5:8080   (get_host for a key, then a success)
///     calls 1 1 100 10.0.0.5:8080           ok 97 3            (successes and failures: those of the named host)
///     threads 1 1 100                       ok 800 0           (the same by eight threads)
///     forked 1 1 100                        ok 100 0           (the same by the child of a fork)
///     flush                                 ok
///     alive                                 ok 1
#include <lars/client.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

class CallFailed : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

lars::Host host_of(std::int32_t modid, std::int32_t cmdid, const std::string& text) {
    const auto colon = text.find(':');
    return {modid, cmdid, text.substr(0, colon), static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1)))};
}

/// Makes calls, of which those to `failing` fail. Returns how many succeeded, and failed.
std::string calls(const lars::Client& client, std::int32_t modid, std::int32_t cmdid, int number,
                  const std::string& failing, int threads) {
    std::atomic<int> succeeded{0}, failed{0};
    std::vector<std::thread> callers;
    for (int caller = 0; caller < threads; ++caller) {
        callers.emplace_back([&] {
            for (int made = 0; made < number; ++made) {
                client.call(modid, cmdid, [&](lars::Call& call) {
                    if (call.host().str() == failing) {
                        call.fail();
                    }
                    ++(call.failed() ? failed : succeeded);
                });
            }
        });
    }
    for (auto& each : callers) {
        each.join();
    }
    return std::to_string(succeeded) + " " + std::to_string(failed);
}

/// What the child of a fork returns, or the status with which it ended.
std::string in_child(const std::function<std::string()>& what) {
    int ends[2];
    if (::pipe(ends) != 0) {
        throw std::invalid_argument("no pipe");
    }
    const pid_t child = ::fork();
    if (child == 0) {
        const std::string found = what();
        ::_exit(::write(ends[1], found.data(), found.size()) > 0 ? 0 : 1);
    }
    ::close(ends[1]);
    std::string found(64, '\0');
    const ssize_t size = ::read(ends[0], found.data(), found.size());
    ::close(ends[0]);
    int status = -1;
    ::waitpid(child, &status, 0);
    found.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return status == 0 ? found : "status " + std::to_string(status);
}

std::string done(const lars::Client& client, std::istringstream& line) {
    std::string name, host, how;
    std::int32_t modid = 0, cmdid = 0, retcode = 0;
    line >> name >> modid >> cmdid;
    if (name == "get_host") {
        return client.get_host(modid, cmdid).str();
    }
    if (name == "get_route") {
        std::string hosts;
        for (const auto& each : client.get_route(modid, cmdid)) {
            hosts += each.str() + " ";
        }
        return hosts;
    }
    if (name == "report") {
        double cost = 0;
        line >> host >> retcode >> cost;
        client.report(host_of(modid, cmdid, host), retcode,
                      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(cost)));
        return "";
    }
    if (name == "register") {
        client.register_module(modid, cmdid);
        return "";
    }
    if (name == "keyed") {
        line >> how;
        const lars::Host chosen = client.get_host(modid, cmdid, how);
        client.report(chosen);
        return chosen.str();
    }
    if (name == "calls" || name == "threads" || name == "forked") {
        int number = 0;
        line >> number >> host;
        const auto make = [&] { return calls(client, modid, cmdid, number, host, name == "threads" ? 8 : 1); };
        return name != "forked" ? make() : in_child([&] {
            const std::string found = make();
            client.flush();
            return found;
        });
    }
    if (name == "flush") {
        client.flush();
        return "";
    }
    if (name == "alive") {
        return std::to_string(client.agent_alive());
    }
    if (name == "call") {
        line >> how;
        const auto call = client.call(modid, cmdid);
        return how == "ok" ? call.host().str() : throw CallFailed(call.host().str());
    }
    throw std::invalid_argument("no such call: " + name);
}

std::string told(const lars::Client& client, const std::string& text) {
    std::istringstream line(text);
    try {
        return "ok " + done(client, line);
    } catch (const CallFailed& error) {
        return std::string("failed ") + error.what();
    } catch (const lars::NoSuchModule& error) {
        return std::string("NoSuchModule ") + error.what();
    } catch (const lars::Overloaded& error) {
        return std::string("Overloaded ") + error.what();
    } catch (const lars::AgentUnavailable& error) {
        return std::string("AgentUnavailable ") + error.what();
    } catch (const std::invalid_argument& error) {
        return std::string("invalid ") + error.what();
    }
}

}  // namespace

int main(int argc, char** argv) {
    lars::Options options;
    options.cache_ttl = std::chrono::milliseconds(argc > 1 ? std::stoi(argv[1]) : 0);
    options.state_dir = argc > 2 ? argv[2] : "";
    const lars::Client client(lars::default_agent(), options);
    for (std::string line; std::getline(std::cin, line);) {
        std::cout << told(client, line) << std::endl;
    }
}
