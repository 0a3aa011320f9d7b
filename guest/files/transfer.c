#include "files/transfer.h"

#include <errno.h>

#include "session/session.h"

void transfer_start(const struct frame *frame) {
  session_refuse(frame->session, 1, ENOSYS, "transfer");
}
