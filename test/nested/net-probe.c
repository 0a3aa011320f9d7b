/*
 * Asks whether a port answers, without name lookups or libraries.
 *
 * usage: net-probe serve ADDRESS PORT      answers on TCP and UDP, for ever
 *        net-probe tcp|udp ADDRESS PORT    prints the answer, or why there is none and exits with 1
 *
 * UDP is asked without connect(): libkrun's kernel takes a connected socket for the guest's own where
 * the guest has a route, and to 127.0.0.1 it has one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 10000
#define ANSWER "answer\n"

static int die(const char *what) {
  printf("%s: %s\n", what, strerror(errno));
  exit(1);
}

static struct sockaddr_in place;

static int open_socket(int type) {
  int fd = socket(AF_INET, type, 0);
  return fd < 0 ? die("socket") : fd;
}

static int listen_on(int type) {
  int fd = open_socket(type);
  if (bind(fd, (struct sockaddr *)&place, sizeof place) != 0) die("bind");
  if (type == SOCK_STREAM && listen(fd, 8) != 0) die("listen");
  return fd;
}

static void answer_datagram(int fd) {
  char byte;
  struct sockaddr_in from;
  socklen_t size = sizeof from;
  recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from, &size);
  sendto(fd, ANSWER, strlen(ANSWER), 0, (struct sockaddr *)&from, size);
}

static void serve(void) {
  struct pollfd ready[] = {
      {.fd = listen_on(SOCK_STREAM), .events = POLLIN},
      {.fd = listen_on(SOCK_DGRAM), .events = POLLIN},
  };
  while (poll(ready, 2, -1) > 0) {
    if (ready[1].revents != 0) answer_datagram(ready[1].fd);
    if (ready[0].revents == 0) continue;
    int connection = accept(ready[0].fd, NULL, NULL);
    if (write(connection, ANSWER, strlen(ANSWER)) < 0) die("write");
    close(connection);
  }
}

static void ask(int type) {
  char text[64];
  int fd = open_socket(type);
  const struct sockaddr *to = (struct sockaddr *)&place;
  if (type == SOCK_STREAM && connect(fd, to, sizeof place) != 0) die("connect");
  if (type == SOCK_DGRAM && sendto(fd, "?", 1, 0, to, sizeof place) != 1) die("sendto");
  struct pollfd ready = {.fd = fd, .events = POLLIN};
  errno = ETIMEDOUT;
  if (poll(&ready, 1, WAIT_MS) != 1) die("poll");
  ssize_t got = recv(fd, text, sizeof text, 0);
  if (got < 0) die("recv");
  printf("%.*s", (int)got, text);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  place = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3]))};
  if (inet_pton(AF_INET, argv[2], &place.sin_addr) != 1) return 2;
  if (strcmp(argv[1], "serve") == 0) serve();
  else ask(strcmp(argv[1], "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM);
  return 0;
}
