// Who may talk to the server: loopback host names, allowed origins, bearer token.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace lava::server {

struct AccessRules {
  std::string token;
  std::vector<std::string> hosts;    // besides loopback names; see add_host()
  bool any_number = false;           // every address of digits: a page cannot have one under its own name
  std::vector<std::string> origins;  // exact; none by default
};

// A name or address under which the server is reached; that of all interfaces stands for every address of digits.
void add_host(AccessRules&, const std::string& host);
// Host header with or without port: a loopback name or one of the rules.
bool host_allowed(const AccessRules&, std::string_view host);
// Browsers send Origin; a page that is not on the list must not drive the server.
bool origin_allowed(const AccessRules&, std::string_view origin);
// "Bearer TOKEN", compared in constant time.
bool token_matches(const AccessRules&, std::string_view authorization);
// 32 random bytes as hexadecimal.
std::string make_token();

}  // namespace lava::server
