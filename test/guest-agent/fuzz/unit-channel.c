#include "channel/channel.c"
#include "harness.h"

void channel_reset(void) {
  inbox_used = 0;
  readable = blocked = false;
}

void channel_has_more(void) {
  readable = true;
  blocked = false;
}
