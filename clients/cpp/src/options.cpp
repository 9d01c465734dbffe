#include "options.h"

#include <cstdlib>
#include <stdexcept>

namespace lars::detail {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

std::string written_seconds(nanoseconds time) {
    std::string text = std::to_string(std::chrono::duration<double>(time).count());
    text.erase(text.find_last_not_of('0') + 1);
    return text.back() == '.' ? text.substr(0, text.size() - 1) : text;
}

namespace {

constexpr const char* kDefaultStateDir = "/var/lib/lars";

void check(const char* name, nanoseconds time, bool may_be_zero) {
    if (time < 0ns || (time == 0ns && !may_be_zero) || time >= 24h) {
        const std::string range = may_be_zero ? "from 0 to below a day" : "above 0 and below a day";
        throw std::invalid_argument(std::string(name) + " " + written_seconds(time) +
                                    " s is out of range: give a time " + range);
    }
}

}  // namespace

Options checked_options(const Options& options) {
    check("timeout", options.timeout, false);
    check("cache_ttl", options.cache_ttl, true);
    check("first_wait", options.first_wait, true);
    return options;
}

std::string state_folder(const Options& options, std::uint32_t agent) {
    if (options.state_dir) {
        return *options.state_dir;
    }
    if (const char* given = std::getenv("LARS_STATE_DIR")) {
        return given;
    }
    return agent >> 24 == 127 ? kDefaultStateDir : "";
}

bool follows_agent(const std::string& folder) { return folder == kDefaultStateDir; }

}  // namespace lars::detail
