#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { WORDS_MAX = 64 };

static int split(char *words, int count, char **arguments) {
    if (count < 1 || count > WORDS_MAX) return -E2BIG;
    for (int i = 0; i < count; i++) {
        arguments[i] = words;
        words += strlen(words) + 1;
    }
    arguments[count] = NULL;
    return 0;
}

static int spawn(char **arguments, int output, pid_t *child) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    // No copy of our pages is made for it, and no thread of ours is held up.
    const int status = posix_spawn(child, arguments[0], &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -status;
}

static int left(uint64_t end) {
    const uint64_t now = host_nanos();
    return now >= end ? 0 : (int)((end - now) / 1000000) + 1;
}

// Reads to the end, or to the end of the time; what does not fit is thrown away.
static void read_answer(int file, char *answer, size_t room, size_t *length, uint64_t end) {
    struct pollfd watched = {.fd = file, .events = POLLIN};
    char rest[256];
    int millis;
    while ((millis = left(end)) > 0) {
        const int ready = poll(&watched, 1, millis);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return;
        const int full = *length == room;
        const ssize_t count =
            full ? read(file, rest, sizeof rest) : read(file, answer + *length, room - *length);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        if (!full) *length += (size_t)count;
    }
}

static int collect(pid_t child, uint64_t end) {
    int status = 0;
    for (;;) {
        const pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (ended < 0 && errno != EINTR) return -errno;
        if (left(end) == 0) break;
        const struct timespec pause = {0, 1000000};
        nanosleep(&pause, NULL);
    }
    kill(-child, SIGKILL);
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return -ETIMEDOUT;
}

int host_ask(char *words, int count, char *answer, size_t room, size_t *length, int millis) {
    char *arguments[WORDS_MAX + 1];
    int ends[2];
    *length = 0;
    int status = split(words, count, arguments);
    if (status < 0) return status;
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    pid_t child = 0;
    status = spawn(arguments, ends[1], &child);
    close(ends[1]);
    if (status == 0) {
        const uint64_t end = host_nanos() + (uint64_t)millis * 1000000u;
        read_answer(ends[0], answer, room, length, end);
        status = collect(child, end);
    }
    close(ends[0]);
    return status;
}

static int keep(const int *kept, int count, int flags) {
    for (int i = 0; i < count; i++)
        if (fcntl(kept[i], F_SETFD, flags) != 0) return -errno;
    return 0;
}

int host_become(char *words, int count, const int *kept, int kept_count) {
    char *arguments[WORDS_MAX + 1];
    int status = split(words, count, arguments);
    if (status >= 0) status = keep(kept, kept_count, 0);
    if (status >= 0) {
        execv(arguments[0], arguments);
        status = -errno;
    }
    keep(kept, kept_count, FD_CLOEXEC);
    return status;
}
