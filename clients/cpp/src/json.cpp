#include "json.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>

namespace lars::detail {

namespace {

constexpr int kMaxDepth = 32;

struct NoJson : std::runtime_error {
    NoJson() : std::runtime_error("no JSON") {}
};

void append_utf8(std::string& out, std::uint32_t code) {
    if (code < 0x80) {
        out.push_back(static_cast<char>(code));
        return;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    const std::uint32_t first = more == 1 ? 0xc0 : more == 2 ? 0xe0 : 0xf0;
    out.push_back(static_cast<char>(first | code >> 6 * more));
    for (int left = more; left-- > 0;) {
        out.push_back(static_cast<char>(0x80 | (code >> 6 * left & 0x3f)));
    }
}

}  // namespace

/// Reads one text from its begin to its end.
class JsonReader {
public:
    explicit JsonReader(std::string_view text) : text_(text) {}

    Json whole() {
        Json json = value(0);
        skip_space();
        return at_ == text_.size() ? json : throw NoJson();
    }

private:
    Json value(int depth) {
        Json json;
        skip_space();
        switch (depth < kMaxDepth ? peek() : throw NoJson()) {
            case '{':
                json.value_ = object(depth);
                break;
            case '[':
                json.value_ = array(depth);
                break;
            case '"':
                json.value_ = string();
                break;
            case 't':
                word("true");
                json.value_ = true;
                break;
            case 'f':
                word("false");
                json.value_ = false;
                break;
            case 'n':
                word("null");
                break;
            default:
                json.value_ = number();
        }
        return json;
    }

    Json::Object object(int depth) {
        Json::Object members;
        for (bool more = opens('}'); more; more = goes_on('}')) {
            skip_space();
            std::string name = peek() == '"' ? string() : throw NoJson();
            skip_space();
            expect(':');
            members.insert_or_assign(std::move(name), value(depth + 1));
        }
        return members;
    }

    Json::Array array(int depth) {
        Json::Array items;
        for (bool more = opens(']'); more; more = goes_on(']')) {
            items.push_back(value(depth + 1));
        }
        return items;
    }

    /// Passes the opening bracket; whether there is anything inside.
    bool opens(char end) {
        ++at_;
        skip_space();
        if (peek() != end) {
            return true;
        }
        ++at_;
        return false;
    }

    /// Passes a comma or the closing bracket; whether it was the comma.
    bool goes_on(char end) {
        skip_space();
        const char next = peek();
        ++at_;
        return next == ',' ? true : next == end ? false : throw NoJson();
    }

    std::string string() {
        std::string out;
        for (++at_; peek() != '"'; ++at_) {
            if (static_cast<unsigned char>(peek()) < 0x20) {
                throw NoJson();
            }
            if (peek() == '\\') {
                ++at_;
                escaped(out);
            } else {
                out.push_back(peek());
            }
        }
        ++at_;
        return out;
    }

    /// Takes the character after a backslash, and ends at the last character of its escape.
    void escaped(std::string& out) {
        constexpr std::string_view names = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
        if (peek() != 'u') {
            const auto which = names.find(peek());
            out.push_back(which == std::string_view::npos ? throw NoJson() : meant[which]);
            return;
        }
        std::uint32_t code = hex();
        if (code >= 0xd800 && code < 0xdc00 && text_.substr(at_ + 1, 2) == "\\u") {
            at_ += 2;
            code = 0x10000 + ((code - 0xd800) << 10) + ((hex() - 0xdc00) & 0x3ff);
        }
        append_utf8(out, code);
    }

    /// The four digits after the current character; ends at the last one.
    std::uint32_t hex() {
        const std::string digits(text_.substr(at_ + 1, 4));
        if (digits.size() != 4 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
            throw NoJson();
        }
        at_ += 4;
        return static_cast<std::uint32_t>(std::stoul(digits, nullptr, 16));
    }

    double number() {
        const auto end = std::min(text_.find_first_not_of("+-0123456789.eE", at_), text_.size());
        const std::string digits(text_.substr(at_, end - at_));
        char* stopped = nullptr;
        const double found = std::strtod(digits.c_str(), &stopped);
        if (digits.empty() || *stopped != '\0') {
            throw NoJson();
        }
        at_ = end;
        return found;
    }

    void word(std::string_view expected) {
        if (text_.substr(at_, expected.size()) != expected) {
            throw NoJson();
        }
        at_ += expected.size();
    }

    void expect(char expected) {
        if (peek() != expected) {
            throw NoJson();
        }
        ++at_;
    }

    void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
    char peek() const { return at_ < text_.size() ? text_[at_] : throw NoJson(); }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::optional<Json> Json::parsed(std::string_view text) {
    try {
        return JsonReader(text).whole();
    } catch (const NoJson&) {
        return std::nullopt;
    }
}

const Json* Json::member(const std::string& name) const {
    const auto* members = std::get_if<Object>(&value_);
    if (members == nullptr) {
        return nullptr;
    }
    const auto found = members->find(name);
    return found == members->end() ? nullptr : &found->second;
}

}  // namespace lars::detail
