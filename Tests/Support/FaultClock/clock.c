// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "FaultClock.h"

#include <stdlib.h>

#ifdef __linux__
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#endif

long fault_clock_offset(void) {
    static long offset;
    static int isKnown;
    // Threads that come here together read the same and write the same.
    if (!__atomic_load_n(&isKnown, __ATOMIC_ACQUIRE)) {
        const char *text = getenv("FAULT_CLOCK");
        offset = text ? atol(text) : 0;
        __atomic_store_n(&isKnown, 1, __ATOMIC_RELEASE);
    }
    return offset;
}

#ifdef __linux__
// A definition in the program comes before the C library's, in the program and in the libraries that it loads.

int clock_gettime(clockid_t clock, struct timespec *time) {
    int status = (int)syscall(SYS_clock_gettime, clock, time);
    if (status == 0 && clock == CLOCK_REALTIME) time->tv_sec += fault_clock_offset();
    return status;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    struct timespec now;
    int status = clock_gettime(CLOCK_REALTIME, &now);
    if (time) {
        time->tv_sec = now.tv_sec;
        time->tv_usec = now.tv_nsec / 1000;
    }
    return status;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}
#endif
