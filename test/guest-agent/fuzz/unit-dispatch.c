#include "channel/dispatch.c"
#include "harness.h"

void dispatch_reset(void) {
  dispatch_open(true);
  last_session = 0;
}
