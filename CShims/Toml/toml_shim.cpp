#include "toml_shim.h"

#include <string>

namespace {

// The library asserts where text that is no TOML must be refused ("[=" does it): an assertion that
// fails is a syntax error here, in every build.
struct NotTOML {};

} // namespace

#undef NDEBUG
#define TOML_ASSERT(expression)                                                                    \
    do {                                                                                           \
        if (!(expression)) throw NotTOML();                                                        \
    } while (false)
#define TOML_HEADER_ONLY           1
#define TOML_EXCEPTIONS            1
#define TOML_ENABLE_FORMATTERS     0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <cstdio>
#include <string_view>
#include <toml++/toml.h>
#include <vector>

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

// True if the library can say what is wrong with the text, or nothing is.
bool isParsable(std::string_view text) {
    try {
        (void)toml::parse(text);
    } catch (const toml::parse_error &) {
    } catch (const NotTOML &) {
        return false;
    }
    return true;
}

// The line at which an assertion fails: the shortest run of lines that makes it fail.
int lineOfNotTOML(std::string_view text) {
    std::vector<size_t> ends;
    for (size_t index = 0; index < text.size(); index++)
        if (text[index] == '\n') ends.push_back(index + 1);
    ends.push_back(text.size());
    size_t low = 0, high = ends.size() - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (isParsable(text.substr(0, ends[middle]))) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return static_cast<int>(low) + 1;
}

} // namespace

extern "C" void toml_flatten(const char *text, size_t length, toml_visit visit, void *context) {
    std::string_view document(text, length);
    const auto fail = [&](std::string_view reason, int line) {
        visit(context, "", 0, TOML_TYPE_ERROR, reason.data(), reason.size(), line);
    };
    try {
        toml::table table = toml::parse(document);
        Walk walk{visit, context};
        walk.node("", table);
    } catch (const toml::parse_error &error) {
        fail(error.description(), static_cast<int>(error.source().begin.line));
    } catch (const NotTOML &) {
        fail("not TOML", lineOfNotTOML(document));
    }
}
