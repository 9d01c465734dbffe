/// Makes the calls that standard input gives, one per line, and prints their results, for tests with a real agent:
///
///     get_host 1 1                          ok 10.0.0.5:8080
///     get_route 1 1                         ok 10.0.0.5:8080 10.0.0.6:8080
///     report 1 1 10.0.0.5:8080 1 0.5        ok                 (the retcode, and the seconds that the call took)
///     register 1 1                          NoSuchModule module (1, 1) has no hosts …
///     call 1 1 ok                           ok 10.0.0.5:8080
///     call 1 1 fail                         failed 10.0.0.5:8080
#include <lars/client.h>

#include <chrono>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace {

class CallFailed : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

lars::Host host_of(std::int32_t modid, std::int32_t cmdid, const std::string& text) {
    const auto colon = text.find(':');
    return {modid, cmdid, text.substr(0, colon), static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1)))};
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

int main() {
    const lars::Client client;
    for (std::string line; std::getline(std::cin, line);) {
        std::cout << told(client, line) << std::endl;
    }
}
