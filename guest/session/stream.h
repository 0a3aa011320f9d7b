/* The three streams of a session, within credit. */
#ifndef AGENT_STREAM_H
#define AGENT_STREAM_H

#include <sys/epoll.h>

#include "session/session.h"

void inlet_init(struct inlet *inlet);
void inlet_receive(struct session *session, const uint8_t *bytes, size_t length);
void inlet_end(struct session *session);
void inlet_pump(struct session *session);
void inlet_close(struct inlet *inlet);

/* How an outlet is watched; it is armed again when its pipe was found empty. */
#define OUTLET_EVENTS (EPOLLIN | EPOLLONESHOT)

void outlet_init(struct outlet *outlet);
bool outlet_pump(struct session *session, int index);

/* From now on only what the pipe or the terminal holds at this moment is owed. */
void outlet_bound(struct outlet *outlet);
bool outlet_is_done(const struct outlet *outlet);

/* Whether output waited only for the channel since the last call. */
bool outlets_were_starved(void);

#endif
