#define TOML_HEADER_ONLY           1
#define TOML_EXCEPTIONS            0
#define TOML_ENABLE_FORMATTERS     0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include "toml_shim.h"

#include <cstdio>
#include <string>
#include <string_view>
#include <toml++/toml.h>

namespace {

struct Walk {
    toml_visit visit;
    void *context;

    void emit(const std::string &path, int type, std::string_view text, const toml::node &node) {
        visit(context,
              path.data(),
              path.size(),
              type,
              text.data() == nullptr ? "" : text.data(),
              text.size(),
              static_cast<int>(node.source().begin.line));
    }

    void node(const std::string &path, const toml::node &value) {
        if (const auto *table = value.as_table()) {
            if (!path.empty()) emit(path, TOML_TYPE_TABLE, "", value);
            for (auto &&[key, child] : *table) {
                std::string name(key.str());
                this->node(path.empty() ? name : path + "." + name, child);
            }
        } else if (const auto *array = value.as_array()) {
            emit(path, TOML_TYPE_ARRAY, std::to_string(array->size()), value);
            for (size_t index = 0; index < array->size(); index++)
                node(path + "[" + std::to_string(index) + "]", *array->get(index));
        } else if (const auto *string = value.as_string()) {
            emit(path, TOML_TYPE_STRING, string->get(), value);
        } else if (const auto *integer = value.as_integer()) {
            emit(path, TOML_TYPE_INTEGER, std::to_string(integer->get()), value);
        } else if (const auto *number = value.as_floating_point()) {
            char text[40];
            int count = std::snprintf(text, sizeof text, "%.17g", number->get());
            emit(path,
                 TOML_TYPE_FLOAT,
                 std::string_view(text, count > 0 ? static_cast<size_t>(count) : 0),
                 value);
        } else if (const auto *boolean = value.as_boolean()) {
            emit(path, TOML_TYPE_BOOLEAN, boolean->get() ? "true" : "false", value);
        } else {
            emit(path, TOML_TYPE_OTHER, "", value);
        }
    }
};

} // namespace

extern "C" void toml_flatten(const char *text, size_t length, toml_visit visit, void *context) {
    toml::parse_result result = toml::parse(std::string_view(text, length));
    if (!result) {
        const toml::parse_error &error = result.error();
        std::string_view reason = error.description();
        visit(context,
              "",
              0,
              TOML_TYPE_ERROR,
              reason.data(),
              reason.size(),
              static_cast<int>(error.source().begin.line));
        return;
    }
    Walk walk{visit, context};
    walk.node("", result.table());
}
