// Who may use the server, and how pictures travel.
#include "engine/server/access.h"

#include <gtest/gtest.h>

#include "engine/server/base64.h"

namespace lava::server {
namespace {

TEST(Base64, AgreesWithTheStandard) {
  EXPECT_EQ(decode_base64("Zm9vYmFy"), "foobar");
  EXPECT_EQ(decode_base64("Zm9vYg=="), "foob");
  EXPECT_EQ(decode_base64("Zm9vYg"), "foob");
  EXPECT_EQ(decode_base64(""), "");
  EXPECT_FALSE(decode_base64("Z"));
  EXPECT_FALSE(decode_base64("Zm9 "));
}

TEST(Access, HostForms) {
  AccessRules rules;
  rules.hosts = {"box.lan"};
  for (const char* good : {"127.0.0.1", "127.0.0.1:80", "LOCALHOST:1", "[::1]", "[::1]:8080", "box.lan:9"}) EXPECT_TRUE(host_allowed(rules, good)) << good;
  for (const char* bad : {"", "evil", "127.0.0.1.evil.example", "127.0.0.1:x", "[::1", "[::1]x", "localhost:123456"}) {
    EXPECT_FALSE(host_allowed(rules, bad)) << bad;
  }
}

}  // namespace
}  // namespace lava::server
