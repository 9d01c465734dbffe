/// The agent's files of saved routes, and the JSON in them.
#include "saved_routes.h"

#include "check.h"
#include "folder.h"
#include "json.h"

using lars::Host;
using lars::detail::index_of;
using lars::detail::Json;
using lars::detail::SavedRoutes;
using tests::Folder;

namespace {

const std::string kRoutes =
    R"({"format":1,"routes":[{"modid":1,"cmdid":2,"hosts":["10.0.0.5:80","10.0.0.6:80"],"weights":{"10.0.0.5:80":50},)"
    R"("settings":"{\"policy\": \"adaptive\"}"},{"modid":1,"cmdid":5,"hosts":["nowhere"]}]})";

}  // namespace

TEST(json_is_read) {
    const auto json = Json::parsed(R"( {"a" : [1, -2.5e3, true, false, null, {}, []], "b\n\u00fc\ud83d\ude00": ""} )");
    CHECK(json.has_value());
    CHECK_EQUAL(json->member("a")->array()->size(), 7U);
    CHECK_EQUAL(*json->member("a")->array()->at(1).number(), -2500.0);
    CHECK_EQUAL(*json->member("b\n\xc3\xbc\xf0\x9f\x98\x80")->text(), "");
    CHECK(json->member("c") == nullptr);
    CHECK(json->text() == nullptr);
}

TEST(what_is_no_json_is_refused) {
    const std::string whole = kRoutes;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CHECK(!Json::parsed(whole.substr(0, size)));
    }
    for (const auto* text : {"", "{,}", "[1,]", "[1 2]", "{\"a\" 1}", "{1:2}", "\"\\x\"", "\"\\u12\"", "tru", "1 2", "--1",
                             "\"\n\"", "nan", "{\"a\":1,}"}) {
        CHECK(!Json::parsed(text));
    }
    CHECK(!Json::parsed(std::string(100'000, '[')));
}

TEST(what_is_no_file_of_saved_routes_is_refused) {
    CHECK_EQUAL(index_of(kRoutes)->size(), 2U);
    for (const auto* text : {"[]", "{}", R"({"format":2,"routes":[]})", R"({"format":1,"routes":{}})",
                             R"({"format":1,"routes":[1]})", R"({"format":1,"routes":[{"modid":1,"cmdid":2}]})",
                             R"({"format":1,"routes":[{"modid":-1,"cmdid":2,"hosts":[]}]})"}) {
        CHECK(!index_of(text));
    }
}

TEST(hosts_come_in_turn_from_the_file) {
    const Folder folder;
    folder.write("routes.0.json", kRoutes);
    SavedRoutes saved(folder.path(), 0);
    CHECK_EQUAL(saved.route({1, 2}, 0).size(), 2U);
    const Host first = *saved.pick({1, 2}, 0), second = *saved.pick({1, 2}, 0);
    CHECK(first != second);
    CHECK_EQUAL(*saved.pick({1, 2}, 0), first);
    CHECK(!saved.pick({1, 5}, 0));  // its host is none
    CHECK(!saved.pick({9, 9}, 0));
}

TEST(file_is_read_again_when_it_was_replaced) {
    const Folder folder;
    SavedRoutes saved(folder.path(), 2);
    CHECK(saved.route({1, 2}, 0).empty());
    folder.write("routes.2.json", kRoutes);
    CHECK(saved.route({1, 2}, 0.5).empty());
    CHECK_EQUAL(saved.route({1, 2}, 1).size(), 2U);
    folder.write("routes.2.json", "damaged");
    CHECK(saved.route({1, 2}, 2).empty());
}

TEST(folder_can_be_another_one) {
    const Folder folder;
    folder.write("routes.0.json", kRoutes);
    SavedRoutes saved("/nowhere", 0);
    CHECK(saved.route({1, 2}, 0).empty());
    saved.move(folder.path());
    CHECK_EQUAL(saved.route({1, 2}, 0).size(), 2U);
}
