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

TEST(Access, HostsThatTheUserNames) {
  AccessRules named, everywhere;
  for (const char* host : {"Box.lan", "fe80::1", "10.0.0.5"}) add_host(named, host);
  for (const char* good : {"box.lan", "BOX.LAN:80", "[fe80::1]:8080", "10.0.0.5"}) EXPECT_TRUE(host_allowed(named, good)) << good;
  for (const char* bad : {"lan", "10.0.0.6", "[fe80::2]"}) EXPECT_FALSE(host_allowed(named, bad)) << bad;
  add_host(everywhere, "0.0.0.0");
  add_host(everywhere, "box.lan");
  for (const char* good : {"10.0.0.6:8080", "[fe80::2]", "box.lan", "localhost"}) EXPECT_TRUE(host_allowed(everywhere, good)) << good;
  // What a page of someone else could be reached under.
  for (const char* bad : {"evil.example", "10.0.0.6.evil.example", "0.0.0.0x", "1.2.3", "1234"}) EXPECT_FALSE(host_allowed(everywhere, bad)) << bad;
}

}  // namespace
}  // namespace lava::server
