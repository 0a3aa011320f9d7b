#include "session/session.c"
#include "harness.h"

void sessions_reset(void) {
  while (count > 0) free_session(count - 1);
  open_count = first = 0;
  sweep_wanted = false;
}
