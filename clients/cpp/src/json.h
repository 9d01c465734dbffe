/// Reads JSON (RFC 8259): as much as the agent's files of saved routes need.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lars::detail {

/// A JSON value. The getters return null where it is of another kind.
class Json {
public:
    using Array = std::vector<Json>;
    using Object = std::map<std::string, Json>;

    /// Nothing if the text is no JSON, or nested more than 32 levels deep.
    static std::optional<Json> parsed(std::string_view text);

    const Array* array() const noexcept { return std::get_if<Array>(&value_); }
    const std::string* text() const noexcept { return std::get_if<std::string>(&value_); }
    const double* number() const noexcept { return std::get_if<double>(&value_); }
    /// A member of an object.
    const Json* member(const std::string& name) const;

private:
    friend class JsonReader;
    std::variant<std::nullptr_t, bool, double, std::string, Array, Object> value_ = nullptr;
};

}  // namespace lars::detail
