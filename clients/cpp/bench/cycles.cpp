/// Measures get_host and the report of a success of module (1, 1), and prints JSON:
///
///     cycles AGENT cached|asking CYCLES [THREADS]      {"cycles": 200000, "seconds": 0.04, "cpu_seconds": 0.04}
///
/// The first tenth of the cycles warms up and is not counted. Each of the threads makes that many cycles, with costs.
#include <lars/client.h>

#include <sys/resource.h>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

void make(const lars::Client& client, long cycles) {
    for (long made = 0; made < cycles; ++made) {
        client.report(client.get_host(1, 1), 0, 1ms);
    }
}

void make_in_threads(const lars::Client& client, long cycles, int threads) {
    std::vector<std::thread> others;
    for (int number = 1; number < threads; ++number) {
        others.emplace_back([&client, cycles] { make(client, cycles); });
    }
    make(client, cycles);
    for (auto& each : others) {
        each.join();
    }
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::cerr << "usage: " << *argv << " AGENT cached|asking CYCLES [THREADS]" << std::endl;
        return 2;
    }
    const long cycles = std::stol(argv[3]);
    const int threads = argc > 4 ? std::stoi(argv[4]) : 1;
    lars::Options options;
    options.timeout = 5s;
    options.state_dir = "";
    options.cache_ttl = argv[2] == std::string("cached") ? options.cache_ttl : 0s;
    try {
        const lars::Client client(argv[1], options);
        client.ready(1, 1);
        make_in_threads(client, cycles / 10, threads);
        const double cpu = cpu_seconds();
        const auto began = Clock::now();
        make_in_threads(client, cycles, threads);
        const std::chrono::duration<double> took = Clock::now() - began;
        std::cout << "{\"cycles\": " << cycles * threads << ", \"seconds\": " << took.count()
                  << ", \"cpu_seconds\": " << cpu_seconds() - cpu << "}" << std::endl;
    } catch (const std::exception& error) {
        std::cerr << *argv << ": " << error.what() << std::endl;
        return 1;
    }
}
