#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t whole(size_t bytes, size_t page) { return (bytes + page - 1) & ~(page - 1); }

static const size_t huge = 2u << 20;

int host_map(size_t bytes, void **out, enum host_pages *pages) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS, access = PROT_READ | PROT_WRITE;
    const size_t length = whole(bytes, huge);
    *pages = HOST_PAGES_HUGE;
    void *base = mmap(NULL, length, access, flags | MAP_HUGETLB, -1, 0);
    if (base == MAP_FAILED) {
        *pages = HOST_PAGES_SMALL;
        // A huge page more than needed, so that the part used can begin on a huge page.
        uint8_t *wide = mmap(NULL, length + huge, access, flags, -1, 0);
        if (wide == MAP_FAILED) return -errno;
        uint8_t *start = (uint8_t *)whole((size_t)wide, huge);
        if (start > wide) munmap(wide, (size_t)(start - wide));
        const size_t after = huge - (size_t)(start - wide);
        if (after > 0) munmap(start + length, after);
        base = start;
        if (madvise(base, length, MADV_HUGEPAGE) == 0) *pages = HOST_PAGES_ADVISED;
    }
    madvise(base, length, MADV_DONTDUMP);
    *out = base;
    return 0;
}

int host_map_file(const char *path, size_t bytes, void **out) {
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return -errno;
    struct stat seen;
    int status = fstat(fd, &seen) == 0 ? 0 : -errno;
    if (status == 0 && (size_t)seen.st_size > bytes) status = -EFBIG;
    if (status == 0) status = -posix_fallocate(fd, 0, (off_t)bytes);
    if (status == 0) {
        void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (base == MAP_FAILED)
            status = -errno;
        else
            *out = base;
    }
    close(fd);
    return status;
}

int host_sync(void *base, size_t bytes) { return msync(base, bytes, MS_SYNC) == 0 ? 0 : -errno; }

void host_unmap(void *base, size_t bytes) { munmap(base, whole(bytes, huge)); }

void host_unmap_file(void *base, size_t bytes) { munmap(base, bytes); }
