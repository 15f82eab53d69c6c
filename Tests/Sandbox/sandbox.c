#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int sandbox_network(void) {
    if (unshare(CLONE_NEWNET) != 0) return -errno;
    const int network = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    return network < 0 ? -errno : network;
}

int sandbox_enter(int network) { return setns(network, CLONE_NEWNET) == 0 ? 0 : -errno; }

void sandbox_close(int descriptor) { close(descriptor); }

int sandbox_set_checksums(const char *device, int on) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    struct ethtool_value value = {.cmd = ETHTOOL_STXCSUM, .data = on ? 1 : 0};
    struct ifreq request = {.ifr_data = (void *)&value};
    strncpy(request.ifr_name, device, sizeof request.ifr_name - 1);
    const int status = ioctl(fd, SIOCETHTOOL, &request) == 0 ? 0 : -errno;
    close(fd);
    return status;
}

int sandbox_command(const char *line) {
    char copy[512], *arguments[64], *rest = NULL;
    char *environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    size_t count = 0;
    if (strlen(line) >= sizeof copy) return -E2BIG;
    strcpy(copy, line);
    for (char *word = strtok_r(copy, " ", &rest); word && count < 63;
         word = strtok_r(NULL, " ", &rest))
        arguments[count++] = word;
    arguments[count] = NULL;
    pid_t child;
    const int status = posix_spawnp(&child, arguments[0], NULL, NULL, arguments, environment);
    if (status != 0) return -status;
    int end = 0;
    while (waitpid(child, &end, 0) < 0)
        if (errno != EINTR) return -errno;
    return WIFEXITED(end) ? WEXITSTATUS(end) : -EIO;
}

int sandbox_forbid_ring(int number) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)number),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog whole = {.len = sizeof program / sizeof *program, .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) == 0 ? 0 : -errno;
}

int sandbox_become(uint32_t user) {
    // Not the library's functions, which change all threads.
    if (syscall(SYS_setresgid, user, user, user) != 0) return -errno;
    return syscall(SYS_setresuid, user, user, user) == 0 ? 0 : -errno;
}

static __thread timer_t ticks;

static void on_tick(int number) { (void)number; }

int sandbox_start_ticks(uint32_t micros) {
    // No SA_RESTART: the calls end with EINTR.
    struct sigaction action = {.sa_handler = on_tick};
    if (sigaction(SIGUSR2, &action, NULL) != 0) return -errno;
    sigset_t ticks_only;
    sigemptyset(&ticks_only);
    sigaddset(&ticks_only, SIGUSR2);
    pthread_sigmask(SIG_UNBLOCK, &ticks_only, NULL);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2};
    event._sigev_un._tid = gettid();
    if (timer_create(CLOCK_MONOTONIC, &event, &ticks) != 0) return -errno;
    const struct timespec every = {.tv_sec = micros / 1000000, .tv_nsec = micros % 1000000 * 1000};
    const struct itimerspec times = {.it_interval = every, .it_value = every};
    return timer_settime(ticks, 0, &times, NULL) == 0 ? 0 : -errno;
}

void sandbox_stop_ticks(void) { timer_delete(ticks); }

int64_t sandbox_limit_locked(int64_t kibibytes) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return -errno;
    const int64_t before = (int64_t)(limit.rlim_cur / 1024);
    limit.rlim_cur = (rlim_t)kibibytes * 1024;
    if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_MEMLOCK, &limit) == 0 ? before : -errno;
}
