/// A minimal test framework: each TEST is a function that registers itself, and a failed CHECK ends it.
#pragma once

#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace check {

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Test {
    const char* name;
    void (*run)();
};

inline std::vector<Test>& tests() {
    static std::vector<Test> all;
    return all;
}

struct Registered {
    Registered(const char* name, void (*run)()) { tests().push_back({name, run}); }
};

inline std::string at(const char* file, int line) { return std::string(file) + ":" + std::to_string(line) + ": "; }

template <class A, class B>
void equal(const A& a, const B& b, const char* text, const char* file, int line) {
    if (!(a == b)) {
        std::ostringstream message;
        message << at(file, line) << text << ": got " << a << ", not " << b;
        throw Failure(message.str());
    }
}

inline void holds(bool condition, const char* text, const char* file, int line) {
    if (!condition) {
        throw Failure(at(file, line) + text + " does not hold");
    }
}

template <class Error, class Function>
void throws(Function function, const std::string& text, const char* file, int line) {
    try {
        function();
    } catch (const Error& error) {
        if (std::string(error.what()).find(text) == std::string::npos) {
            throw Failure(at(file, line) + "the text is \"" + error.what() + "\", without \"" + text + "\"");
        }
        return;
    }
    throw Failure(at(file, line) + "nothing was thrown");
}

}  // namespace check

#define TEST(name)                                        \
    static void name();                                   \
    static const check::Registered name##_is{#name, name}; \
    static void name()

#define CHECK(condition) check::holds(condition, #condition, __FILE__, __LINE__)
#define CHECK_EQUAL(value, expected) check::equal(value, expected, #value, __FILE__, __LINE__)
/// The statement throws such an error, whose text contains this one.
#define CHECK_THROWS(Error, text, statement) \
    check::throws<Error>([&] { statement; }, text, __FILE__, __LINE__)
