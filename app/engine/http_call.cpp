#include "app/engine/http_call.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <QUrl>
#include <mutex>
#include <system_error>

namespace lava::app {
namespace {

void start_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

struct Transfer {
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  const HttpCall::OnData* on_data = nullptr;
  char error[CURL_ERROR_SIZE] = {};

  Transfer() : easy(curl_easy_init()) {}
  ~Transfer() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  void add_header(const QByteArray& line) { headers = curl_slist_append(headers, line.constData()); }
};

// An engine that is started meanwhile must not inherit the connection: closed here, it would stay open there.
curl_socket_t open_socket(void*, curlsocktype, curl_sockaddr* address) {
#ifdef SOCK_CLOEXEC
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
#else
  return ::socket(address->family, address->socktype, address->protocol);
#endif
}

size_t receive(char* bytes, size_t size, size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  long status = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  const size_t n = size * count;
  return (*transfer->on_data)(status, QByteArrayView(bytes, static_cast<qsizetype>(n))) ? n : 0;
}

void set_up(Transfer& transfer, const HttpRequest& request) {
  CURL* easy = transfer.easy;
  curl_easy_setopt(easy, CURLOPT_URL, request.url.constData());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // who cancels never waits for a name server
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, request.timeout_ms);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &receive);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  // A proxy of the environment must never see the questions to an engine on this machine.
  const QString host = QUrl(QString::fromUtf8(request.url)).host();
  if (host == "127.0.0.1" || host == "localhost" || host == "::1") curl_easy_setopt(easy, CURLOPT_PROXY, "");
  if (!request.token.isEmpty()) transfer.add_header("Authorization: Bearer " + request.token);
  if (request.post) {
    transfer.add_header("Content-Type: application/json");
    transfer.add_header("Expect:");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.constData());
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers);
}

HttpOutcome::Trouble trouble_of(CURLcode code) {
  using Trouble = HttpOutcome::Trouble;
  switch (code) {
    case CURLE_OK:
    case CURLE_WRITE_ERROR: return Trouble::none;
    case CURLE_COULDNT_RESOLVE_HOST: return Trouble::no_host;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_PROXY: return Trouble::unreached;
    case CURLE_OPERATION_TIMEDOUT: return Trouble::silent;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PEER_FAILED_VERIFICATION: return Trouble::tls;
    case CURLE_UNSUPPORTED_PROTOCOL:  // an answer without the head of HTTP
    case CURLE_WEIRD_SERVER_REPLY: return Trouble::not_http;
    default: return Trouble::other;
  }
}

HttpOutcome outcome_of(const Transfer& transfer, CURLcode code) {
  HttpOutcome outcome;
  outcome.trouble = trouble_of(code);
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &outcome.status);
  char* redirect = nullptr;
  curl_easy_getinfo(transfer.easy, CURLINFO_REDIRECT_URL, &redirect);
  if (redirect) outcome.redirect = redirect;
  switch (code) {
    case CURLE_OK: outcome.end = HttpOutcome::End::complete; break;
    case CURLE_WRITE_ERROR: outcome.end = HttpOutcome::End::cancelled; break;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: outcome.end = HttpOutcome::End::refused; break;
    default: outcome.end = HttpOutcome::End::broken;
  }
  long reason = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_OS_ERRNO, &reason);
  if (code == CURLE_COULDNT_CONNECT && reason != 0) outcome.cause = std::generic_category().message(static_cast<int>(reason));
  else if (code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR) outcome.cause = "the connection was cut";
  else if (code != CURLE_OK) outcome.cause = transfer.error[0] ? transfer.error : curl_easy_strerror(code);
  return outcome;
}

}  // namespace

struct HttpCall::Multi {
  CURLM* handle = nullptr;
  Multi() {
    start_curl();
    handle = curl_multi_init();
  }
  ~Multi() { curl_multi_cleanup(handle); }
};

HttpCall::HttpCall() : multi_(std::make_unique<Multi>()) {}
HttpCall::~HttpCall() = default;

void HttpCall::cancel() {
  cancelled_ = true;
  curl_multi_wakeup(multi_->handle);
}

HttpOutcome HttpCall::perform(const HttpRequest& request, const OnData& on_data) {
  Transfer transfer;
  transfer.on_data = &on_data;
  set_up(transfer, request);
  CURLM* multi = multi_->handle;
  curl_multi_add_handle(multi, transfer.easy);
  HttpOutcome outcome;
  outcome.end = HttpOutcome::End::cancelled;
  int running = 1;
  while (!cancelled_ && running) {
    if (curl_multi_perform(multi, &running) != CURLM_OK) break;
    if (running) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
  }
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi, &left))
    if (message->msg == CURLMSG_DONE && !cancelled_) outcome = outcome_of(transfer, message->data.result);
  curl_multi_remove_handle(multi, transfer.easy);  // an unfinished transfer closes its connection here
  return outcome;
}

}  // namespace lava::app
