#include "engine/server/access.h"

#include <sys/random.h>

#include <algorithm>
#include <cctype>

#include "kernels/check.h"

namespace lava::server {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Name without a port; empty when malformed.
std::string host_name(std::string_view host) {
  std::string name;
  if (!host.empty() && host.front() == '[') {
    const size_t close = host.find(']');
    if (close == std::string_view::npos) return {};
    name = host.substr(0, close + 1);
    host.remove_prefix(close + 1);
  } else {
    const size_t colon = host.find(':');
    name = host.substr(0, colon);
    host.remove_prefix(std::min(host.size(), name.size()));
  }
  if (!host.empty() && (host.front() != ':' || host.size() > 6 || !std::all_of(host.begin() + 1, host.end(), [](unsigned char c) { return std::isdigit(c); })))
    return {};
  return lower(std::move(name));
}

bool is_number(const std::string& name) {
  if (name.front() == '[') return true;
  return std::count(name.begin(), name.end(), '.') == 3 && name.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

void add_host(AccessRules& rules, const std::string& host) {
  if (host == "0.0.0.0" || host == "::") {
    rules.any_number = true;
  } else {
    rules.hosts.push_back(lower(host.find(':') == std::string::npos ? host : "[" + host + "]"));
  }
}

bool host_allowed(const AccessRules& rules, std::string_view host) {
  const std::string name = host_name(host);
  if (name.empty()) return false;
  if (rules.any_number && is_number(name)) return true;
  if (name == "localhost" || name == "127.0.0.1" || name == "[::1]") return true;
  return std::find(rules.hosts.begin(), rules.hosts.end(), name) != rules.hosts.end();
}

bool origin_allowed(const AccessRules& rules, std::string_view origin) {
  return std::find(rules.origins.begin(), rules.origins.end(), origin) != rules.origins.end();
}

bool token_matches(const AccessRules& rules, std::string_view authorization) {
  constexpr std::string_view scheme = "Bearer ";
  if (authorization.substr(0, scheme.size()) != scheme) return false;
  const std::string_view given = authorization.substr(scheme.size());
  unsigned difference = given.size() == rules.token.size() ? 0 : 1;
  for (size_t i = 0; i < given.size(); ++i)
    difference |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(rules.token.empty() ? '\0' : rules.token[i % rules.token.size()]);
  return difference == 0 && !rules.token.empty();
}

std::string make_token() {
  unsigned char bytes[32];
  LAVA_CHECK(getrandom(bytes, sizeof bytes, 0) == sizeof bytes);
  std::string token;
  for (const unsigned char b : bytes) {
    token += "0123456789abcdef"[b >> 4];
    token += "0123456789abcdef"[b & 15];
  }
  return token;
}

}  // namespace lava::server
