#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
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

// The wish for huge pages that is carried out at once, whatever the system does by itself.
enum { COLLAPSE = 25 };

// The operator has forbidden huge pages that nobody took from the pool.
static int huge_forbidden(void) {
    char words[64] = {0};
    const int fd = open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 1;
    const ssize_t count = read(fd, words, sizeof words - 1);
    close(fd);
    return count <= 0 || strstr(words, "[never]") != NULL;
}

static int map_shared(int fd, size_t length, void **out) {
    uint8_t *wide = mmap(NULL, length + huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (wide == MAP_FAILED) return -errno;
    uint8_t *start = (uint8_t *)whole((size_t)wide, huge);
    const int access = PROT_READ | PROT_WRITE;
    if (mmap(start, length, access, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
        const int status = -errno;
        munmap(wide, length + huge);
        return status;
    }
    if (start > wide) munmap(wide, (size_t)(start - wide));
    const size_t after = huge - (size_t)(start - wide);
    if (after > 0) munmap(start + length, after);
    madvise(start, length, MADV_DONTDUMP);
    *out = start;
    return 0;
}

static int share(size_t length, unsigned flags, int *descriptor, void **out) {
    const int fd = memfd_create("dray", MFD_CLOEXEC | flags);
    if (fd < 0) return -errno;
    int status = ftruncate(fd, (off_t)length) == 0 ? 0 : -errno;
    if (status == 0) status = map_shared(fd, length, out);
    if (status < 0)
        close(fd);
    else
        *descriptor = fd;
    return status;
}

// Puts memory on huge pages: a page of each must be there, the rest is zeros.
static int collapse(uint8_t *base, size_t length) {
    if (huge_forbidden()) return 0;
    for (size_t place = 0; place < length; place += huge) ((volatile uint8_t *)base)[place] = 0;
    return madvise(base, length, COLLAPSE) == 0;
}

int host_share(size_t bytes, int wide, int *descriptor, void **out, enum host_pages *pages) {
    const size_t length = whole(bytes, huge);
    *pages = HOST_PAGES_HUGE;
    if (wide && share(length, MFD_HUGETLB, descriptor, out) == 0) return 0;
    const int status = share(length, 0, descriptor, out);
    *pages = status == 0 && wide && collapse(*out, length) ? HOST_PAGES_ADVISED : HOST_PAGES_SMALL;
    return status;
}

int host_adopt(int descriptor, size_t bytes, void **out, enum host_pages *pages) {
    const size_t length = whole(bytes, huge);
    struct stat seen;
    struct statfs system;
    if (fstat(descriptor, &seen) != 0 || fstatfs(descriptor, &system) != 0) return -errno;
    if (!S_ISREG(seen.st_mode) || (size_t)seen.st_size != length) return -EINVAL;
    *pages = (unsigned long)system.f_type == HUGETLBFS_MAGIC ? HOST_PAGES_HUGE : HOST_PAGES_SMALL;
    return map_shared(descriptor, length, out);
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
