/// Runs every test, or those whose names contain the first argument.
#include <exception>
#include <iostream>

#include "check.h"

int main(int argc, char** argv) {
    const std::string wanted = argc > 1 ? argv[1] : "";
    int ran = 0, failed = 0;
    for (const auto& test : check::tests()) {
        if (std::string(test.name).find(wanted) == std::string::npos) {
            continue;
        }
        ++ran;
        try {
            test.run();
        } catch (const std::exception& error) {
            ++failed;
            std::cout << test.name << " FAILED: " << error.what() << std::endl;
        }
    }
    std::cout << ran << " tests, " << failed << " failed" << std::endl;
    return failed == 0 && ran > 0 ? 0 : 1;
}
