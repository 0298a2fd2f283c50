// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#include "AllocationCount.h"

#include <errno.h>
#include <stdlib.h>

static unsigned long count;

unsigned long allocation_count(void) {
    return __atomic_load_n(&count, __ATOMIC_RELAXED);
}

#ifdef __GLIBC__
// A definition in the program comes before the C library's, in the program and in the libraries that it loads. What glibc
// hands out here is its own, so its free need not be replaced.

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static void add(void) {
    __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size) {
    add();
    return __libc_malloc(size);
}

void *calloc(size_t elements, size_t size) {
    add();
    return __libc_calloc(elements, size);
}

void *realloc(void *memory, size_t size) {
    add();
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    add();
    return __libc_memalign(alignment, size);
}

void *memalign(size_t alignment, size_t size) {
    return aligned_alloc(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment == 0 || alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
    void *taken = aligned_alloc(alignment, size);
    if (taken == NULL) return ENOMEM;
    *memory = taken;
    return 0;
}
#endif
