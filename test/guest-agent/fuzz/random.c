#include "harness.h"

#include <string.h>

static uint64_t state;

/* Splitmix64: any seed is good, also neighbours. */
static uint64_t next(void) {
  uint64_t value = state += 0x9e3779b97f4a7c15u;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
  value = (value ^ value >> 27) * 0x94d049bb133111ebu;
  return value ^ value >> 31;
}

void random_seed(uint64_t seed) { state = seed; }

uint32_t random_below(uint32_t limit) { return (uint32_t)((next() >> 32) * limit >> 32); }

void random_fill(uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) bytes[i] = (uint8_t)next();
}

static const uint32_t interesting[] = {0,      1,       4,          5,           9,          255,
                                       65535,  65536,   262144,     262145,      1048576,    1048577,
                                       100000, 0x7fffffff, 0x80000000u, 0xfffffffeu, 0xffffffffu, 512};

static void put_interesting(uint8_t *bytes, size_t length) {
  uint32_t value = interesting[random_below(sizeof interesting / sizeof *interesting)];
  if (length < 4) return;
  uint8_t *at = bytes + random_below((uint32_t)length - 3);
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> 8 * i);
}

static size_t cut(uint8_t *bytes, size_t length) {
  size_t at = random_below((uint32_t)length), gone = 1 + random_below(20);
  if (gone > length - at) gone = length - at;
  memmove(bytes + at, bytes + at + gone, length - at - gone);
  return length - gone;
}

static size_t insert(uint8_t *bytes, size_t length, size_t most) {
  size_t at = random_below((uint32_t)length + 1), more = 1 + random_below(20);
  if (more > most - length) return length;
  memmove(bytes + at + more, bytes + at, length - at);
  random_fill(bytes + at, more);
  return length + more;
}

static size_t repeat(uint8_t *bytes, size_t length, size_t most) {
  size_t at = random_below((uint32_t)length), more = 1 + random_below(64);
  if (more > length - at) more = length - at;
  if (more > most - length) return length;
  memmove(bytes + at + more, bytes + at, length - at);
  return length + more;
}

static size_t damage_once(uint8_t *bytes, size_t length, size_t most) {
  if (length == 0) return insert(bytes, length, most);
  switch (random_below(6)) {
    case 0: bytes[random_below((uint32_t)length)] = (uint8_t)next(); return length;
    case 1: bytes[random_below((uint32_t)length)] ^= (uint8_t)(1u << random_below(8)); return length;
    case 2: put_interesting(bytes, length); return length;
    case 3: return cut(bytes, length);
    case 4: return insert(bytes, length, most);
    default: return repeat(bytes, length, most);
  }
}

size_t damage(uint8_t *bytes, size_t length, size_t most) {
  for (uint32_t times = 1 + random_below(4); times > 0; times--) {
    length = damage_once(bytes, length, most);
  }
  return length;
}
