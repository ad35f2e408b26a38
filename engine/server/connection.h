// Is the other end of a request still there? The HTTP library does not tell while a handler computes.
#pragma once

namespace lava::server {

// The socket of this process connected to `remote_port`, or -1. Valid while the request is being handled.
int socket_of_peer(int remote_port);
// True once the peer has closed its end.
bool peer_gone(int socket);

}  // namespace lava::server
